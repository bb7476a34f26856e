"""The end of a retrain: what is gathered for its page, where the page lies, and that no half of one is left."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalog.errors import GateRefused, InvalidSnapshot
from catalog.media import MediaStore
from catalog.params import load_section
from catalog.products import Product
from catalog.workspace import DATA, RUN_PAGE, TIMES_REPORT
from evaluation.gates.rules import ContinuityRules
from evaluation.run_page.content import Changes, Missing
from evaluation.run_page.costs import Cost, ReportParams
from evaluation.run_page.page import PARTS, render
from flows import dvc
from flows.assembly import _copy_reports
from flows.continuity import served_by
from flows.dvc import Reproduction
from flows.errors import RefusedByGates
from flows.outcome import RetrainOutcome
from flows.releases import ChampionRecord, ReleaseStore
from flows.retention.belongings import gather
from flows.revision import data_md5
from flows.runs.changes import changes_since
from flows.runs.gathering import ending, page_of_run
from flows.runs.pages import KEPT, RUNS, leave, left, newest, page_of
from flows.runs.run import Run
from flows.runs.times import now, read_times, record
from flows.stage_clock import StageTime
from tests.flows.test_continuity import PRODUCTS, write
from tests.flows.workspaces import ROOT
from tests.flows.worlds import a_release, a_store, an_answer

HALF = """
import os, signal, sys
from pathlib import Path
from flows.releases import ReleaseStore
from flows.runs import pages
import catalog.syncing
pages.write_durably.__globals__["os"].fsync = lambda number: os.kill(os.getpid(), signal.SIGKILL)
pages.leave(ReleaseStore(Path(sys.argv[1])), "20260102T000000Z-b", "<p>half of a page", None)
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty one with this project's params and stages."""
    monkeypatch.chdir(tmp_path)
    for name in ("params.yaml", "dvc.yaml"):
        Path(name).write_bytes((ROOT / name).read_bytes())
    return tmp_path


@pytest.fixture
def versioned(workspace: Path) -> ReleaseStore:
    """A champion of a snapshot of 40 hats that DVC knows."""
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], check=True)
    write(PRODUCTS)
    dvc.add(str(DATA))
    store = ReleaseStore(workspace / ".etalage")
    a_release(store, "r1", snapshot="then", data_md5=data_md5(), params={"train": {"epochs": 1}})
    store.write_champion(ChampionRecord(release="r1", since="now", by="a test"))
    return store


def test_what_changed_since_the_champions_snapshot_is_counted_and_held_to_the_gates(versioned: ReleaseStore) -> None:
    new = Product("n1", "n1", "A cap", category=("Caps",), attributes={"colour": "Teal"}, price=9.0, currency="EUR")
    write([*(replace(each, price=20.0) for each in PRODUCTS[:35]), new], terms=0)
    settings = ({"train": {"epochs": 1}}, {"train": {"epochs": 2}, "embed": {"pictures": 4}})
    told = changes_since(served_by(versioned), "now", ContinuityRules(), settings, MediaStore())
    assert isinstance(told, Changes)
    assert (told.champion, told.note) == ("r1", "")
    assert (told.then, told.now, told.new, told.gone, told.changed) == (40, 36, 1, 5, 35)
    rows = {row.what: row for row in told.rows}
    assert (rows["products"].then, rows["products"].now, rows["products"].change) == ("40", "36", "-10.0%")
    assert rows["products"].outcome == "passed"
    price = rows["median price of the same products"]
    assert (price.then, price.now, price.change, price.outcome) == ("10.00", "20.00", "x 2", "failed")
    assert rows["facet values that have a name in"].outcome == "failed"
    assert told.rows[0].outcome == "failed"  # what moved farthest comes first
    assert [(field, value) for field, value, _ in told.values] == [("category", "Caps"), ("colour", "Teal")]
    assert [(row.name, row.then, row.now) for row in told.settings] == [
        ("train.epochs", "1", "2"), ("embed.pictures", "not set", "4"),
    ]  # fmt: skip


def test_where_nothing_can_be_held_against_the_champion_it_says_why(versioned: ReleaseStore) -> None:
    rules, media = ContinuityRules(), MediaStore()
    served = served_by(versioned)
    same = changes_since(served, "then", rules, None, media)
    assert isinstance(same, Changes) and same.note == "The catalogue is the one that the champion served."
    none = changes_since(None, "now", rules, None, media)
    assert isinstance(none, Missing) and "no champion when the run began" in none.why
    assert served is not None
    lost = changes_since(replace(served, data_md5="0" * 32), "now", rules, None, media)
    assert isinstance(lost, Changes) and "is not in DVC's cache here" in lost.note


def test_a_refused_snapshot_leaves_a_page_with_what_changed_and_why_the_rest_is_missing(
    versioned: ReleaseStore,
) -> None:
    write(PRODUCTS[:10])
    run = Run.begin(versioned, "abcdef0123")
    html = render(page_of_run(versioned, run, InvalidSnapshot("Snapshot 5 is not fit to train on: 10 products.")))
    for title in PARTS.values():
        assert f">{title}</h2>" in html
    assert "<b>refused</b><p>Snapshot 5 is not fit to train on: 10 products.</p>" in html
    assert "40 products then, 10 now; 0 new, 30 gone" in html
    assert html.count("The run did not come to this.") == 5
    assert "The gates were not asked. Snapshot 5 is not fit" in html


def test_without_any_data_a_page_still_says_why(workspace: Path) -> None:
    store = ReleaseStore(workspace / ".etalage")
    html = render(page_of_run(store, Run.begin(store, "abcdef0123"), GateRefused("The snapshot has lost something.")))
    assert html.count("holds no snapshot") >= 5


def test_the_ending_is_in_the_gates_own_words() -> None:
    refused = an_answer("r2", "r1", passed=False)
    assert ending(RefusedByGates(refused)).sentence == refused.sentence()
    assert [ending(each).word for each in (RefusedByGates(refused), InvalidSnapshot("x"), OSErrorOfOurs("x"))] == [
        "refused", "refused", "stopped",
    ]  # fmt: skip
    promoted = RetrainOutcome(status="promoted", sentence="Release r2 answers.", release="r2")
    assert (ending(promoted).word, ending(promoted).tone) == ("promoted", "good")
    forced = RetrainOutcome(status="forced", sentence="Forced by A.", release="r2", verdict=refused)
    assert ending(forced).sentence == f"Forced by A. {refused.sentence()}"


class OSErrorOfOurs(dvc.NotReady):
    """Neither a refusal nor done."""


def test_a_page_lies_with_the_run_in_the_workspace_and_with_its_release(workspace: Path) -> None:
    store, _ = a_store(workspace / ".etalage", "r1")
    path = leave(store, "20260101T000000Z-a", "<p>one", "r1")
    assert path == store.home / RUNS / "20260101T000000Z-a.html" == newest(store.home)
    assert page_of(store, "r1") == store.folder("r1") / "reports" / "retrain.html"
    assert path.read_text() == RUN_PAGE.read_text() == (page_of(store, "r1") or path).read_text() == "<p>one"
    leave(store, "20260102T000000Z-b", "<p>two", "r2")  # which never became a release
    assert (page_of(store, "r2"), RUN_PAGE.read_text()) == (None, "<p>two")
    assert not store.folder("r2").exists()


def test_the_newest_pages_are_kept(workspace: Path) -> None:
    store, _ = a_store(workspace / ".etalage")
    for number in range(KEPT + 3):
        leave(store, f"20260101T0000{number:02}Z-a", "x", None)
    assert len(left(store.home)) == KEPT
    assert left(store.home)[0].name == "20260101T000003Z-a.html"


def test_a_killed_run_leaves_no_half_page_and_gc_knows_what_it_did_leave(workspace: Path) -> None:
    store, alias = a_store(workspace / ".etalage")
    whole = leave(store, "20260101T000000Z-a", "<p>whole", None)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = subprocess.run([sys.executable, "-c", HALF, str(store.home)], env=environment)
    assert killed.returncode == -signal.SIGKILL
    assert left(store.home) == [whole]
    assert RUN_PAGE.read_text() == "<p>whole"
    assert "runs/20260102T000000Z-b.html.new" in gather(store, alias).drafts


def test_a_release_is_not_given_the_page_of_an_earlier_run(workspace: Path) -> None:
    RUN_PAGE.parent.mkdir()
    RUN_PAGE.write_text("<p>yesterday's")
    Path("reports/report.html").write_text("<p>today's")
    Path("artifacts/evaluation").mkdir(parents=True)
    _copy_reports(workspace / "release")
    assert [path.name for path in (workspace / "release/reports").glob("*.html")] == ["report.html"]


def test_stages_are_told_by_what_this_run_did_to_them(workspace: Path) -> None:
    ran = StageTime("train", 300.0, 580.04, 2400.0)
    record(Reproduction("train", ("train",), (), ("validate",), took=(ran,)))
    since = now()
    assert {name: each.cost(name, since).how for name, each in read_times().items()} == {
        "validate": "not reached", "train": "not reached",
    }  # fmt: skip
    failed = StageTime("export", 3.0, 2.0, None)
    record(Reproduction("evaluate", ("export",), ("embed",), ("validate", "train"), failed="export", took=(failed,)))
    told = {name: each.cost(name, since) for name, each in read_times().items()}
    assert told == {
        "validate": Cost("validate", "unchanged"),
        "train": Cost("train", "unchanged", before=300.0),
        "embed": Cost("embed", "from the cache"),
        "export": Cost("export", "failed", 3.0, 2.0),
    }
    record(Reproduction("evaluate", (), (), ("validate", "train", "export")))  # a later milestone of the same run
    assert read_times()["train"].cost("train", now()).how == "not reached"
    assert read_times()["export"].cost("export", since).how == "failed"


@pytest.mark.parametrize("content", ["", "[]", '{"train": {"seen": 3}}', '{"train": 3}'])
def test_a_damaged_table_of_times_is_none(workspace: Path, content: str) -> None:
    TIMES_REPORT.parent.mkdir()
    TIMES_REPORT.write_text(content)
    assert read_times() == {}
    record(Reproduction("train", (), (), ("train",)))
    assert list(json.loads(TIMES_REPORT.read_text())) == ["train"]


def test_steps_of_a_run_are_timed_also_where_they_refuse(workspace: Path) -> None:
    run = Run("20260101T000000Z-a", datetime.now(UTC), None)
    with run.step("index"):
        pass
    with pytest.raises(GateRefused), run.step("ask the champion"):
        raise GateRefused("no")
    assert [(step.name, step.how) for step in run.steps] == [("index", "ran"), ("ask the champion", "failed")]


def test_the_section_of_params_yaml_has_no_price() -> None:
    assert load_section("report", ReportParams, ROOT / "params.yaml") == ReportParams(price_per_hour=None)
