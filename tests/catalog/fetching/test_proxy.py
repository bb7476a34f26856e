"""Downloads through a proxy: it is asked by name, and for nothing that this machine knows to be private."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from catalog.errors import InvalidParams, UrlFailed, UrlRefused
from catalog.fetching.downloads import Downloads
from catalog.fetching.settings import MediaSettings, media_settings
from tests.catalog.fetching.picture_server import Names

Asked = list[tuple[str, str, str]]


@pytest.fixture
def proxy() -> Iterator[tuple[int, Asked]]:
    """A proxy that answers every GET by itself and opens no tunnel: its port, and what it was asked."""
    asked: Asked = []

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append((self.command, self.path, self.headers.get("Proxy-Authorization", "")))
            self.send_response(200)
            self.send_header("Content-Length", "7")
            self.end_headers()
            self.wfile.write(b"proxied")

        def do_CONNECT(self) -> None:
            asked.append((self.command, self.path, self.headers.get("Proxy-Authorization", "")))
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server.server_address[1], asked
    server.shutdown()
    server.server_close()


def fetched(port: int, folder: Path, url: str, names: Names) -> bytes:
    settings = MediaSettings.model_validate({"proxy": f"http://shop:p%40ss@127.0.0.1:{port}", "retries": 0})
    with Downloads(settings, folder, resolve=names.resolve) as downloads:
        return downloads.fetch(url)


def test_the_proxy_is_asked_for_the_url_with_its_login(proxy: tuple[int, Asked], tmp_path: Path) -> None:
    port, asked = proxy
    names = Names({"photos.example": [["93.184.216.34"]]})
    assert fetched(port, tmp_path, "http://photos.example/red.jpg?a=1", names) == b"proxied"
    login = base64.b64encode(b"shop:p@ss").decode()
    assert asked == [("GET", "http://photos.example:80/red.jpg?a=1", f"Basic {login}")]


def test_a_name_that_only_the_proxy_knows_is_left_to_it(proxy: tuple[int, Asked], tmp_path: Path) -> None:
    assert fetched(proxy[0], tmp_path, "http://cdn.example/red.jpg", Names({})) == b"proxied"


def test_an_https_url_needs_a_tunnel_that_the_proxy_may_refuse(proxy: tuple[int, Asked], tmp_path: Path) -> None:
    port, asked = proxy
    with pytest.raises(UrlFailed, match=r"^The proxy did not let the picture through\.$"):
        fetched(port, tmp_path, "https://photos.example/red.jpg", Names({}))
    assert [(method, path) for method, path, _ in asked] == [("CONNECT", "photos.example:443")]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://169.254.169.254/latest/", "https://intranet.example/a.png"]
)
def test_the_proxy_is_not_asked_for_what_is_private(proxy: tuple[int, Asked], tmp_path: Path, url: str) -> None:
    port, asked = proxy
    with pytest.raises(UrlRefused, match="no public address"):
        fetched(port, tmp_path, url, Names({"intranet.example": [["10.0.0.7"]]}))
    assert asked == []


def test_only_the_setting_names_a_proxy(
    proxy: tuple[int, Asked], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, asked = proxy
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    settings = MediaSettings.model_validate({"retries": 0, "connect_timeout": 0.2, "networks": "127.0.0.0/8"})
    names = Names({"photos.example": [["127.0.0.1"]]})
    with pytest.raises(UrlFailed), Downloads(settings, tmp_path, resolve=names.resolve) as downloads:
        downloads.fetch("http://photos.example:1/a.png")
    assert asked == []


def test_settings_come_from_the_environment_and_a_wrong_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETALAGE_MEDIA_PROXY", "http://shop:secret@proxy.example:3128")
    monkeypatch.setenv("ETALAGE_MEDIA_PER_HOST", "2")
    monkeypatch.setenv("ETALAGE_MEDIA_HOSTS", "cdn.example, *.shop.example")
    settings = media_settings()
    assert (settings.per_host, len(settings.hosts), "secret" in repr(settings)) == (2, 2, False)
    for name, value, told in (
        ("PROXY", "socks5://secret@127.0.0.1", r"^ETALAGE_MEDIA_PROXY: a proxy is http://host:port"),
        ("PER_HOST", "none", r"^ETALAGE_MEDIA_PER_HOST: Input should be a valid integer"),
        ("NETWORKS", "10.0.0.0/40", r"^ETALAGE_MEDIA_NETWORKS: "),
    ):
        with monkeypatch.context() as patch, pytest.raises(InvalidParams, match=told) as refused:
            patch.setenv(f"ETALAGE_MEDIA_{name}", value)
            media_settings()
        assert "secret" not in str(refused.value)
