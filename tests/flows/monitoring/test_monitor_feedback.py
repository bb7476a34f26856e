"""Click-through out of two journals: counts that can be worked out by hand, and alarms where it fell."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bento.journals.answered import Answered
from bento.journals.reported import Reported
from catalog.actions import Action
from flows.monitoring.checks import decide
from flows.monitoring.feedback import NONE, click_through, click_through_checks
from flows.monitoring.observing import observe
from flows.monitoring.page import render
from flows.monitoring.params import MonitorParams
from flows.monitoring.results import ClickThrough, Rate
from flows.monitoring.spans import Span
from tests.flows.traffic import NOW, World, a_champion, two_weeks, write_feedback, write_journal

PARAMS = MonitorParams()
WEEK = timedelta(days=7)
THEN, CURRENT = Span(NOW - 2 * WEEK, NOW - WEEK), Span(NOW - WEEK, NOW)
IDS = [f"p{number}" for number in range(1, 11)]


def answer(request: str, time: datetime, **changes: Any) -> Answered:
    """Ten of twelve hits, in English, by r1."""
    known = {"kind": "text", "language": "en", "hits": 12, "ids": IDS, "k": 12}
    return Answered(time=time, request=request, release="r1", status=200, ms=5.0, **{**known, **changes})  # type: ignore[arg-type]


def event(line: Answered, product: str = "p1", action: Action = "click", rank: int | None = None) -> Reported:
    """Reported a minute after the answer."""
    return Reported(line.time + timedelta(minutes=1), line.request, product, action, rank)


def some(name: str, count: int, span: Span, **changes: Any) -> list[Answered]:
    """So many answers, the first an hour after the span began."""
    start = span.start + timedelta(hours=1)
    return [answer(f"{name}{number}", start + timedelta(seconds=number), **changes) for number in range(count)]


def found(
    home: Path, answers: Sequence[Answered], events: Sequence[Reported]
) -> tuple[dict[str, ClickThrough], tuple[str, ...]]:
    """Rows by slice, and notes. An event of long ago says that feedback was on all the time."""
    long_ago = Reported(THEN.start - WEEK, "long-ago", "p1", "click")
    write_journal(home, answers)
    write_feedback(home, long_ago, *events)
    rows, notes = click_through(home / "journal", THEN, CURRENT)
    return {row.slice: row for row in rows}, notes


def counts(row: ClickThrough) -> tuple[int, int, int, int]:
    return row.reference.cases, row.reference.of, row.current.cases, row.current.of


def test_answers_with_a_click_are_counted_by_every_slice_and_each_answer_once(tmp_path: Path) -> None:
    then = some("t", 4, THEN)
    now = [*some("n", 3, CURRENT), *some("i", 2, CURRENT, kind="image", language=None, hits=2, ids=IDS[:2])]
    none = some("z", 5, CURRENT, hits=0, ids=[])
    refused = [replace(line, hits=None, ids=None, status=400) for line in some("r", 5, CURRENT)]
    events = [
        event(then[0]), event(then[0], "p2"), event(then[0], "p2", "buy"),  # one answer, three actions
        event(now[0], "p5"), event(now[0], "p5", "cart"), event(now[1], "p11", rank=11), event(now[3], "p2", "buy"),
    ]  # fmt: skip
    rows, notes = found(tmp_path, [*then, *now, *none, *refused], [*events, *events])  # all of it sent twice
    assert {name: counts(row) for name, row in rows.items()} == {
        "all": (1, 4, 3, 5),
        "kind=image": (0, 0, 1, 2), "kind=text": (1, 4, 2, 3),
        "language=en": (1, 4, 2, 3),
        "asked with=no words": (0, 0, 1, 2), "asked with=words": (1, 4, 2, 3),
        "place=1": (1, 4, 0, 5), "place=2": (1, 4, 1, 5), "place=3": (0, 4, 0, 3), "place=4 to 10": (0, 4, 1, 3),
        "place=11 and on": (0, 4, 1, 3),
        "release=r1": (1, 4, 3, 5),
    }  # fmt: skip
    assert list(rows)[:1] == ["all"] and list(rows)[-1] == "release=r1"
    assert (rows["all"].current_carts, rows["all"].current_buys, rows["place=2"].current_buys) == (1, 1, 1)
    assert len(notes) == 1 and "views are not reported in both" in notes[0]


def test_the_interval_is_wilsons() -> None:
    """40 of 100: (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n) with z = 1.96."""
    from flows.monitoring.feedback import _rate

    rate = _rate(40, 100)
    assert (rate.low, rate.high) == pytest.approx((0.3094, 0.4980), abs=1e-4)
    assert _rate(0, 0) == Rate(cases=0, of=0, low=0.0, high=1.0)


def test_where_views_are_reported_in_both_windows_only_what_was_viewed_counts(tmp_path: Path) -> None:
    then, now = some("t", 9, THEN), some("n", 9, CURRENT)
    views = [event(line, action="view") for line in (*then[:3], *now[:5])]
    rows, notes = found(tmp_path, [*then, *now], [*views, event(then[0]), event(now[8], "p3")])
    assert counts(rows["all"]) == (1, 3, 1, 6)
    assert counts(rows["place=1"]) == (1, 3, 0, 5) and counts(rows["place=3"]) == (0, 0, 1, 1)
    assert "anything was reported" in notes[0]
    rows, _ = found(tmp_path, [*then, *now], [*views[3:], event(then[0]), event(now[8], "p3")])
    assert counts(rows["all"]) == (1, 9, 1, 9)


def test_what_fits_no_answer_does_not_count_and_is_told(tmp_path: Path) -> None:
    then, now = some("t", 2, THEN), some("n", 2, CURRENT)
    short = some("s", 1, CURRENT, hits=2, ids=IDS[:2])
    events = [
        event(then[0], "p1", rank=2), event(now[0], "p1", rank=11), event(now[0], "p99", rank=3),
        event(now[0], "p97", rank=13), event(short[0], "p99"), event(answer("made-up", NOW - WEEK / 2)),
        event(now[1], "p99"), event(now[1], "p98", rank=12),
    ]  # fmt: skip
    rows, notes = found(tmp_path, [*then, *now, *short], events)
    assert counts(rows["all"]) == (0, 2, 1, 3)  # now[1] alone: p99 and p98 may be its last two
    assert counts(rows["place=11 and on"]) == (0, 2, 1, 2)
    assert "8 events that were reported, 1 name an answer" in notes[1] and "and 5 a hit" in notes[1]


def test_where_a_request_id_came_twice_the_last_answer_before_the_report_is_meant(tmp_path: Path) -> None:
    first, second = some("t", 1, THEN), some("n", 1, CURRENT)
    again = replace(second[0], request="t0")
    rows, _ = found(tmp_path, [*first, again], [event(first[0]), event(again, "p2")])
    assert counts(rows["all"]) == (1, 1, 1, 1)
    assert counts(rows["place=1"]) == (1, 1, 0, 1)


def test_answers_before_feedback_began_do_not_count(tmp_path: Path) -> None:
    then, now = some("t", 50, THEN), some("n", 50, CURRENT)
    write_journal(tmp_path, then, now)
    write_feedback(tmp_path, replace(event(now[0]), time=now[10].time), event(now[20]))
    (first, *_), notes = click_through(tmp_path / "journal", THEN, CURRENT)
    assert counts(first) == (0, 0, 1, 40)
    assert notes[-1].startswith("Feedback is known from")


def test_without_feedback_there_is_nothing_but_a_sentence(tmp_path: Path) -> None:
    write_journal(tmp_path, some("t", 3, THEN))
    assert click_through(tmp_path / "journal", THEN, CURRENT) == ((), (NONE,))


def row(name: str, then: tuple[int, int], now: tuple[int, int]) -> ClickThrough:
    rates = (Rate(cases=cases, of=of, low=0.0, high=1.0) for cases, of in (then, now))
    return ClickThrough(slice=name, reference=next(rates), current=next(rates), current_carts=0, current_buys=0)


def test_a_fall_alarms_where_it_is_large_and_sure_and_there_was_enough() -> None:
    checks = click_through_checks(
        [
            row("all", (400, 1000), (390, 1000)), row("kind=text", (400, 1000), (200, 1000)),
            row("kind=image", (100, 299), (0, 299)), row("place=1", (30, 300), (23, 300)),
            row("place=2", (200, 1000), (300, 1000)), row("release=r1", (900, 1000), (0, 1000)),
        ],
        PARAMS,
    )  # fmt: skip
    decided = {check.name: check for check in decide(checks, PARAMS.false_alarms)}
    assert set(decided) == {f"click-through of {name}" for name in ("all", "kind=text", "place=1", "place=2")}
    assert [name for name, check in decided.items() if check.outcome == "alarm"] == ["click-through of kind=text"]
    assert decided["click-through of kind=text"].effect == pytest.approx(0.5)
    assert decided["click-through of place=2"].effect == pytest.approx(-0.5)


def test_too_few_answers_are_unknown() -> None:
    (check,) = click_through_checks([row("all", (10, 100), (1, 5000))], PARAMS)
    assert (check.outcome, check.reference_n, check.current_n) == ("unknown", 100, 5000)
    assert "answers with feedback" in check.note


@pytest.mark.parametrize(("share", "alarms"), [(0.4, set()), (0.1, {"all", "asked with=words", "kind=text"})])
def test_a_whole_run_sees_a_fall_and_shows_it_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, alarms: set[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    store = a_champion(tmp_path / ".etalage")
    then, now = two_weeks(1, World(), World(), 1000)
    now = [replace(line, request=f"n{line.request}") for line in now]
    clicked = [line for lines, part in ((then, 0.4), (now, share)) for line in lines[: int(part * 1000)] if line.hits]
    write_journal(store.home, then, now)
    write_feedback(store.home, Reported(then[0].time, "first", "p", "click"), *map(event, clicked))
    report = observe(store, MonitorParams(false_alarms=0.05, sample=200), "7d", "auto", NOW)
    assert {check.name for check in report.alarms} >= {f"click-through of {name}" for name in alarms}
    assert bool(report.alarms) == bool(alarms)
    assert "Answers with a click, by slice" in render(report)
    assert report.click_through[0].reference.of == sum(line.hits != 0 for line in then)
