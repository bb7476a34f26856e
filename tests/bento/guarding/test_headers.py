"""Headers of every answer, and what no answer says."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from bento.app import create_app
from bento.errors import body_of
from bento.guarding.headers import ON_EVERY_ANSWER
from bento.page.files import page_files
from catalog.errors import InvalidQuery, NotReady, ReleaseNotFound
from search.keys import InvalidKeys


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/healthz", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/metrics", 200),
        ("GET", "/products/p0", 200),
        ("GET", "/products/none", 404),
        ("GET", "/nothing", 404),
        ("PUT", "/search", 405),
        ("POST", "/search", 415),
    ],
)
def test_every_answer_is_sniffed_framed_and_traced_by_nobody(client: TestClient, method: str, path: str, status: int):
    reply = client.request(method, path)
    assert reply.status_code == status
    assert {name: reply.headers[name] for name in ON_EVERY_ANSWER} == ON_EVERY_ANSWER
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert ("script-src" in policy) is (path == "/")
    assert "server" not in reply.headers and "x-powered-by" not in reply.headers


def test_the_page_may_run_its_own_files_and_nothing_that_is_written_into_it(client: TestClient):
    page = client.get("/").text
    assert page.count("<script") == page.count('<script type="module" src="page/') == 1 and "<style" not in page
    assert " style=" not in page and " onclick=" not in page
    for name, content in page_files().items():
        code = content.decode()
        assert not re.search(r"\beval\(|\bFunction\(|innerHTML|insertAdjacent|document\.write|https?:", code), name
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "script-src 'self'; style-src 'self'; connect-src 'self'" in policy


def test_the_files_of_the_page_are_sent_once_and_no_other_file_is(client: TestClient):
    sent = client.get("/page/main.js")
    assert sent.headers["content-type"] == "text/javascript; charset=utf-8"
    again = client.get("/page/main.js", headers={"If-None-Match": sent.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name in ("files.py", "__init__.py", "..%2Fapp.py", "nothing.js"):
        assert client.get(f"/page/{name}").status_code == 404
    assert sum(map(len, page_files().values())) < 150_000


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotReady("There is no Milvus store at /srv/shop/milvus/etalage.db: set ETALAGE_HOME."), False),
        (NotReady("Milvus at http://10.0.0.9:19530 did not do what it was asked."), False),
        (NotReady("The store .etalage/milvus/etalage.db cannot be opened."), False),
        (NotReady("C:\\shop\\encoder holds no encoder."), False),
        (ReleaseNotFound("/srv/a folder/r1 holds no manifest.json, so it is not a release."), False),
        (InvalidKeys("There is no key file at /srv/keys.json."), False),
        (NotReady("The release is being opened."), True),
        (InvalidQuery("'a/b' is not a field that can be filtered."), True),
    ],
    ids=str,
)
def test_a_sentence_with_a_place_of_this_machine_is_for_the_log(error: Exception, told: bool):
    shown = body_of(error)["error"]
    assert (shown == str(error)) is told
    assert told or shown == "The service is not ready; its log has the reason."


def test_a_place_is_in_no_answer_of_a_service_that_is_not_ready(caplog: pytest.LogCaptureFixture):
    def load() -> Any:
        raise NotReady("There is no Milvus store at /srv/shop/etalage.db: set ETALAGE_HOME.")

    with TestClient(create_app(load), raise_server_exceptions=False) as client:
        for _ in range(50):
            if "log has the reason" in client.get("/readyz").text:
                break
        for reply in (client.get("/readyz"), client.post("/search", json={"text": "red"})):
            assert (reply.status_code, "/srv" in reply.text) == (503, False)
    assert "/srv/shop/etalage.db" in caplog.text


def test_a_websocket_is_refused_in_plain_words(client: TestClient):
    for path in ("/", "/search", "/nothing"):
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(path):
            pass
