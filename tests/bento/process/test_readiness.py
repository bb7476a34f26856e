"""Not ready says why, keeps trying, and is ready again by itself."""

import time
from typing import Any

from starlette.testclient import TestClient

from bento.app import create_app
from bento.settings import ServiceSettings
from catalog.errors import EncoderMismatch, NotReady
from tests.bento.world import make_engine, tiny_encoder

QUICK = ServiceSettings(retry_seconds=0.05)


def wait_for(client: TestClient, path: str, status: int, seconds: float = 60.0) -> Any:
    """The reply of `path` once it has that status."""
    until = time.monotonic() + seconds
    while (reply := client.get(path)).status_code != status and time.monotonic() < until:
        time.sleep(0.02)
    assert reply.status_code == status, reply.text
    return reply


def test_while_the_collection_is_missing_everything_says_503_and_why_and_then_it_opens_by_itself():
    there = False

    def load() -> Any:
        if not there:
            raise NotReady("The collection products_r1 is not in the store.")
        return make_engine()

    with TestClient(create_app(load, release=lambda: "r1", settings=QUICK)) as client:
        time.sleep(0.1)
        for reply in (client.get("/readyz"), client.post("/search", json={"text": "red"}), client.get("/products/p0")):
            assert reply.status_code == 503
            assert reply.json() == {"error": "The collection products_r1 is not in the store.", "kind": "not_ready"}
            assert reply.headers["Retry-After"] == "2"
            assert reply.headers["X-Etalage-Release"] == "r1"
        assert client.get("/healthz").status_code == 200
        assert "etalage_ready 0.0" in client.get("/metrics").text
        there = True
        assert wait_for(client, "/readyz", 200).json()["status"] == "ready"
        assert client.post("/search", json={"text": "red"}).status_code == 200


def test_an_index_of_another_encoder_is_never_answered_from():
    def load() -> Any:
        raise EncoderMismatch("products_r1 was built by encoder aaaa, this release has encoder bbbb.")

    with TestClient(create_app(load, release=lambda: "r1", settings=QUICK)) as client:
        time.sleep(0.1)
        reply = client.post("/search", json={"text": "red"})
        assert (reply.status_code, reply.json()["error"]) == (
            503,
            "products_r1 was built by encoder aaaa, this release has encoder bbbb.",
        )


def test_probe_vectors_that_differ_keep_the_service_from_being_ready():
    class Drifted:
        def __getattr__(self, name: str) -> Any:
            return getattr(tiny_encoder(), name)

        def check_probes(self) -> float:
            raise NotReady("The encoder gives other vectors than when it was exported (worst cosine 0.97).")

    with TestClient(create_app(lambda: make_engine(Drifted()), settings=QUICK)) as client:
        time.sleep(0.1)
        assert "worst cosine 0.97" in client.get("/readyz").json()["error"]


def test_an_empty_collection_is_not_ready():
    with TestClient(create_app(lambda: make_engine(products=[]), settings=QUICK)) as client:
        time.sleep(0.3)
        reply = client.get("/readyz")
        assert (reply.status_code, "empty" in reply.json()["error"]) == (503, True)


def test_an_unexpected_failure_is_told_by_its_kind_alone_and_tried_again():
    tries = []

    def load() -> Any:
        tries.append(1)
        if len(tries) < 3:
            raise OSError("/secret/place: no such device")
        return make_engine()

    with TestClient(create_app(load, settings=ServiceSettings(retry_seconds=0.2))) as client:
        time.sleep(0.1)
        refused = client.get("/readyz").json()["error"]
        assert "OSError" in refused and "/secret" not in refused
        wait_for(client, "/readyz", 200)
        assert len(tries) == 3


def test_a_store_that_goes_away_makes_the_service_unready_and_coming_back_makes_it_ready():
    engine = make_engine()
    gone = False

    class Shaky:
        def __getattr__(self, name: str) -> Any:
            return getattr(engine, name)

        def search(self, query: Any) -> Any:
            if gone:
                raise NotReady("The store does not answer.")
            return engine.search(query)

    with TestClient(create_app(Shaky, settings=QUICK)) as client:
        wait_for(client, "/readyz", 200)
        gone = True
        time.sleep(1.1)  # one proof lasts a second
        refused = client.get("/readyz")
        assert (refused.status_code, "The store does not answer." in refused.json()["error"]) == (503, True)
        assert client.post("/search", json={"text": "red"}).status_code == 503
        gone = False
        wait_for(client, "/readyz", 200)


def test_a_probe_query_that_hangs_is_a_503_and_does_not_pile_up():
    engine = make_engine()
    hang = False
    asked = []

    class Hanging:
        def __getattr__(self, name: str) -> Any:
            return getattr(engine, name)

        def search(self, query: Any) -> Any:
            asked.append(1)
            if hang:
                time.sleep(2)
            return engine.search(query)

    with TestClient(create_app(Hanging, settings=ServiceSettings(probe_timeout=0.2))) as client:
        wait_for(client, "/readyz", 200)
        hang = True
        time.sleep(1.1)
        before = len(asked)
        for _ in range(5):
            assert "longer than 0.2 seconds" in client.get("/readyz").json()["error"]
        assert len(asked) == before + 1
