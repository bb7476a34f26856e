"""Answers of a real `etalage serve` are explained, and what it serves survives `etalage gc`: real processes."""

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import NotReady
from flows.packaging import is_packaged
from flows.promotion import promote
from flows.releases import ReleaseStore
from flows.retention.belongings import gather
from flows.retention.disposal import collect
from flows.retention.keeping import fates
from flows.serving.workers import start_worker
from search.in_use import alone, is_served
from search.milvus.store import MilvusStore
from tests.bento.running import make_shop
from tests.bento.world import catalogue
from tests.flows.serving.rolling import NEW, OLD, Supervised, supervised, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases; OLD was promoted."""
    home = tmp_path_factory.mktemp("served") / ".etalage"
    cheap = [replace(product, price=1.0) for product in catalogue()]
    with ThreadPoolExecutor() as both:
        list(both.map(make_shop, (home, home), (OLD, NEW), (cheap, catalogue())))
    promote(ReleaseStore(home), store_of(home), OLD, by="a test")
    return home


def store_of(home: Path) -> MilvusStore:
    return MilvusStore(str(home / "milvus" / "etalage.db"))


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Supervised]:
    with supervised(home, home / "serve.log", "--release", OLD) as running:
        yield running


def post(port: int, path: str, body: dict[str, Any], request: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", path, json.dumps(body), {"content-type": "application/json", "X-Request-Id": request})
    content: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return content


def etalage(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ETALAGE_HOME": str(home), "COLUMNS": "160"}
    return subprocess.run(
        [sys.executable, "-m", "flows", *arguments], env=environment, capture_output=True, text=True, timeout=120
    )


def test_a_worker_holds_its_release_from_its_start_until_it_ends_and_its_supervisor_does_not(home: Path) -> None:
    async def story() -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            worker = await start_worker(OLD, home, listener, lambda: None)
            assert is_served(home, OLD)  # before any code of its Bento has run
            worker.kill()
            await worker.gone()
            until(lambda: not is_served(home, OLD))
            with alone(home, OLD) as free:
                assert free
                with pytest.raises(NotReady, match="is being removed"):
                    await start_worker(OLD, home, listener, lambda: None)

    asyncio.run(story())


def test_an_answer_over_http_is_explained_with_its_hits_and_its_release(served: Supervised) -> None:
    answer = post(served.port, "/search", {"text": "red dress", "k": 3, "filters": {"in_stock": True}}, "order-66")
    post(served.port, "/similar", {"id": "p0", "k": 2}, "order-67")
    until(lambda: etalage(served.home, "why", "--answer", "order-67").returncode == 0)
    told = json.loads(etalage(served.home, "why", "--answer", "order-66", "--json").stdout)
    (line,), (release,) = told["answers"], told["releases"]
    assert line["ids"] == [hit["id"] for hit in answer["hits"]]
    assert (line["release"], release["release"], release["state"]) == (OLD, OLD, "champion")
    assert (line["kind"], line["language"], line["filters"], line["k"]) == ("text", "en", ["in_stock"], 3)
    assert "red dress" not in json.dumps(line)


def test_what_users_did_with_an_answer_is_taken_over_http_and_explained_with_it(served: Supervised) -> None:
    first = post(served.port, "/search", {"text": "red dress", "k": 3}, "order-68")["hits"][0]["id"]
    event = {"request_id": "order-68", "product_id": first, "action": "click", "rank": 1, "user_id": "jane"}
    assert post(served.port, "/feedback", {"events": [event]}, "report-1") == {"kept": 1, "repeated": 0}
    assert post(served.port, "/feedback", {"events": [event]}, "report-2") == {"kept": 0, "repeated": 1}
    until(lambda: etalage(served.home, "why", "--answer", "order-68").returncode == 0)
    told = json.loads(etalage(served.home, "why", "--answer", "order-68", "--json").stdout)
    (line,) = told["reported"]
    del line["time"]
    assert line == {name: event[name] for name in event if name != "user_id"}


def test_what_is_served_is_not_removed_though_it_is_no_champion_nor_the_one_before(served: Supervised) -> None:
    store, collections = ReleaseStore(served.home), store_of(served.home)
    alone = store.champion().model_copy(update={"release": NEW, "earlier": ()})  # type: ignore[union-attr]
    collections.point_alias(NEW)
    store.write_champion(alone)
    told = {fate.name: fate.why for fate in fates(gather(store, collections), 0)}
    assert told == {OLD: "it is being served", NEW: "champion"}
    collect(store, collections, 0, by="a test")
    assert store.ids() == [OLD, NEW] and is_packaged(OLD, served.home)
    assert post(served.port, "/search", {"text": "red dress"}, "again")["release"] == OLD

    (worker,) = served.workers()
    os.kill(worker, signal.SIGKILL)  # it holds nothing any more; the supervisor starts another, which does
    until(lambda: not is_served(served.home, OLD) or served.workers() != [worker])
    until(lambda: served.probe() == OLD, served.says)
    assert is_served(served.home, OLD)


def test_killed_with_its_supervisor_it_is_served_no_more_and_goes_and_its_answers_are_still_explained(
    served: Supervised,
) -> None:
    store, collections = ReleaseStore(served.home), store_of(served.home)
    workers = served.workers()
    served.process.kill()
    served.process.wait()
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    until(lambda: not is_served(served.home, OLD))
    dry = etalage(served.home, "gc", "--keep", "0", "--dry-run")
    assert dry.returncode == 0 and "would go" in dry.stdout, dry.stderr
    assert store.ids() == [OLD, NEW]
    done = etalage(served.home, "gc", "--keep", "0", "--by", "A. Person")
    assert done.returncode == 0 and "removed" in done.stdout, done.stderr
    assert store.ids() == [NEW] and not is_packaged(OLD, served.home)
    assert [stored.release for stored in collections.releases()] == [NEW]
    told = json.loads(etalage(served.home, "why", "--answer", "order-66", "--json").stdout)
    assert (told["releases"][0]["state"], told["releases"][0]["retired"]["by"]) == ("retired", "A. Person")
