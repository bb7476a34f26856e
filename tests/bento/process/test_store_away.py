"""A network store that hangs, dies and comes back under a service that runs: a real server process, and no mock."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from bento.app import create_app
from bento.process.opening import ReleaseOpener
from bento.settings import ServiceSettings
from catalog.errors import NotReady, StoreAway
from search.contents import sealed
from search.deadline import answered_by
from search.logic import SearchLogic
from search.milvus.store import MilvusStore
from search.release import write_manifest
from tests.bento.process.test_readiness import wait_for
from tests.bento.tiny_encoder import write_tiny_encoder
from tests.bento.world import catalogue, make_manifest, make_rows
from tests.search.milvus_server import MilvusServer

pytestmark = pytest.mark.slow

WITHIN = 1.0
"""ETALAGE_MILVUS_QUERY_TIMEOUT_S of these tests."""
HANGS = "The product store does not answer in time; queries are answered again as soon as it does."
GONE = "The product store cannot be reached; queries are answered again as soon as it does."


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MilvusServer, Path]]:
    """A server with the collection of a release, and the folder of that release."""
    folder = tmp_path_factory.mktemp("release")
    server = MilvusServer(tmp_path_factory.mktemp("server")).start()
    encoder = write_tiny_encoder(folder / "encoder")
    SearchLogic().save(folder / "ranking")
    store = MilvusStore(server.uri)
    name = store.write(make_rows(catalogue(), encoder), "r1")
    store.close()
    write_manifest(sealed(make_manifest("r1", encoder.fingerprint, name), folder), folder)
    try:
        yield server, folder
    finally:
        server.stop()


@pytest.fixture
def server(written: tuple[MilvusServer, Path]) -> MilvusServer:
    return written[0]


@pytest.fixture
def client(written: tuple[MilvusServer, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A client of a ready service that asks the server."""
    server, folder = written
    monkeypatch.setenv("ETALAGE_MILVUS_URI", server.uri)
    monkeypatch.setenv("ETALAGE_MILVUS_QUERY_TIMEOUT_S", str(WITHIN))
    opener = ReleaseOpener(folder)
    settings = ServiceSettings(retry_seconds=0.2)
    with TestClient(create_app(opener, release=opener.release, settings=settings)) as client:
        wait_for(client, "/readyz", 200, seconds=30)
        assert ask(client).status_code == 200
        yield client


def ask(client: TestClient) -> Any:
    return client.post("/search", json={"text": "red dress", "k": 3})


def assert_refused(client: TestClient, sentence: str) -> None:
    for reply in (ask(client), client.get("/products/p0"), client.get("/readyz")):
        assert reply.status_code == 503
        assert reply.json() == {"error": sentence, "kind": "not_ready"}
        assert reply.headers["Retry-After"] == "2"
    assert client.get("/healthz").status_code == 200
    assert "etalage_ready 0.0" in client.get("/metrics").text


def assert_resumes(client: TestClient, hits: Any) -> None:
    wait_for(client, "/readyz", 200, seconds=30)
    assert ask(client).json()["hits"] == hits
    assert "etalage_ready 1.0" in client.get("/metrics").text


def test_while_the_server_hangs_queries_are_told_so_in_time_then_at_once_and_answered_when_it_goes_on(
    client: TestClient, server: MilvusServer
):
    hits = ask(client).json()["hits"]
    server.hang()
    try:
        started = time.monotonic()
        with ThreadPoolExecutor(6) as callers:
            replies = list(callers.map(lambda _: ask(client), range(6)))  # more than there are threads
        assert time.monotonic() - started < 10 * WITHIN  # the service's own bound, and no 20 s of a writer
        assert {reply.status_code for reply in replies} <= {429, 503}
        assert HANGS in {reply.json()["error"] for reply in replies}
        assert_refused(client, HANGS)
    finally:
        server.go_on()
    assert_resumes(client, hits)


def test_a_probe_finds_a_store_that_nobody_asks(client: TestClient, server: MilvusServer):
    server.hang()
    try:
        assert wait_for(client, "/readyz", 503).json()["error"] == HANGS
        assert_refused(client, HANGS)
    finally:
        server.go_on()
    wait_for(client, "/readyz", 200, seconds=30)


def test_a_server_that_was_killed_is_missed_and_one_that_was_started_again_is_asked_again(
    client: TestClient, server: MilvusServer
):
    hits = ask(client).json()["hits"]
    server.kill()
    try:
        assert ask(client).status_code == 503
        assert_refused(client, GONE)
        time.sleep(2)  # the service tries in vain meanwhile
        assert_refused(client, GONE)
    finally:
        server.start()
    assert_resumes(client, hits)


def test_a_collection_that_the_server_no_longer_has_in_memory_is_loaded_again(client: TestClient, server: MilvusServer):
    hits = ask(client).json()["hits"]
    store = MilvusStore(server.uri)
    with store.asked("r1") as collection:
        collection._client.release_collection(collection.name)
    store.close()
    reply = ask(client)
    assert (reply.status_code, "loaded" in reply.json()["error"]) == (503, True)
    assert_resumes(client, hits)


def test_a_query_whose_time_is_over_asks_no_more_and_takes_nobody_with_it(client: TestClient, server: MilvusServer):
    store = MilvusStore(server.uri)
    collection = store.open("r1")
    with answered_by(time.monotonic() - 1), pytest.raises(NotReady, match="time was over") as refused:
        collection.products(["p0"])
    assert not isinstance(refused.value, StoreAway)
    store.close()
    assert ask(client).status_code == 200


def test_a_hung_server_holds_up_an_opening_no_longer_than_its_time_limits(server: MilvusServer):
    server.hang()
    raised: list[Exception] = []

    def open_it() -> None:
        store = MilvusStore(server.uri, timeout_s=20.0, query_timeout_s=0.5)
        try:
            store.open("r1")
        except StoreAway as error:
            raised.append(error)
        finally:
            store.close()

    try:
        opening = threading.Thread(target=open_it)
        opening.start()
        opening.join(15)
        assert not opening.is_alive() and len(raised) == 1
    finally:
        server.go_on()
