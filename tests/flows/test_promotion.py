"""Promise 4 for promotions: killed at any step, the next run ends with alias, record and history in agreement."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.errors import ReleaseNotFound
from flows.promotion import INTENT, promote, recover, roll_back
from flows.releases import ReleaseStore
from tests.flows.worlds import FileAlias, a_store

STEPS = ("intent written", "alias moved", "champion written", "history written", "intent removed")

KILLED = """
import os, signal, sys
from pathlib import Path
from flows.promotion import promote, roll_back
from flows.releases import ReleaseStore
from tests.flows.worlds import FileAlias

home, move, step = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
store, alias = ReleaseStore(home), FileAlias(home / "alias.json")

def reached(name):
    if name == step:
        os.kill(os.getpid(), signal.SIGKILL)

if move == "promote":
    promote(store, alias, "r2", by="a test", reached=reached)
else:
    roll_back(store, alias, by="a test", reached=reached)
"""


def run_killed(home: Path, move: str, step: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(home), move, step], env={**os.environ, "PYTHONPATH": "."})
    assert done.returncode == -signal.SIGKILL


def agreed(store: ReleaseStore, alias: FileAlias) -> str | None:
    """The champion that alias, record and history all name."""
    champion = store.champion()
    name = champion.release if champion else None
    assert alias.pointed == name
    assert [entry.release for entry in store.history() if entry.move != "abandoned"][-1:] == ([name] if name else [])
    assert not (store.home / INTENT).exists()
    return name


@pytest.mark.parametrize("step", STEPS)
def test_a_promotion_killed_at_any_step_is_finished_by_the_next_run(tmp_path: Path, step: str) -> None:
    store, alias = a_store(tmp_path, "r1", "r2")
    promote(store, alias, "r1", by="a test")

    run_killed(tmp_path, "promote", step)
    recover(store, alias)

    assert agreed(store, alias) == "r2"
    assert [(entry.move, entry.release) for entry in store.history()] == [("promote", "r1"), ("promote", "r2")]
    assert store.champion().previous == "r1"


@pytest.mark.parametrize("step", STEPS)
def test_a_rollback_killed_at_any_step_is_finished_by_the_next_run(tmp_path: Path, step: str) -> None:
    store, alias = a_store(tmp_path, "r1", "r2")
    promote(store, alias, "r1", by="a test")
    promote(store, alias, "r2", by="a test")

    run_killed(tmp_path, "rollback", step)
    recover(store, alias)

    assert agreed(store, alias) == "r1"
    assert store.champion().withdrawn == ("r2",)


def test_running_the_killed_promotion_again_ends_as_if_it_had_not_been_killed(tmp_path: Path) -> None:
    store, alias = a_store(tmp_path, "r1", "r2")
    promote(store, alias, "r1", by="a test")
    run_killed(tmp_path, "promote", "alias moved")

    promote(store, alias, "r2", by="a test")

    assert agreed(store, alias) == "r2"
    assert len(store.history()) == 2


def test_a_promotion_whose_collection_is_gone_is_undone(tmp_path: Path) -> None:
    store, alias = a_store(tmp_path, "r1", "r2")
    promote(store, alias, "r1", by="a test")
    run_killed(tmp_path, "promote", "alias moved")
    alias.drop("r2")

    said = recover(store, alias)

    assert said is not None and said.startswith("Undid the promote of r2")
    assert agreed(store, alias) == "r1"
    assert store.history()[-1].move == "abandoned"


def test_recovering_twice_changes_nothing(tmp_path: Path) -> None:
    store, alias = a_store(tmp_path, "r1", "r2")
    run_killed(tmp_path, "promote", "champion written")
    recover(store, alias)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    assert recover(store, alias) is None
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_rolling_back_twice_goes_two_releases_back_and_then_there_is_none(tmp_path: Path) -> None:
    store, alias = a_store(tmp_path, "r1", "r2", "r3")
    for release in ("r1", "r2", "r3"):
        promote(store, alias, release, by="a test")

    assert roll_back(store, alias, by="a test").release == "r2"
    assert roll_back(store, alias, by="a test").release == "r1"
    with pytest.raises(ReleaseNotFound, match="no earlier release"):
        roll_back(store, alias, by="a test")
    assert agreed(store, alias) == "r1"


def test_promoting_a_withdrawn_release_by_hand_clears_its_mark(tmp_path: Path) -> None:
    store, alias = a_store(tmp_path, "r1", "r2")
    promote(store, alias, "r1", by="a test")
    promote(store, alias, "r2", by="a test")
    roll_back(store, alias, by="a test", reason="hits looked wrong")

    champion = promote(store, alias, "r2", by="a test")

    assert champion.withdrawn == ()
    assert champion.earlier == ("r1",)
    assert [entry.reason for entry in store.history()] == ["", "", "hits looked wrong", ""]


def test_promoting_the_champion_again_is_no_move(tmp_path: Path) -> None:
    store, alias = a_store(tmp_path, "r1")
    first = promote(store, alias, "r1", by="a test")

    assert promote(store, alias, "r1", by="somebody else") == first
    assert len(store.history()) == 1


def test_a_release_without_its_collection_is_not_promoted(tmp_path: Path) -> None:
    store, alias = a_store(tmp_path, "r1")
    alias.drop("r1")

    with pytest.raises(ReleaseNotFound, match="not in Milvus"):
        promote(store, alias, "r1", by="a test")
    assert store.champion() is None
    assert not (tmp_path / INTENT).exists()
