"""Pictures from URLs: what a server, a redirect or a name server may try, against the real fetcher and sockets."""

import asyncio
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bento.asking.fetching import ImageFetcher
from bento.errors import BodyTooLarge, Busy
from bento.settings import ServiceSettings
from catalog.errors import EtalageError, MediaTooLarge, UrlFailed, UrlRefused
from tests.bento.tiny_encoder import photo
from tests.catalog.fetching.picture_server import HOST, REDIRECTS, Names, Site, Wires, pictures

LOOPBACK = "127.0.0.0/8"
PUBLIC = "93.184.216.34"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """The server, for all tests."""
    with pictures(photo("Red")) as running:
        yield running


def limits(site: Site, **changes: object) -> ServiceSettings:
    """Settings that allow the site by its name, at its port, over http, on this machine."""
    usual = {
        "image_hosts": f"{HOST}:{site.port}", "image_http": True, "image_networks": LOOPBACK, "image_timeout": 1.5,
        "max_image_bytes": 2**20,
    }  # fmt: skip
    return ServiceSettings.model_validate({**usual, **changes})


def fetched(
    settings: ServiceSettings, url: str, names: Names | None = None, wires: Wires | None = None,
    tls: ssl.SSLContext | None = None, taken: list[int] | None = None,
) -> bytes:  # fmt: skip
    """What a fetcher of its own gets."""
    names = names or Names({HOST: [["127.0.0.1"]]})
    take = [].append if taken is None else taken.append

    async def run() -> bytes:
        fetcher = ImageFetcher(settings, names.resolve, wires, tls)
        try:
            return await fetcher.fetch(url, take)
        finally:
            fetcher.close()

    return asyncio.run(run())


def test_a_picture_comes_whole_and_counted_and_the_server_learns_nothing_but_the_path(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    taken: list[int] = []
    assert fetched(limits(site), site.url("/red.jpg?a=%20#top"), taken=taken) == photo("Red")
    assert sum(taken) == len(photo("Red"))
    method, path, headers = site.asked[-1]
    assert (method, path) == ("GET", "/red.jpg?a=%20")
    assert headers == {
        "host": f"{HOST}:{site.port}", "accept": "image/*", "accept-encoding": "identity", "connection": "close",
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/here", "/there"])
def test_a_redirect_to_an_allowed_place_is_followed_without_cookies(site: Site, path: str):
    assert fetched(limits(site), site.url(path)) == photo("Red")
    assert "cookie" not in site.asked[-1][2] and "#" not in site.asked[-1][1]


@pytest.mark.parametrize("path", sorted(set(REDIRECTS) - {"/here", "/there", "/round", "/nowhere"}))
def test_a_redirect_to_anywhere_else_is_refused_and_nobody_is_asked(site: Site, path: str):
    before = len(site.asked)
    wires = Wires()
    with pytest.raises(UrlRefused, match="leads to another place"):
        fetched(limits(site), site.url(path), wires=wires)
    assert (len(site.asked) - before, wires.connected) == (1, ["127.0.0.1"])


def test_a_redirect_is_refused_even_to_a_listed_host_with_a_private_address(site: Site):
    hosts = f"{HOST}:{site.port},127.0.0.1"
    names = Names({HOST: [[PUBLIC]], "127.0.0.1": [["127.0.0.1"]]})
    with pytest.raises(UrlRefused, match="no public address"):
        fetched(limits(site, image_hosts=hosts, image_networks=""), site.url("/loopback"), names, Wires())


def test_redirects_end(site: Site):
    for most in (0, 3):
        before = len(site.asked)
        with pytest.raises(UrlFailed, match=f"redirected more than {most} times"):
            fetched(limits(site, image_redirects=most), site.url("/round"))
        assert len(site.asked) - before == most + 1
    with pytest.raises(UrlFailed, match="redirected more than"):
        fetched(limits(site), site.url("/nowhere"))  # an empty Location is the same place again


def test_a_name_that_changes_its_address_is_asked_once_and_the_checked_address_is_connected_to(site: Site):
    """DNS rebinding: public when it is checked, 127.0.0.1 when it is connected to."""
    names, wires = Names({HOST: [[PUBLIC], ["127.0.0.1"]]}), Wires()
    assert fetched(limits(site, image_networks=""), site.url("/red.jpg"), names, wires) == photo("Red")
    assert (names.asked, wires.connected) == ([HOST], [PUBLIC])


def test_a_name_that_changes_its_address_between_two_hops_is_checked_again(site: Site):
    names, wires = Names({HOST: [[PUBLIC], ["127.0.0.1"]]}), Wires()
    with pytest.raises(UrlRefused, match="no public address"):
        fetched(limits(site, image_networks=""), site.url("/here"), names, wires)
    assert (names.asked, wires.connected) == ([HOST, HOST], [PUBLIC])


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["fe80::1%eth0"], [PUBLIC, "127.0.0.1"], [], ["x"]],
)
def test_a_name_with_one_private_address_or_none_is_refused_in_the_same_words_and_never_connected_to(
    site: Site, addresses: list[str]
):
    names, wires = Names({HOST: [addresses]}), Wires()
    with pytest.raises(UrlRefused, match=r"^The host of 'image_url' has no public address\.$"):
        fetched(limits(site, image_networks=""), site.url("/red.jpg"), names, wires)
    with pytest.raises(UrlRefused, match=r"^The host of 'image_url' has no public address\.$"):
        fetched(limits(site), site.url("/red.jpg"), Names({}), wires)
    assert wires.connected == []


def test_the_next_address_is_tried_when_one_does_not_answer(site: Site):
    names = Names({HOST: [["2606:4700::1111", PUBLIC]]})
    wires = Wires(broken=frozenset({"2606:4700::1111"}))
    assert fetched(limits(site), site.url("/red.jpg"), names, wires) == photo("Red")
    assert wires.connected == ["2606:4700::1111", PUBLIC]
    with pytest.raises(UrlFailed, match="could not be asked"):
        fetched(limits(site), site.url("/red.jpg"), names, Wires(broken=frozenset({"2606:4700::1111", PUBLIC})))


@pytest.mark.parametrize(
    ("path", "error", "told"),
    [
        ("/long", MediaTooLarge, "larger than 1 MB"),
        ("/endless", MediaTooLarge, "larger than 1 MB"),
        ("/gzip", UrlFailed, "compressed, though asked not to"),
        ("/drip", UrlFailed, r"did not arrive within 1\.5 seconds"),
        ("/silent", UrlFailed, r"did not arrive within 1\.5 seconds"),
        ("/headers", UrlFailed, "could not be asked"),
        ("/short", UrlFailed, "could not be asked"),
        ("/noise.http", UrlFailed, "could not be asked"),
        ("/none.jpg", UrlFailed, "answered with the status 404"),
    ],
)
def test_a_hostile_server_gets_no_more_than_the_limits(site: Site, path: str, error: type[EtalageError], told: str):
    taken: list[int] = []
    with pytest.raises(error, match=told):
        fetched(limits(site), site.url(path), taken=taken)
    assert sum(taken) <= 2**20


def test_what_the_service_cannot_hold_is_not_read_on(site: Site):
    def take(size: int) -> None:
        raise BodyTooLarge("The request is larger than that.")

    with pytest.raises(BodyTooLarge):
        asyncio.run(
            ImageFetcher(limits(site), Names({HOST: [["127.0.0.1"]]}).resolve).fetch(site.url("/red.jpg"), take)
        )


def test_a_port_where_nobody_listens_is_a_sentence():
    settings = ServiceSettings.model_validate(
        {"image_hosts": f"{HOST}:1", "image_http": True, "image_networks": LOOPBACK}
    )
    with pytest.raises(UrlFailed, match="could not be asked"):
        fetched(settings, f"http://{HOST}:1/a.jpg")


def test_more_fetches_at_once_than_allowed_are_told_to_come_again_and_the_place_is_free_afterwards(site: Site):
    async def run() -> list[object]:
        fetcher = ImageFetcher(limits(site, image_fetches=2), Names({HOST: [["127.0.0.1"]]}).resolve)
        crowd = [fetcher.fetch(site.url("/silent"), [].append) for _ in range(3)]
        first = await asyncio.gather(*crowd, return_exceptions=True)
        return [*map(type, first), await fetcher.fetch(site.url("/red.jpg"), [].append)]

    assert asyncio.run(run()) == [UrlFailed, UrlFailed, Busy, photo("Red")]


def test_the_system_resolver_is_asked_where_none_is_given(site: Site):
    settings = limits(site, image_hosts=f"localhost:{site.port}", image_networks=f"{LOOPBACK},::1/128")

    async def run(chosen: ServiceSettings) -> bytes:
        return await ImageFetcher(chosen, backend=Wires()).fetch(f"http://localhost:{site.port}/red.jpg", [].append)

    assert asyncio.run(run(settings)) == photo("Red")
    with pytest.raises(UrlRefused, match="no public address"):
        asyncio.run(run(limits(site, image_hosts=f"localhost:{site.port}", image_networks="")))


def certificate(folder: Path, name: str) -> Path:
    """A key and a certificate for `name` that signs itself, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize(("name", "trusted"), [(HOST, True), ("other.example", True), (HOST, False)])
def test_over_tls_the_certificate_must_be_of_the_name_and_not_of_the_address(tmp_path: Path, name: str, trusted: bool):
    pem = certificate(tmp_path, name)
    heard: list[str] = []
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pem)
    serving.sni_callback = lambda _, sent, __: heard.append(sent)
    asking = ssl.create_default_context(cafile=str(pem)) if trusted else httpcore.default_ssl_context()
    with pictures(photo("Red"), serving) as site:
        settings = limits(site, image_http=False)
        url = f"https://{HOST}:{site.port}/red.jpg"
        if name == HOST and trusted:
            assert fetched(settings, url, tls=asking) == photo("Red")
            assert site.asked[-1][2]["host"] == f"{HOST}:{site.port}"
        else:
            with pytest.raises(UrlFailed, match="could not be asked"):
                fetched(settings, url, tls=asking)
            assert site.asked == []
    assert heard == [HOST]
