"""API keys, limits and headers of a Bento that `bentoml serve` serves, over the wire."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from bento.guarding.headers import ON_EVERY_ANSWER
from flows.keys import add_key, revoke_key
from search.keys import KeyScope
from tests.bento.running import Shop, serving

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Closed:
    """A running service with API keys."""

    client: httpx.Client
    port: int
    keys: Path
    log: Path

    def new_key(self, *scopes: KeyScope) -> dict[str, str]:
        """The header of a key that did not exist when the service was started, and has a rate of its own."""
        return {"Authorization": f"Bearer {add_key(self.keys, 'test', scopes)[1]}"}


@pytest.fixture(scope="module")
def closed(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    folder = tmp_path_factory.mktemp("closed")
    keys, log = folder / "keys.json", folder / "service.log"
    add_key(keys, "first", ("admin",))
    limits = {"ETALAGE_SERVICE_RATE": "0.2", "ETALAGE_SERVICE_BURST": "6"}
    with serving(shop, log, ETALAGE_SERVICE_KEYS=str(keys), **limits) as running:
        yield Closed(running.client, running.port, keys, log)


EVENT = {"request_id": "q", "product_id": "p0", "action": "click"}


def statuses(closed: Closed, headers: dict[str, str]) -> tuple[int, int, int, int]:
    """Of a search, a product, feedback and the metrics."""
    search = closed.client.post("/search", json={"text": "red dress", "k": 1}, headers=headers)
    product = closed.client.get("/products/p0", headers=headers)
    feedback = closed.client.post("/feedback", json={"events": [EVENT]}, headers=headers)
    metrics = closed.client.get("/metrics", headers=headers)
    return search.status_code, product.status_code, feedback.status_code, metrics.status_code


def test_each_scope_opens_its_endpoints_and_a_key_made_now_works_now(closed: Closed):
    assert statuses(closed, {}) == (401, 401, 401, 401)
    assert statuses(closed, closed.new_key("search")) == (200, 200, 403, 403)
    assert statuses(closed, closed.new_key("feedback")) == (403, 403, 200, 403)
    assert statuses(closed, closed.new_key("admin")) == (200, 200, 200, 200)
    assert [closed.client.get(path).status_code for path in ("/healthz", "/livez", "/readyz", "/")] == [200] * 4


def test_a_key_that_is_revoked_now_is_refused_now(closed: Closed):
    key, secret = add_key(closed.keys, "test", ("search",))
    assert statuses(closed, {"X-Api-Key": secret})[0] == 200
    revoke_key(closed.keys, key.id)
    assert statuses(closed, {"X-Api-Key": secret})[0] == 401


def test_a_key_over_its_rate_is_told_when_to_come_back(closed: Closed):
    headers = closed.new_key("search")
    replies = [closed.client.get("/products/p0", headers=headers) for _ in range(8)]
    assert [reply.status_code for reply in replies[:6]] == [200] * 6 and replies[-1].status_code == 429
    assert 1 <= int(replies[-1].headers["Retry-After"]) <= 5
    assert closed.client.get("/products/p0", headers=closed.new_key("search")).status_code == 200


@pytest.mark.parametrize("path", ["/", "/healthz", "/search", "/metrics", "/nothing", "/products/p0", "/%2e%2e/x"])
def test_no_answer_has_a_banner_and_every_answer_has_the_headers(closed: Closed, path: str):
    reply = closed.client.get(path)
    assert {name: reply.headers.get(name) for name in ON_EVERY_ANSWER} == ON_EVERY_ANSWER
    assert "content-security-policy" in reply.headers
    for name in ("server", "x-powered-by", "via"):
        assert name not in reply.headers
    assert "bentoml" not in str(reply.headers).lower() and "uvicorn" not in str(reply.headers).lower()


HANDSHAKE = "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        "NONSENSE\r\n\r\n",
        "GET /search HTTP/1.1\r\nHost: a\r\nBad Header\r\n\r\n",
        "POST /search HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        f"GET /search HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n{HANDSHAKE}\r\n",
        f"GET /docs.json HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n{HANDSHAKE}\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "TRACE /search HTTP/1.1\r\nHost: a\r\nCookie: secret=1\r\n\r\n",
    ],
)
def test_what_is_hardly_http_gets_a_4xx_without_a_banner_a_path_or_a_trace(closed: Closed, raw: str):
    with socket.create_connection(("127.0.0.1", closed.port), timeout=10) as wire:
        wire.sendall(raw.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1).encode())
        wire.settimeout(3)
        answer = b""
        try:
            while piece := wire.recv(65536):
                answer += piece
        except TimeoutError:
            pass
    words = answer.decode("latin-1").lower()
    assert words.split()[1].startswith("4"), words
    for told in ("server:", "uvicorn", "bentoml", "python", "traceback", "site-packages", "secret=1", str(closed.keys)):
        assert told not in words


def test_the_log_says_that_keys_are_on_and_holds_no_secret(closed: Closed):
    headers = closed.new_key("search")
    statuses(closed, headers)
    words = closed.log.read_text()
    assert "API keys are on" in words and "API KEYS ARE OFF" not in words
    assert headers["Authorization"].split("_")[2] not in words


def test_a_worker_knows_the_address_it_listens_on_and_says_that_keys_are_off(shop: Shop, tmp_path: Path):
    own = replace(shop, home=tmp_path / "home")  # with the same content: others search the shop without keys
    own.home.mkdir()
    for content in shop.home.iterdir():
        (own.home / content.name).symlink_to(content)
    with serving(own, tmp_path / "log") as running:
        assert running.client.post("/search", json={"text": "red dress", "k": 1}).status_code == 200
        assert "API KEYS ARE OFF, listening on 127.0.0.1:" in " ".join((tmp_path / "log").read_text().split())
        # the same service closes itself as soon as there is a key in its home
        _, secret = add_key(own.home / "keys.json", "web", ("search",))
        for headers, status in (({}, 401), ({"X-Api-Key": secret}, 200)):
            assert running.client.get("/products/p0", headers=headers).status_code == status
