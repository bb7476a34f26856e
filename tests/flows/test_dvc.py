"""What the wrapper reads out of a real DVC: a workspace of two stages, `first` -> `second`."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows import dvc
from flows.damage import md5_of, remove_damaged
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
    slow = STAGES.replace("cat data/a", "touch started && sleep 600 && cat data/a")
    (workspace / "dvc.yaml").write_text(slow)
    (workspace / "data/a").write_text("2")
    other = subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro", "first"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while not (workspace / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        with pytest.raises(WorkspaceBusy, match="Another run is working"):
            dvc.reproduce("first", show=False)
    finally:
        os.killpg(other.pid, signal.SIGKILL)  # its stage too, which would write made/first into a later test
        other.wait()
        (workspace / "dvc.yaml").write_text(STAGES)


def test_data_comes_back_from_the_cache_as_data_dvc_names_it(workspace: Path) -> None:
    (workspace / "data/a").write_text("3")
    dvc.add("data")
    (workspace / "data/a").write_text("scribbled over")
    dvc.checkout("data.dvc")

    assert (workspace / "data/a").read_text() == "3"


@pytest.mark.parametrize("left", [0, 9, 60, 200])
def test_a_lock_file_that_a_kill_cut_short_is_made_again_without_running_a_stage(workspace: Path, left: int) -> None:
    dvc.add("data")
    dvc.reproduce("second", show=False)
    whole = Path("dvc.lock").read_bytes()
    Path("dvc.lock").write_bytes(whole[:left])

    assert dvc.stale("second") != {}
    assert Path("dvc.lock").read_bytes() == whole[:left]  # who only looks changes nothing
    assert dvc.reproduce("second", show=False).ran == ()
    assert Path("dvc.lock").read_bytes() == whole
    assert dvc.stale("second") == {}


def damage(path: Path) -> None:
    """Another content, under the permissions that DVC trusts."""
    mode = path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))
    path.chmod(mode)


def in_cache(path: Path) -> Path:
    md5 = md5_of(path)
    return Path(".dvc/cache/files/md5") / md5[:2] / md5[2:]


def test_what_the_cache_has_damaged_is_made_again_and_never_taken(workspace: Path) -> None:
    dvc.add("data")
    dvc.reproduce("second", show=False)
    whole, stored = Path("made/first").read_bytes(), in_cache(Path("made/first"))
    damage(stored)
    Path("made/first").unlink()

    dvc.reproduce("second", show=False)

    assert Path("made/first").read_bytes() == whole == stored.read_bytes()
    assert dvc.stale("second") == {}


def test_a_snapshot_that_the_cache_has_damaged_is_not_brought_back(workspace: Path) -> None:
    dvc.add("data")
    stored = in_cache(Path("data/a"))
    whole = stored.read_bytes()
    damage(stored)
    shutil.rmtree("data")
    with pytest.raises(StageFailed, match="DVC's cache held data/a damaged"):
        dvc.checkout("data.dvc")
    assert not Path("data/a").exists() and not stored.exists()
    Path("data/a").write_bytes(whole)
    dvc.add("data")


def test_a_damaged_list_of_a_folder_goes_with_the_folder_and_what_is_whole_stays(tmp_path: Path) -> None:
    cache, folder = tmp_path / "cache", tmp_path / "folder"
    (cache / "ab").mkdir(parents=True)
    folder.mkdir()
    (folder / "x").write_text("x")
    (cache / "ab" / "cd.dir").write_text("[]")
    assert remove_damaged({str(folder): "abcd.dir"}, cache) == [str(folder)]
    assert not folder.exists() and not (cache / "ab" / "cd.dir").exists()
    file = tmp_path / "file"
    file.write_text("y")
    assert remove_damaged({str(file): md5_of(file), str(tmp_path / "missing"): "00"}, cache) == []
    assert file.read_text() == "y"
