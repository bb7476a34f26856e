"""What the wrapper reads out of a real DVC: a workspace of two stages, `first` -> `second`."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows import dvc
from flows.errors import StageFailed, WorkspaceBusy

STAGES = """
stages:
  first:
    cmd: mkdir -p made && cat data/a > made/first
    deps: [data]
    params: [first]
    outs: [made/first]
  second:
    cmd: test ! -e broken && cat made/first > made/second
    deps: [made/first]
    params: [second]
    outs: [made/second]
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], cwd=folder, check=True)
    (folder / ".gitignore").write_text("/data\n/made\n")
    (folder / "data").mkdir()
    (folder / "data/a").write_text("1")
    (folder / "params.yaml").write_text("first: {x: 1}\nsecond: {x: 1}\n")
    (folder / "dvc.yaml").write_text(STAGES)
    return folder


@pytest.fixture
def workspace(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(prepared)
    return prepared


def set_second(workspace: Path, value: int) -> None:
    (workspace / "params.yaml").write_text(f"first: {{x: 1}}\nsecond: {{x: {value}}}\n")


def test_it_says_which_stages_ran_which_were_left_and_which_came_from_the_cache(workspace: Path) -> None:
    dvc.add("data")
    ran = dvc.reproduce("second", show=False)
    assert ran.ran == ("first", "second")
    assert ran.sentence() == "second: ran first, second"
    assert dvc.stale("second") == {}

    assert dvc.reproduce("second", show=False).unchanged == ("first", "second")

    set_second(workspace, 2)
    assert set(dvc.stale("second")) == {"second"}
    again = dvc.reproduce("second", show=False)
    assert (again.ran, again.unchanged) == (("second",), ("first",))

    (workspace / "made/second").unlink()
    assert dvc.reproduce("second", show=False).from_cache == ("second",)


def test_a_failing_stage_is_named_and_is_not_an_exception(workspace: Path) -> None:
    dvc.add("data")
    set_second(workspace, 3)
    (workspace / "broken").touch()
    try:
        failed = dvc.reproduce("second", show=False)
    finally:
        (workspace / "broken").unlink()

    assert failed.failed == "second"
    assert "second failed" in failed.sentence()


def test_an_unknown_milestone_is_a_sentence(workspace: Path) -> None:
    with pytest.raises(StageFailed, match=r"dvc repro third failed: .*third"):
        dvc.reproduce("third", show=False)


def test_a_workspace_where_another_run_works_is_busy(workspace: Path) -> None:
    dvc.add("data")
    slow = STAGES.replace("cat data/a", "touch started && sleep 20 && cat data/a")
    (workspace / "dvc.yaml").write_text(slow)
    (workspace / "data/a").write_text("2")
    other = subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro", "first"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 30
        while not (workspace / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        with pytest.raises(WorkspaceBusy, match="Another run is working"):
            dvc.reproduce("first", show=False)
    finally:
        other.kill()
        other.wait()
        (workspace / "dvc.yaml").write_text(STAGES)


def test_data_comes_back_from_the_cache_as_data_dvc_names_it(workspace: Path) -> None:
    (workspace / "data/a").write_text("3")
    dvc.add("data")
    (workspace / "data/a").write_text("scribbled over")
    dvc.checkout("data.dvc")

    assert (workspace / "data/a").read_text() == "3"
