"""The command line: quick help that teaches, and exit codes that mean something."""

import errno
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catalog import errors
from flows.cli import main
from flows.durable import one_writer
from flows.errors import BROKEN, BUSY, MISSING, REFUSED, USAGE, SnapshotMissing, StageFailed, WorkspaceBusy, exit_code

ROOT = Path(__file__).parents[2]
COMMANDS = (
    "ingest",
    "retrain",
    "refresh",
    "search",
    "serve",
    "releases",
    "promote",
    "rollback",
    "status",
    "deploy",
    "keys",
    "why",
    "diff",
    "gc",
    "rebuild",
    "event",
    "monitor",
)


def etalage(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "ETALAGE_HOME": str(cwd / ".etalage")}
    return subprocess.run(
        [sys.executable, "-m", "flows", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_help_imports_nothing_heavy_and_leaves_nothing_behind(tmp_path: Path) -> None:
    heavy = ("prefect", "torch", "pymilvus", "bentoml", "onnxruntime", "great_expectations", "numpy")
    code = f"import sys, flows.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr

    started = time.monotonic()
    done = etalage("--help", cwd=tmp_path)
    assert time.monotonic() - started < 10  # 0.4 s on an idle machine
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_help_names_every_command_and_every_exit_code() -> None:
    text = etalage("--help").stdout
    for word in (*COMMANDS, "refused by validation or gates", "busy or unreachable", "ETALAGE_HOME"):
        assert word in text, text


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("status", "releases", "keys")])
def test_the_help_of_a_command_shows_how_to_call_it(command: str) -> None:
    text = etalage(command, "--help").stdout
    assert any(line.strip(" │").startswith(("etalage " + command, "PREFECT_API_URL=")) for line in text.splitlines()), (
        text
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.GateRefused("x"), REFUSED),
        (errors.InvalidSnapshot("x"), REFUSED),
        (SnapshotMissing("x"), MISSING),
        (errors.ReleaseNotFound("x"), MISSING),
        (errors.UnknownProduct("x"), MISSING),
        (errors.InvalidParams("x"), USAGE),
        (errors.InvalidSource("x"), USAGE),
        (errors.InvalidMedia("x"), USAGE),
        (errors.NotReady("x"), BUSY),
        (WorkspaceBusy("x"), BUSY),
        (errors.EncoderMismatch("x"), BUSY),
        (StageFailed("x"), BROKEN),
        (errors.EtalageError("x"), BROKEN),
    ],
)
def test_every_refusal_has_its_exit_code(error: errors.EtalageError, code: int) -> None:
    assert exit_code(error) == code


def test_outside_of_a_workspace_it_says_so(tmp_path: Path) -> None:
    done = etalage("retrain", cwd=tmp_path)
    assert done.returncode == USAGE
    assert done.stderr == "params.yaml does not exist: run from the root of a workspace.\n"
    assert list(tmp_path.iterdir()) == []


def test_forcing_without_a_reason_is_wrong_usage(tmp_path: Path) -> None:
    done = etalage("promote", "r1", "--force", cwd=tmp_path)
    assert done.returncode == USAGE
    assert "--force needs --reason" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["search"], "Nothing to look for"),
        (["search", "dress", "--image", "none.jpg"], "none.jpg is not a file."),
        (["search", "--less", "black"], "Nothing to look for"),
        (["search", "dress", "--more", " "], "The query's term is empty."),
        (["search", "dress", "--filter", "colour"], "'colour' is not a filter"),
    ],
)
def test_a_wrong_question_is_told_before_any_release_is_looked_for(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    done = etalage(*arguments, cwd=tmp_path)
    assert done.returncode == USAGE, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_params_are_not_changed_under_a_run_that_has_begun(tmp_path: Path) -> None:
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    with one_writer(tmp_path / ".etalage"):
        done = etalage("retrain", "--set", "train.epochs=3", cwd=tmp_path)
    assert done.returncode == BUSY, done.stderr
    assert (tmp_path / "params.yaml").read_bytes() == (ROOT / "params.yaml").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".etalage", "params.yaml"]


def test_a_full_disk_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def full(prog_name: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "champion.json.new")

    monkeypatch.setattr("flows.cli.app", full)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == BUSY
    assert capsys.readouterr().err == "The disk is full (champion.json.new): make room and run it again.\n"


def test_another_error_of_the_system_is_not_taken_for_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(prog_name: str) -> None:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr("flows.cli.app", forbidden)
    with pytest.raises(PermissionError):
        main()
