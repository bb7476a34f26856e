"""Deployments on a real Prefect server with a real worker: by the clock, by events, one run at a time.

python -m pytest tests/pipeline/test_schedules.py

A retrain with nothing to do is a whole run of the flow and costs seconds, so that is what runs here.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from tests.flows.notifying.receivers import web_server
from tests.pipeline.prefect_api import Run, Server
from tests.pipeline.workspace import TINY, Workspace

pytestmark = pytest.mark.slow

EVERY_FEW_SECONDS = "* * * * * */15"
GATHER = "15"  # seconds; longer than two commands take that emit events


@pytest.fixture(scope="module")
def trained(workspace: Workspace, shop: Path) -> Workspace:
    """With a champion, and nothing to do for a retrain."""
    if workspace.champion() is None:
        assert workspace.run("ingest", str(shop)).code == 0
        tiny = [part for key, value in TINY.items() for part in ("--set", f"{key}={value}")]
        done = workspace.run("retrain", *tiny)
        assert done.code == 0, done.err[-4000:]
    return workspace


@pytest.fixture(scope="module")
def prefect(server: str) -> Server:
    return Server(server)


@pytest.fixture(scope="module")
def worker(trained: Workspace, prefect: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """`prefect worker start` in the workspace; gives its log. The deployments are there, without a schedule."""
    assert trained.run("deploy", "--cron", "", "--gather", GATHER).code == 0
    home = tmp_path_factory.mktemp("worker")
    environment = {**trained.environment, "PREFECT_HOME": str(home), "PREFECT_WORKER_QUERY_SECONDS": "1"}
    with (home / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "worker", "start", "--pool", "etalage"],
            cwd=trained.folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield home / "worker.log"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def at(run: Run, which: str) -> datetime:
    return datetime.fromisoformat(run[which])


def test_another_snapshot_is_announced_and_the_same_one_is_not(
    trained: Workspace, prefect: Server, shop: Path, tiny_shop: Path
) -> None:
    known = prefect.announced()
    for source in (tiny_shop, tiny_shop, shop):
        assert trained.run("ingest", str(source)).code == 0
        if source == tiny_shop:
            snapshot = json.loads((trained.folder / "data" / "snapshot.json").read_text())["id"]
    deadline = time.monotonic() + 60  # the server writes them down a little later
    while len(prefect.announced()) < len(known) + 2 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert len(prefect.announced()) == len(known) + 2
    assert f"etalage.snapshot.new.{snapshot}" in prefect.announced()


def test_a_promotion_is_told_by_a_block_of_the_server(trained: Workspace, prefect: Server) -> None:
    with web_server() as (url, bodies):
        block = (
            "from prefect.blocks.notifications import CustomWebhookNotificationBlock as Webhook\n"
            f"Webhook(name='shop', url={url!r}, json_data={{'text': '{{{{body}}}}'}}).save('shop', overwrite=True)\n"
        )
        subprocess.run([sys.executable, "-c", block], env=trained.environment, cwd=trained.folder, check=True)
        environment = {**trained.environment, "ETALAGE_NOTIFY": "custom-webhook/shop"}
        champion = trained.champion()
        assert champion is not None

        done = Workspace(trained.folder, environment).run("promote", champion)

    assert done.code == 0, done.err[-4000:]
    [body] = bodies
    assert json.loads(body)["text"].startswith(f"Release {champion} answers since ")
    assert "| outcome | rule | what | slice | value | limit | distance |" in json.loads(body)["text"]


def test_runs_wait_for_each_other_and_a_storm_of_events_starts_one(
    trained: Workspace, prefect: Server, worker: Path
) -> None:
    prefect.forget()
    champion = trained.champion()
    assert trained.run("event", "error-budget", "--about", "latency").code == 0
    storm = "from flows.scheduling.events import emit, EVENTS; [emit(name, 'storm') for name in EVENTS * 3]"
    subprocess.run([sys.executable, "-c", storm], cwd=trained.folder, env=trained.environment, check=True)
    by_hand = [
        prefect.post(f"/deployments/{prefect.deployment(flow)['id']}/create_flow_run", {"parameters": parameters})["id"]
        for flow, parameters in (("retrain", {}), ("promote", {"release": champion}))
    ]

    runs = prefect.wait_for(3)

    log = worker.read_text(errors="replace")
    assert [run["state_type"] for run in runs] == ["COMPLETED"] * 3, log[-4000:]
    [after_events] = [run for run in runs if run["id"] not in by_hand]
    assert after_events["created_by"]["type"] == "AUTOMATION"
    in_turn = sorted(runs, key=lambda run: at(run, "start_time"))
    for earlier, later in pairwise(in_turn):
        assert at(later, "start_time") >= at(earlier, "end_time")
    assert at(in_turn[1], "expected_start_time") < at(in_turn[0], "end_time")  # it could have run, and waited
    assert len(prefect.runs()) == 3


def test_the_schedule_fires_and_the_run_finishes(trained: Workspace, prefect: Server, worker: Path) -> None:
    prefect.forget()
    done = trained.run("deploy", "--cron", EVERY_FEW_SECONDS, "--gather", GATHER)
    assert done.code == 0 and EVERY_FEW_SECONDS in done.out, done.err

    [run, *_] = prefect.wait_for(1)

    assert (run["state_type"], run["auto_scheduled"]) == ("COMPLETED", True), worker.read_text()[-4000:]
    assert run["created_by"]["type"] == "SCHEDULE"
    assert f"release {trained.champion()} already serves" in worker.read_text()
    assert trained.run("deploy", "--cron", "").code == 0
    assert prefect.deployment("retrain")["schedules"] == []
