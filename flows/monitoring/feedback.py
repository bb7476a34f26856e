"""Click-through of answers by slice: what was reported to POST /feedback, joined with the journal of answers.

What is counted are answers, each once however often somebody clicks in it, so that one of them tells nothing of another
but by its user. An answer is clicked in where a hit of it was clicked, put into a cart or bought.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bento.journals.answered import Answered
from bento.journals.reported import Reported
from catalog.actions import BUY, CART, CLICK, VIEW
from evaluation.audits.shifts import Shift, share_shift
from flows.lineage.answers import meant, once, place_of, read_answers, read_reported
from flows.monitoring.checks import Check, too_few
from flows.monitoring.params import MonitorParams
from flows.monitoring.results import ClickThrough, Rate
from flows.monitoring.spans import Span

ALL = "all"
NONE = "Nothing was reported to POST /feedback, so which hits of which answers were clicked is not known."
PLACES = ((1, 1, "1"), (2, 2, "2"), (3, 3, "3"), (4, 10, "4 to 10"), (11, 200, "11 and on"))
_ORDER = (ALL, "kind", "language", "asked with", "place", "release")
_SHOWN_ONLY = "release="
"""Slices that are counted and not tested: two releases seldom answer in both windows."""
Of = tuple[Answered, int | None]
"""An answer, and the number of its window; None outside both."""


@dataclass
class _Window:
    """Answers by slice. `viewed`: those of which anything was reported, and `views` whether views are."""

    shown: Counter[str] = field(default_factory=Counter)
    viewed: Counter[str] = field(default_factory=Counter)
    clicked: Counter[str] = field(default_factory=Counter)
    carts: Counter[str] = field(default_factory=Counter)
    buys: Counter[str] = field(default_factory=Counter)
    views: bool = False


def click_through(folder: Path, reference: Span, current: Span) -> tuple[tuple[ClickThrough, ...], tuple[str, ...]]:
    """Counts by slice from the journals in `folder`, and what to know of them. () where nothing was reported."""
    spans = (reference, current)
    reported, began = _reported(folder, min(span.start for span in spans))
    if began is None:
        return (), (NONE,)
    windows, answers = (_Window(), _Window()), _answers(folder, spans)
    matched: defaultdict[str, list[Of]] = defaultdict(list)
    for line, number in answers:
        if line.request in reported:
            matched[line.request].append((line, number))
        if number is not None and line.hits and line.time >= began:
            windows[number].shown.update(_slices(line, line.hits))
    unfit = sum(_join(windows, matched[request], reported[request], began) for request in matched)
    lost = sum(len(events) for request, events in reported.items() if request not in matched)
    by_views = all(window.views for window in windows)
    return _rows(windows, by_views), tuple(
        _notes(sum(map(len, reported.values())), lost, unfit, by_views, began, spans)
    )


def click_through_checks(rows: Sequence[ClickThrough], params: MonitorParams) -> tuple[Check, ...]:
    """Whether the share of answers with a click fell: over all, and in every slice with enough answers of both."""
    checks = []
    for row in rows:
        check = Check(
            about="clicks", name=f"click-through of {row.slice}", measures="share of answers with a click fell by",
            unit="share", limit=params.limits.clicks,
        )  # fmt: skip
        then, now = row.reference, row.current
        if row.slice.startswith(_SHOWN_ONLY):
            continue
        if not then.cases or min(then.of, now.of) < params.minimum.events:
            if row.slice == ALL:
                checks.append(too_few(check, then.of, now.of, params.minimum.events, "answers with feedback"))
            continue
        p = share_shift((then.cases, then.of), (now.cases, now.of), "less").p
        checks.append(check.tested(Shift(1 - (now.cases / now.of) / (then.cases / then.of), p), then.of, now.of))
    return tuple(checks)


def _reported(folder: Path, since: datetime) -> tuple[Mapping[str, Sequence[Reported]], datetime | None]:
    """Request id -> what was reported of it since then, repeated events once; and when reporting began."""
    lines = once(read_reported(folder))
    by_request: defaultdict[str, list[Reported]] = defaultdict(list)
    for line in lines:
        if line.time >= since:
            by_request[line.request_id].append(line)
    return by_request, lines[0].time if lines else None


def _answers(folder: Path, spans: Sequence[Span]) -> Iterator[Of]:
    for line in read_answers(folder):
        if line.hits is not None:
            yield line, next((number for number, span in enumerate(spans) if span.has(line.time)), None)


def _join(windows: Sequence[_Window], answers: Sequence[Of], events: Sequence[Reported], began: datetime) -> int:
    """Count what was reported under one request id. Returns how many events fit none of its answers."""
    of_answer: defaultdict[int, list[tuple[Reported, int]]] = defaultdict(list)
    unfit = 0
    for event in events:
        chosen = meant([line for line, _ in answers], event.time)
        place = place_of(answers[chosen][0], event)
        if place is None:
            unfit += 1
        else:
            of_answer[chosen].append((event, place))
    for chosen, placed in of_answer.items():
        line, number = answers[chosen]
        if number is None or line.time < began:
            continue
        window = windows[number]
        window.views |= any(event.action == VIEW for event, _ in placed)
        for counted, actions in (
            (window.viewed, (VIEW, CLICK, CART, BUY)), (window.clicked, (CLICK, CART, BUY)), (window.carts, (CART,)),
            (window.buys, (BUY,)),
        ):  # fmt: skip
            if places := [place for event, place in placed if event.action in actions]:
                counted.update({*_slices(line, 0), *_in_places(places)})
    return unfit


def _slices(line: Answered, hits: int) -> Iterator[str]:
    """Those that an answer is in, and its first `hits` hits."""
    yield from (ALL, f"kind={line.kind}", f"release={line.release}")
    yield "asked with=no words" if line.language is None else "asked with=words"
    if line.language is not None:
        yield f"language={line.language}"
    yield from (f"place={name}" for first, _, name in PLACES if first <= hits)


def _in_places(places: Sequence[int]) -> set[str]:
    return {f"place={name}" for place in places for first, last, name in PLACES if first <= place <= last}


def _rows(windows: Sequence[_Window], by_views: bool) -> tuple[ClickThrough, ...]:
    then, now = windows
    of = [window.viewed if by_views else window.shown for window in windows]
    names = sorted(of[0].keys() | of[1].keys(), key=lambda name: (_ORDER.index(name.partition("=")[0]), _rank(name)))
    return tuple(
        ClickThrough(
            slice=name,
            reference=_rate(then.clicked[name], of[0][name]),
            current=_rate(now.clicked[name], of[1][name]),
            current_carts=now.carts[name],
            current_buys=now.buys[name],
        )
        for name in names
    )


def _rank(name: str) -> tuple[int, str]:
    places = [f"place={words}" for _, _, words in PLACES]
    return (places.index(name), "") if name in places else (0, name)


def _rate(cases: int, of: int) -> Rate:
    from scipy.stats import binomtest  # a second to import

    if not of:
        return Rate(cases=0, of=0, low=0.0, high=1.0)
    interval = binomtest(cases, of).proportion_ci(0.95, method="wilson")
    return Rate(cases=cases, of=of, low=float(interval.low), high=float(interval.high))


def _notes(events: int, lost: int, unfit: int, by_views: bool, began: datetime, spans: Sequence[Span]) -> Iterator[str]:
    shown = "one of which anything was reported" if by_views else "one with a hit, as views are not reported in both"
    yield f"Of click-through: an answer counts as shown where it is {shown}."
    if lost or unfit:
        yield (
            f"Of {events:,} events that were reported, {lost:,} name an answer that is not in the journal (too old, of "
            f"another home, or made up) and {unfit:,} a hit that the answer did not have there: none of them counts."
        )
    if began > spans[0].start:
        yield f"Feedback is known from {began:%Y-%m-%d %H:%M} UTC on; answers before it do not count in click-through."
