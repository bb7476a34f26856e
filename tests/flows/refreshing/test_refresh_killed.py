"""kill -9 of the process that refreshes, at every step: run again, it ends where it would have; a service follows."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.products import Product
from flows.opening import open_engine
from flows.refreshing.steps import Refresh
from flows.releases import ChampionRecord, ReleaseStore
from search.milvus.store import MilvusStore
from search.refreshes import records
from tests.bento.running import make_shop
from tests.bento.world import catalogue as shop
from tests.flows.refreshing.refresh_worlds import RELEASE, World, assert_same, catalogue
from tests.flows.refreshing.test_refreshing import STEPS, assert_each_is_old_or_new, changed
from tests.flows.serving.rolling import NEW_PRICES, OLD, Client, supervised, until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PROGRAM = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from flows.opening import milvus
    from flows.refreshing.steps import Refresh
    from flows.releases import ReleaseStore
    from catalog.snapshot import snapshot_id

    def reached(step):
        print(step, flush=True)
        if step == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGKILL)

    Refresh(ReleaseStore(Path(".etalage").absolute()), milvus(), snapshot_id()).run("md5", reached)
""")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that are started here work in this folder, whatever the environment names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ETALAGE_HOME", str(tmp_path / ".etalage"))


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_and_run_again_it_ends_where_it_would_have(tmp_path: Path, step: str):
    world = World(tmp_path, MilvusStore(str(tmp_path / ".etalage" / "milvus" / "etalage.db")))
    world.make_champion(catalogue())
    world.ingest(changed())
    killed = subprocess.run(
        [sys.executable, "-c", PROGRAM, step],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert killed.stdout.splitlines()[-1] == step
    assert_each_is_old_or_new(world)
    assert open_engine(world.releases, RELEASE, world.collections).collection.count() >= 36  # a service could start
    world.refresh().run("md5")
    assert_same(world.rows(), world.full_build(changed()))
    assert world.collections.held(RELEASE).freshness == (1, 0)
    assert [(record.number, record.status) for record in records(world.release)] == [(1, "done")]


def many(price: float) -> list[Product]:
    """Enough products that writing them takes a while."""
    return [replace(each, id=f"{each.id}-{copy}", price=price) for copy in range(60) for each in catalogue()]


@pytest.mark.parametrize("seed", range(4))
def test_killed_in_the_middle_of_writing_each_product_is_old_or_new(tmp_path: Path, seed: int):
    world = World(tmp_path, MilvusStore(str(tmp_path / ".etalage" / "milvus" / "etalage.db")))
    world.make_champion(many(1.0))
    world.ingest(many(2.0)[37:])
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, "never"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "begun\n" in iter(process.stdout.readline, "")
        time.sleep(random.Random(seed).uniform(0.0, 0.4))
        process.kill()
    found = world.rows()
    assert {payload["price"] for payload in found.payloads} <= {1.0, 2.0}
    assert {product.id for product in many(2.0)[37:]} <= set(found.ids)
    world.refresh().run("md5")
    assert_same(world.rows(), world.full_build(many(2.0)[37:]))
    assert world.collections.held(RELEASE).freshness == (1, 0)


def test_a_service_that_runs_follows_a_refresh_without_a_lost_or_mixed_answer(tmp_path: Path):
    home = tmp_path / "home"
    cheap = [replace(product, images=(), price=product.price or 1.0) for product in shop()]
    dear = [replace(product, price=NEW_PRICES + (product.price or 0.0)) for product in cheap]
    made = make_shop(home, OLD, cheap)
    store = ReleaseStore(home)
    store.write_champion(ChampionRecord(release=OLD, since="2026-11-21T00:00:00+00:00", by="a test"))
    world = World(tmp_path, made.store)
    with supervised(home, tmp_path / "serve.log", PYTHONPATH=str(ROOT)) as running:
        clients = [Client(running.port, keep=True), Client(running.port, keep=False, rest=0.05)]
        until(lambda: all(client.answers for client in clients))
        done = Refresh(store, made.store, world.ingest(dear)).run("md5")
        running.wait_for(rf"release {OLD}\+1 answers instead of {OLD}")
        running.wait_for(f"release {OLD} has drained")
        counts = [len(client.answers) for client in clients]
        until(lambda: all(len(client.answers) > n + 1 for client, n in zip(clients, counts, strict=True)))
        for client in clients:
            client.end()
    assert (done.changes.scalars, done.encoded) == (37, 0)
    answers = [answer for client in clients for answer in client.answers]
    assert [client.lost for client in clients] == [[], []]
    assert {(answer.status, answer.release) for answer in answers} == {(200, OLD)}
    assert all(len({price >= NEW_PRICES for price in answer.prices}) == 1 for answer in answers)
    for client in clients:
        assert client.answers[0].prices[0] < NEW_PRICES <= client.answers[-1].prices[0]
