"""The command line: quick help that teaches, and exit codes that mean something."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catalog import errors
from flows.errors import BROKEN, BUSY, MISSING, REFUSED, USAGE, SnapshotMissing, StageFailed, WorkspaceBusy, exit_code

ROOT = Path(__file__).parents[2]
COMMANDS = ("ingest", "retrain", "search", "serve", "releases", "promote", "rollback", "status", "deploy", "keys")


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
