"""The stage as DVC runs it: python -m validation.validate in a workspace, and what importing costs."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.validation.worlds import World
from validation.checks import validate_snapshot
from validation.params import ValidateParams
from validation.report import read_report
from validation.validate import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a params.yaml that leaves every limit at its default."""
    (tmp_path / "params.yaml").write_text("validate: {}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_on_an_unfit_snapshot_exits_1_and_leaves_its_report_and_pages(workspace: Path) -> None:
    world = World()
    world.change(3, price=-1.0)
    world.write(workspace / "data")
    command = [sys.executable, "-m", "validation.validate"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
    assert "is not fit to train on: products: 1 of 60 products have a price below zero" in done.stdout
    report = json.loads((workspace / "reports/validate.json").read_text(encoding="utf-8"))
    assert (report["success"], len(report["failures"])) == (False, 1)
    assert (workspace / "artifacts/data_docs/index.html").is_file()


def test_a_fit_snapshot_is_0_with_one_sentence_a_report_and_pages(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World()
    world.change(1, currency="CNY")
    world.write(workspace / "data")
    assert main() == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 1
    assert "of 60 products is fit to train on: " in said.out
    assert said.err == "Warning: products: Prices come in 2 currencies; a price filter compares bare numbers.\n"
    assert json.loads((workspace / "reports/validate.json").read_text(encoding="utf-8"))["success"] is True
    assert (workspace / "artifacts/data_docs/products.html").is_file()


def test_an_unfit_snapshot_replaces_yesterdays_report(workspace: Path) -> None:
    data = World().write(workspace / "data")
    assert main() == 0
    (data / "products.parquet").unlink()
    assert main() == 1
    assert read_report().success is False


def test_an_unknown_limit_in_params_is_1_with_its_name(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "params.yaml").write_text("validate: {max_missing_pictures: 0.5}\n", encoding="utf-8")
    assert main() == 1
    assert "validate.max_missing_pictures" in capsys.readouterr().err


def test_params_yaml_spells_out_every_limit_with_its_default() -> None:
    section = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["validate"]
    assert section == ValidateParams().model_dump()


def test_importing_the_params_and_the_report_does_not_import_great_expectations() -> None:
    code = "import sys, validation.params, validation.report; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_checking_a_snapshot_opens_no_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("validation opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert validate_snapshot(World().write(tmp_path / "data")).success
