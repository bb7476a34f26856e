"""`etalage monitor` over made journals: silent where nothing moved, awake where it did, and honest about the rest."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import InvalidQuery, NotReady, ReleaseNotFound
from evaluation.queries.judgements import EvaluationQuery, EvaluationSet
from flows.monitoring.checks import Outcome, decide
from flows.monitoring.observing import observe
from flows.monitoring.page import render
from flows.monitoring.params import Limits, Minimum, MonitorParams
from flows.monitoring.results import MonitorReport
from flows.monitoring.spans import span_between, span_since
from flows.monitoring.traffic import answer_checks, query_checks
from flows.monitoring.windows import QUERIES, Window, Windows, seen_of
from flows.releases import ReleaseStore
from tests.bento.world import tiny_encoder
from tests.flows.traffic import NOW, PROMOTED, RELEASE, SHOES, World, a_champion, two_weeks, write_journal

USUAL = World()
QUICK = MonitorParams(false_alarms=0.05, sample=200)
HOSTILE = "<script>alert(1)</script><img src=http://x.invalid/a.png>"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReleaseStore:
    """A champion in an empty workspace: no data/, so no catalogue and no interactions."""
    for name in ("ETALAGE_SERVICE_JOURNAL", "ETALAGE_SERVICE_JOURNAL_FOLDER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return a_champion(tmp_path / ".etalage")


def look(
    store: ReleaseStore, reference: str = "auto", since: str = "7d", params: MonitorParams = QUICK
) -> MonitorReport:
    return observe(store, params, since, reference, NOW)


def outcomes(report: MonitorReport) -> dict[str, Outcome]:
    return {check.name: check.outcome for check in report.checks}


def test_two_weeks_of_the_same_give_no_alarm(store: ReleaseStore) -> None:
    write_journal(store.home, *two_weeks(1, USUAL, USUAL))
    report = look(store)
    names = ["languages", "kinds", "wording", "zero results", "low confidence", "best score of text", "latency of text"]
    assert outcomes(report) == dict.fromkeys(names, "quiet")  # pictures are too few in both weeks to be looked at
    assert (report.reference_answers, report.current_answers) == (600, 600)
    assert report.reference_is.startswith(f"the first days of release {RELEASE}")


@pytest.mark.parametrize(
    ("now", "alarms"),
    [
        (replace(USUAL, texts=("红裙", "蓝裙", "绿鞋", "red dress")), {"languages", "wording"}),
        (replace(USUAL, texts=(*SHOES[:3], "红裙", "绿鞋")), {"wording"}),
        (replace(USUAL, kinds={"text": 0.6, "image": 0.4}), {"kinds"}),
        (replace(USUAL, zero=0.08), {"zero results"}),
        (replace(USUAL, low=0.3), {"low confidence"}),
        (replace(USUAL, score=0.5), {"best score of text"}),
        (replace(USUAL, ms=50.0), {"latency of text"}),
    ],
)
def test_what_moved_is_named_and_nothing_else(store: ReleaseStore, now: World, alarms: set[str]) -> None:
    write_journal(store.home, *two_weeks(2, USUAL, now))
    report = look(store)
    assert {check.name for check in report.alarms} == alarms
    assert all(name in report.sentence() for name in alarms)


def test_a_slow_service_is_no_reason_to_retrain(store: ReleaseStore) -> None:
    write_journal(store.home, *two_weeks(3, USUAL, replace(USUAL, ms=50.0, zero=0.1)))
    report = look(store)
    assert {check.name for check in report.alarms} == {"latency of text", "zero results"}
    assert [check.name for check in report.to_retrain] == ["zero results"]


def test_false_alarms_of_whole_runs_stay_below_their_level() -> None:
    """With limits that any difference reaches only chance is left: forty runs over two windows of the same."""
    level, runs, false = 0.2, 40, 0
    limits = Limits(languages=1e-9, kinds=1e-9, zero_result=1e-9, low_confidence=1e-9, top_score=1e-9,
                    latency=1 + 1e-9, wording=0.5 + 1e-9)  # fmt: skip
    params = MonitorParams(false_alarms=level, limits=limits, minimum=Minimum(queries=50, plain=50), sample=100)
    for seed in range(runs):
        then, now = (Window(None, [*map(seen_of, lines)]) for lines in two_weeks(100 + seed, USUAL, USUAL, 150))
        windows = Windows(then, now, "")
        checks = (*query_checks(windows, params, tiny_encoder().encode_text), *answer_checks(windows, RELEASE, params))
        assert sum(check.p is not None for check in checks) >= 7
        false += any(check.outcome == "alarm" for check in decide(checks, level))
    assert false <= level * runs + 3 * np.sqrt(runs * level * (1 - level))


def test_too_little_traffic_gives_no_alarm_and_says_so(store: ReleaseStore) -> None:
    write_journal(store.home, *two_weeks(4, USUAL, replace(USUAL, zero=0.9, texts=SHOES), 200))
    report = look(store, "release")
    assert set(outcomes(report).values()) == {"unknown"}
    assert "200 then and 200 now, 300 of each are needed" in report.checks[3].note


def test_without_words_in_the_journal_nothing_is_told_of_embeddings_and_topics(store: ReleaseStore) -> None:
    hidden = replace(USUAL, plain=False)
    write_journal(store.home, *two_weeks(5, hidden, replace(hidden, texts=SHOES, zero=0.2)))
    report = look(store)
    wording = next(check for check in report.checks if check.name == "wording")
    assert (wording.outcome, wording.effect, report.topics) == ("unknown", None, ())
    assert "ETALAGE_SERVICE_LOG_QUERIES=plain" in wording.note
    assert any("does not hold the words" in note for note in report.notes)


def test_other_releases_count_as_traffic_and_not_as_answers(store: ReleaseStore) -> None:
    then, now = two_weeks(6, USUAL, USUAL)
    write_journal(store.home, then, [replace(line, release="r0", zero_result=True) for line in now])
    report = look(store)
    assert outcomes(report)["languages"] == "quiet"
    assert outcomes(report)["zero results"] == "unknown"


def questions(store: ReleaseStore) -> None:
    """The evaluation of the champion asked for shoes."""
    folder = store.folder(RELEASE) / QUERIES
    folder.mkdir(parents=True)
    queries = tuple(EvaluationQuery(f"s{n}", "attribute_en", "en", SHOES[n % 3]) for n in range(400))
    EvaluationSet(queries, {query.query_id: {"p": 1} for query in queries}, ("p",)).write(folder)


def test_questions_of_the_evaluation_stand_in_for_missing_traffic_without_alarming(store: ReleaseStore) -> None:
    questions(store)
    _, now = two_weeks(7, USUAL, USUAL)
    write_journal(store.home, now)
    report = look(store)
    assert not report.alarms and not report.binding
    assert "for want of traffic" in report.reference_is
    assert "from the questions of the evaluation" in next(c.note for c in report.checks if c.name == "wording")
    asked_for = look(store, "evaluation")
    assert {"languages", "kinds", "wording"} == {check.name for check in asked_for.alarms}


def test_two_dates_are_a_reference(store: ReleaseStore) -> None:
    write_journal(store.home, *two_weeks(8, USUAL, replace(USUAL, texts=SHOES)))
    report = look(store, "2026-11-06T12:00..2026-11-10", since="2026-11-14")
    assert report.reference_answers == pytest.approx(600 * 3.5 / 7, abs=1)
    assert "wording" in {check.name for check in report.alarms}
    with pytest.raises(InvalidQuery, match="reaches into the current window"):
        look(store, "2026-11-06..2026-11-19")


def test_spans_are_read_or_refused_in_one_sentence() -> None:
    assert span_since("7d", NOW).start == NOW - timedelta(days=7)
    assert span_since("12h", NOW).start == NOW - timedelta(hours=12)
    assert span_since("2026-11-01", NOW).start == datetime(2026, 11, 1, tzinfo=UTC)
    assert span_between("2026-11-01..2026-11-02").end == datetime(2026, 11, 2, tzinfo=UTC)
    for words in ("7 days", "0d", "99999999999d", "2027-01-01", ""):
        with pytest.raises(InvalidQuery):
            span_since(words, NOW)
    for words in ("yesterday", "2026-11-02..2026-11-01", "2026-11-02..", ".."):
        with pytest.raises(InvalidQuery):
            span_between(words)


def test_what_is_missing_is_one_sentence(store: ReleaseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotReady, match="keeps no questions of its evaluation"):
        look(store)  # no journal and no evaluation
    monkeypatch.setenv("ETALAGE_SERVICE_JOURNAL", "false")
    with pytest.raises(NotReady, match="not journalled"):
        look(store)
    with pytest.raises(ReleaseNotFound):
        look(ReleaseStore(store.home / "other"))


def test_the_reference_is_what_the_journal_still_holds_of_the_first_days(store: ReleaseStore) -> None:
    then, now = two_weeks(9, USUAL, USUAL, 1400)
    late = [line for line in then if line.time >= PROMOTED + timedelta(days=4)]
    write_journal(store.home, late, now)
    report = look(store)
    assert report.reference_answers == len(late)
    assert "does not go back to its promotion" in report.reference_is


class Loaded(HTMLParser):
    """Whatever a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "iframe", "img", "object", "embed"):
            self.found.append(tag)
        self.found += [
            name for name, _ in attrs if name in ("src", "srcset", "data", "action") or name.startswith("on")
        ]
        self.found += [value for name, value in attrs if name.endswith("href") and not (value or "").startswith("#")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_stands_alone_shows_hostile_queries_as_text_and_every_check(store: ReleaseStore) -> None:
    texts = (*USUAL.texts, HOSTILE)
    write_journal(store.home, *two_weeks(10, USUAL, replace(USUAL, texts=texts, zero=0.3)))
    report = look(store)
    page = render(report)
    loaded = Loaded()
    loaded.feed(page)
    assert loaded.found == []
    assert "@import" not in page and "url(http" not in page
    assert HOSTILE in loaded.text
    assert all(check.name in loaded.text for check in report.checks)
    assert all(topic.typical in loaded.text for topic in report.topics)
    assert MonitorReport.model_validate_json(report.model_dump_json()) == report
