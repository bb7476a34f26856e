"""Who is let in: every endpoint, with every kind of key, and nobody where strangers reach a service without keys."""

import logging
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from bento.app import create_app
from bento.errors import REALM
from bento.guarding.door import Guard
from bento.openapi.security import NEEDS
from bento.settings import ServiceSettings
from bento.telling.json_lines import FIELDS
from catalog.shards import write_shards
from flows.keys import add_key, revoke_key
from search.keys import KeyScope
from tests.bento.process.test_readiness import wait_for
from tests.bento.tiny_encoder import photo
from tests.bento.world import make_engine

REQUESTS: dict[str, tuple[str, str, Any]] = {
    "/search": ("POST", "/search", {"text": "red", "k": 1}),
    "/similar": ("POST", "/similar", {"id": "p0", "k": 1}),
    "/products/{id}": ("GET", "/products/p0", None),
    "/pictures/{id}": ("GET", "/pictures/red", None),
    "/feedback": ("POST", "/feedback", {"events": [{"request_id": "q", "product_id": "p0", "action": "click"}]}),
    "/metrics": ("GET", "/metrics", None),
}
OPEN = ("/", "/page/{name}", "/openapi.json", "/healthz", "/livez", "/readyz")


@cache
def one_picture() -> Path:
    """A folder of packed media with the picture "red"."""
    folder = Path(tempfile.mkdtemp(prefix="etalage-media-"))
    write_shards([("red", photo("Red"))], folder)
    return folder


@contextmanager
def started(bound: str = "127.0.0.1", **settings: Any) -> Iterator[TestClient]:
    """A started service that listens on `bound`."""
    limits = ServiceSettings(pictures=one_picture(), **settings)
    app = create_app(make_engine, release=lambda: "r1", settings=limits, bound=lambda: (bound,))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def ask(client: TestClient, path: str, **headers: str) -> Any:
    method, place, body = REQUESTS[path]
    return client.request(method, place, json=body, headers={name.replace("_", "-"): headers[name] for name in headers})


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "keys.json"


@pytest.fixture(scope="module")
def secrets(path: Path) -> dict[str, str]:
    held: dict[str, tuple[KeyScope, ...]] = {
        "search": ("search",), "feedback": ("feedback",), "both": ("search", "feedback"), "admin": ("admin",),
        "revoked": ("admin",),
    }  # fmt: skip
    made = {name: add_key(path, name, scopes) for name, scopes in held.items()}
    revoke_key(path, made["revoked"][0].id)
    return {name: secret for name, (_, secret) in made.items()}


@pytest.fixture(scope="module")
def closed(path: Path, secrets: dict[str, str]) -> Iterator[TestClient]:
    with started("0.0.0.0", keys=path, wrong_keys=0) as client:
        wait_for(client, "/readyz", 200)
        yield client


@pytest.mark.parametrize("path_asked", REQUESTS)
@pytest.mark.parametrize(
    ("holder", "search", "feedback", "admin"),
    [
        ("search", 200, 403, 403),
        ("feedback", 403, 200, 403),
        ("both", 200, 200, 403),
        ("admin", 200, 200, 200),
        ("revoked", 401, 401, 401),
        ("stranger", 401, 401, 401),
    ],
)
def test_a_key_opens_what_its_scopes_name(
    closed: TestClient, secrets: dict[str, str], path_asked: str, holder: str, search: int, feedback: int, admin: int
):
    secret = secrets.get(holder, "etalage_00000000_" + "0" * 64)
    status = {"search": search, "feedback": feedback, "admin": admin}[NEEDS[path_asked]]
    for header in (
        {"Authorization": f"Bearer {secret}"},
        {"authorization": f"bEARER  {secret} "},
        {"X_Api_Key": secret},
    ):
        reply = ask(closed, path_asked, **header)
        assert reply.status_code == status, reply.text
        if status != 200:
            assert reply.json()["kind"] == {401: "unauthorized", 403: "forbidden"}[status]
            assert reply.headers["WWW-Authenticate"].startswith(f'Bearer realm="{REALM}", error="in')
            assert secret not in reply.text and reply.headers["X-Request-Id"]


@pytest.mark.parametrize("path_asked", REQUESTS)
@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": "Basic dTpw"}, {"X_Api_Key": " "}],
    ids=str,
)
def test_no_key_is_a_401_that_says_how_to_send_one(closed: TestClient, path_asked: str, headers: dict[str, str]):
    reply = ask(closed, path_asked, **headers)
    assert (reply.status_code, set(reply.json())) == (401, {"error", "kind"})
    assert reply.headers["WWW-Authenticate"] == f'Bearer realm="{REALM}"'
    assert "Authorization: Bearer" in reply.json()["error"]


def test_the_same_key_twice_is_one_and_two_different_ones_are_none(closed: TestClient, secrets: dict[str, str]):
    one, other = secrets["search"], secrets["admin"]
    assert ask(closed, "/search", Authorization=f"Bearer {one}", X_Api_Key=one).status_code == 200
    assert ask(closed, "/search", Authorization=f"Bearer {one}", X_Api_Key=other).status_code == 401
    assert ask(closed, "/search", Authorization="Basic dTpw", X_Api_Key=one).status_code == 200


def test_every_route_is_guarded_or_open_on_purpose_and_openapi_says_the_same(closed: TestClient):
    needs = {}
    for route in closed.app.routes:
        assert isinstance(route, Route)
        if isinstance(route.app, Guard):
            needs[re.sub(r"\{\w+_id(:path)?\}", "{id}", route.path)] = route.app.need
        else:
            assert route.path in OPEN, f"{route.path} asks for no key"
    assert needs == NEEDS
    document = closed.get("/openapi.json").json()
    assert set(document["components"]["securitySchemes"]) == {"bearer", "header"}
    for shown, operations in document["paths"].items():
        for operation in operations.values():
            wanted = [{"bearer": [NEEDS[shown]]}, {"header": [NEEDS[shown]]}] if shown in NEEDS else None
            assert operation.get("security") == wanted
            assert ({"401", "403"} <= set(operation["responses"])) is (shown in NEEDS)


@pytest.mark.parametrize("place", OPEN)
def test_health_readiness_the_page_and_the_document_need_no_key(closed: TestClient, place: str):
    assert closed.get(place.format(name="main.js")).status_code == 200


def test_a_body_is_not_read_before_its_sender_is_known(closed: TestClient):
    reply = closed.post("/search", content=b"[" * 50_000_000, headers={"content-type": "application/json"})
    assert reply.status_code == 401  # and not 413


def test_the_log_names_the_key_and_never_its_secret(
    closed: TestClient, secrets: dict[str, str], caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.INFO):
        ask(closed, "/search", Authorization=f"Bearer {secrets['search']}")
        ask(closed, "/search", X_Api_Key="etalage_00000000_" + "7" * 64)
    lines = [getattr(record, FIELDS) for record in caplog.records if record.name == "etalage.access"]
    assert [(line["status"], line.get("key")) for line in lines] == [
        (200, secrets["search"].split("_")[1]),
        (401, None),
    ]
    assert secrets["search"] not in caplog.text and "7" * 64 not in caplog.text


def test_without_keys_loopback_is_open_and_the_log_says_so_loudly(caplog: pytest.LogCaptureFixture):
    with started("127.0.0.1") as client:
        wait_for(client, "/readyz", 200)
        assert [ask(client, asked).status_code for asked in REQUESTS] == [200] * len(REQUESTS)
    told = [record for record in caplog.records if "API KEYS ARE OFF" in record.message]
    assert [(record.levelname, "127.0.0.1" in record.message) for record in told] == [("WARNING", True)]


@pytest.mark.parametrize("bound", ["0.0.0.0", "::", "10.0.0.7"])
def test_without_keys_an_address_that_strangers_reach_is_never_ready_until_there_is_a_key(
    bound: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setenv("ETALAGE_HOME", str(tmp_path))
    with started(bound) as client:
        for reply in (client.get("/readyz"), *(ask(client, asked) for asked in REQUESTS)):
            assert (reply.status_code, reply.json()["kind"]) == (503, "not_ready")
            assert "has no API keys: make one with `etalage keys add`" in reply.json()["error"]
        assert client.get("/healthz").status_code == 200
        assert [r.levelname for r in caplog.records if bound in r.message and "as root" not in r.message] == [
            "ERROR"
        ]  # once
        _, secret = add_key(tmp_path / "keys.json", "web", ("search",))
        wait_for(client, "/readyz", 200)
        assert ask(client, "/search", X_Api_Key=secret).status_code == 200
        assert ask(client, "/search").status_code == 401


def test_a_socket_that_was_opened_after_the_start_lets_no_stranger_in():
    with started("127.0.0.1") as client:
        wait_for(client, "/readyz", 200)
        for base, status in (("http://10.0.0.7", 503), ("http://[2001:db8::7]", 503), ("http://127.0.0.1", 200)):
            assert client.post(f"{base}/search", json={"text": "red"}).status_code == status


def test_keys_come_and_go_without_a_restart_and_a_broken_file_lets_nobody_in(tmp_path: Path):
    path = tmp_path / "keys.json"
    old, old_secret = add_key(path, "web", ("search",))
    with started(keys=path) as client:
        wait_for(client, "/readyz", 200)

        def statuses(*held: str) -> list[int]:
            return [ask(client, "/search", Authorization=f"Bearer {secret}").status_code for secret in held]

        assert statuses(old_secret) == [200]
        _, new_secret = add_key(path, "web", ("search",))
        assert statuses(old_secret, new_secret) == [200, 200]
        revoke_key(path, old.id)
        assert statuses(old_secret, new_secret) == [401, 200]
        good = path.read_bytes()
        path.write_bytes(good[:-9])
        refused = ask(client, "/search", X_Api_Key=new_secret)
        assert (refused.status_code, client.get("/readyz").status_code) == (503, 503)
        assert refused.json() == {"error": "The service is not ready; its log has the reason.", "kind": "not_ready"}
        path.unlink()
        assert statuses(old_secret, new_secret, "") == [503, 503, 503]
        path.write_bytes(good)
        assert statuses(old_secret, new_secret) == [401, 200]


def test_a_key_that_asks_too_often_is_told_when_to_come_back_and_others_are_not_held_up(
    path: Path, secrets: dict[str, str]
):
    with started(keys=path, rate=0.4, burst=3) as client:
        wait_for(client, "/readyz", 200)
        replies = [ask(client, "/search", X_Api_Key=secrets["search"]) for _ in range(4)]
        assert [reply.status_code for reply in replies] == [200, 200, 200, 429]
        assert replies[-1].json()["kind"] == "rate_limited"
        assert replies[-1].headers["Retry-After"] == "3"  # 1 / 0.4 s, rounded up
        assert ask(client, "/products/{id}", X_Api_Key=secrets["search"]).status_code == 429
        assert ask(client, "/search", X_Api_Key=secrets["both"]).status_code == 200
        assert [ask(client, "/metrics", X_Api_Key=secrets["admin"]).status_code for _ in range(5)] == [200] * 5
        assert client.get("/healthz").status_code == 200


def test_without_keys_each_address_has_its_own_rate_and_an_ipv6_network_is_one():
    app = create_app(make_engine, settings=ServiceSettings(rate=0.001, burst=1), bound=lambda: ("127.0.0.1",))

    def status(address: str) -> int:
        return ask(TestClient(app, client=(address, 1)), "/products/{id}").status_code

    with TestClient(app) as client:
        wait_for(client, "/readyz", 200)
        asked = ["10.0.0.1", "10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "x", "y"]
        assert [status(address) for address in asked] == [200, 429, 200, 200, 429, 200, 200, 429]


def test_without_a_rate_nobody_is_held_up(closed: TestClient, secrets: dict[str, str]):
    assert {ask(closed, "/products/{id}", X_Api_Key=secrets["search"]).status_code for _ in range(60)} == {200}


def test_an_address_that_sends_wrong_keys_is_told_to_wait_and_right_keys_from_it_go_on(
    path: Path, secrets: dict[str, str]
):
    with started("0.0.0.0", keys=path, wrong_keys=5) as client:
        wait_for(client, "/readyz", 200)
        told = [ask(client, "/products/{id}", X_Api_Key=f"etg_{guess:064x}") for guess in range(8)]
        assert [answer.status_code for answer in told] == [401] * 5 + [429] * 3
        assert told[-1].json() == {
            "error": "Too many wrong API keys from this address: Retry-After says when.",
            "kind": "rate_limited",
        }
        assert 1 <= int(told[-1].headers["Retry-After"]) <= 12
        assert ask(client, "/products/{id}").status_code == 401  # no key is no guess
        assert ask(client, "/products/{id}", X_Api_Key=secrets["search"]).status_code == 200
        assert ask(client, "/products/{id}", X_Api_Key=secrets["revoked"]).status_code == 429


def test_wrong_keys_are_without_limit_only_where_the_setting_says_so(path: Path, secrets: dict[str, str]):
    with started("0.0.0.0", keys=path, wrong_keys=0) as client:
        wait_for(client, "/readyz", 200)
        told = [ask(client, "/products/{id}", X_Api_Key="guess").status_code for _ in range(50)]
        assert set(told) == {401}


@pytest.mark.parametrize(
    ("user", "bound", "told"), [(0, "0.0.0.0", True), (0, "127.0.0.1", False), (1034, "::", False)]
)
def test_a_service_that_strangers_reach_says_when_it_runs_as_root(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, user: int, bound: str, told: bool
):
    monkeypatch.setattr("os.geteuid", lambda: user)
    with caplog.at_level(logging.WARNING, logger="etalage.service"), started(bound, keys=path):
        assert ("runs as root and strangers reach it" in caplog.text) == told
