"""`etalage monitor` as a user runs it: exit codes, tables, page; as a real process with Prefect's own API in it."""

import json
import shutil
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.errors import MISSING, MOVED, OK, USAGE
from flows.monitoring.results import MonitorReport
from flows.parameters import SECTIONS
from tests.flows.test_cli import ROOT, etalage
from tests.flows.traffic import RELEASE, World, a_champion, two_weeks, write_journal


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """params.yaml as it is shipped, a champion promoted two weeks ago, and no data/."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    a_champion(tmp_path / ".etalage", datetime.now(UTC) - timedelta(days=14))
    return tmp_path


def traffic(workspace: Path, now: World) -> None:
    write_journal(workspace / ".etalage", *two_weeks(1, World(), now, end=datetime.now(UTC)))


def test_monitor_without_a_champion_or_with_odd_spans_is_refused_in_one_sentence(tmp_path: Path) -> None:
    done = etalage("monitor", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (MISSING, 1)
    a_champion(tmp_path / ".etalage")
    for odd in (("--since", "a week"), ("--reference", "lately"), ("--reference", "2026-11-02..2026-11-01")):
        done = etalage("monitor", *odd, cwd=tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (USAGE, 1), done.stderr


def test_the_shipped_params_are_the_defaults() -> None:
    from catalog.params import load_section
    from flows.monitoring.params import MonitorParams

    assert load_section("monitor", MonitorParams, ROOT / "params.yaml") == MonitorParams()
    assert SECTIONS["monitor"] is MonitorParams


@pytest.mark.slow
def test_an_alarm_has_an_exit_code_of_its_own_a_private_page_and_starts_a_retrain_where_asked(workspace: Path) -> None:
    traffic(workspace, replace(World(), zero=0.1))
    done = etalage("monitor", cwd=workspace)
    assert done.returncode == MOVED, done.stderr
    assert "zero results" in done.stdout and "of release r1 alarm: zero results" in done.stderr
    folder = workspace / ".etalage" / "monitor"
    report = MonitorReport.model_validate_json((folder / "monitor.json").read_bytes())
    assert [check.name for check in report.alarms] == ["zero results"]
    assert f"release {RELEASE}" in (folder / "monitor.html").read_text()
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}

    done = etalage("monitor", "--retrain", cwd=workspace)
    assert done.returncode == MISSING, done.stderr  # the retrain was started, and there is nothing to train on
    assert "There is no data/ here" in done.stderr


@pytest.mark.slow
def test_without_an_alarm_all_is_well_and_no_retrain_starts(workspace: Path) -> None:
    traffic(workspace, World())
    done = etalage("monitor", "--retrain", "--json", cwd=workspace)
    assert done.returncode == OK, done.stderr
    assert json.loads(done.stdout)["release"] == RELEASE
