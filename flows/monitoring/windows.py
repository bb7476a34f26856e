"""Two windows of traffic out of the journal of answers: what was usual, and what is now.

The reference is what the champion saw in its first days, as far as the journal still goes back; or two dates; or, where
there was no traffic before, the questions that it was evaluated on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bento.journals.answered import Answered
from catalog.errors import NotReady
from evaluation.queries.judgements import read_evaluation_set
from flows.lineage.answers import Reading, folder_of, read_answers, words_of
from flows.monitoring.spans import AUTO, EVALUATION, RELEASE, Span, span_before
from flows.releases import ReleaseStore

SHOP = "shop"
QUERIES = Path("reports") / "evaluation"


@dataclass(frozen=True, slots=True)
class Seen:
    """What is compared of one answered query. `text`: its words, where the journal was allowed to keep them."""

    kind: str
    language: str | None
    text: str | None
    time: datetime | None = None
    release: str = ""
    ms: float | None = None
    top: float | None = None
    zero_result: bool = False
    low_confidence: bool = False
    filters: tuple[str, ...] = ()


@dataclass
class Window:
    """`span` is None for questions that were never asked of the service: then it has no answers either."""

    span: Span | None
    seen: list[Seen] = field(default_factory=list)
    refused: int = 0

    def of_release(self, release: str) -> list[Seen]:
        """Answers of one release: scores of another do not compare."""
        return [seen for seen in self.seen if seen.release == release]

    def texts(self) -> list[str]:
        """Words of all queries that have them and whose words are known."""
        return [seen.text for seen in self.seen if seen.text]


@dataclass(frozen=True)
class Windows:
    """`binding`: whether a difference is an alarm. The questions of an evaluation were made, not asked, so where they
    only stand in for traffic that is missing, a difference from them is shown and no alarm.
    """

    reference: Window
    current: Window
    reference_is: str
    binding: bool = True
    unreadable: int = 0


def read_windows(
    store: ReleaseStore, current: Span, reference: str, days: float, minimum: int, release: str
) -> Windows:
    """The windows that `reference` names. Raises InvalidQuery, NotReady without a journal or without an evaluation."""
    folder = folder_of(store.home)
    if reference == EVALUATION:
        (now,), count = _read(folder, (current,))
        return Windows(evaluated(store, release), now, _questions(release), True, count.unreadable)
    if reference not in (AUTO, RELEASE):
        named = span_before(reference, current)
        (then, now), count = _read(folder, (named, current))
        return Windows(then, now, f"the answers of {named}", True, count.unreadable)
    first, why = _first_days(store, folder, current, days)
    (then, now), count = _read(folder, (first or Span(current.start, current.start), current))
    if reference == AUTO and len(then.seen) < minimum:
        reason = f"{why}: {len(then.seen):,} answers, and {minimum:,} are needed"
        instead = f"{_questions(release)}, for want of traffic ({reason})"
        return Windows(evaluated(store, release), now, instead, False, count.unreadable)
    return Windows(then, now, why, True, count.unreadable)


def seen_of(line: Answered) -> Seen:
    """What is compared of a line of the journal."""
    return Seen(
        kind=line.kind,
        language=line.language,
        text=words_of(line),
        time=line.time,
        release=line.release,
        ms=line.ms,
        top=line.top,
        zero_result=bool(line.zero_result),
        low_confidence=bool(line.low_confidence),
        filters=tuple(line.filters or ()),
    )


def evaluated(store: ReleaseStore, release: str) -> Window:
    """The questions that the gates knew: the shop's own where it gave any, else all that have words or photos."""
    folder = store.folder(release) / QUERIES
    try:
        questions = read_evaluation_set(folder)
    except FileNotFoundError:
        raise NotReady(f"Release {release} keeps no questions of its evaluation, so nothing can be compared.") from None
    window = Window(None)
    for query in questions.of_kind(SHOP) or questions.queries:
        kind = "text" if query.image is None else "image" if query.text is None else "text+image"
        window.seen.append(Seen(kind, query.language, query.text))
    return window


def _read(folder: Path, spans: Sequence[Span]) -> tuple[list[Window], Reading]:
    """One pass over the journal; lines of several spans are in each of them."""
    windows, count = [Window(span) for span in spans], Reading()
    for line in read_answers(folder, count):
        for window in _holding(windows, line.time):
            if line.hits is not None:
                window.seen.append(seen_of(line))
            elif line.kind:
                window.refused += 1
    return windows, count


def _holding(windows: Sequence[Window], time: datetime) -> Iterator[Window]:
    return (window for window in windows if window.span is not None and window.span.has(time))


def _first_days(store: ReleaseStore, folder: Path, current: Span, days: float) -> tuple[Span | None, str]:
    """The champion's first days as far as the journal holds them, before `current`; None where none are left."""
    champion = store.champion()
    first = next(iter(read_answers(folder)), None)
    if champion is None or first is None:
        return None, "the journal is empty"
    since = datetime.fromisoformat(champion.since)
    start = max(since, first.time)
    end = min(start + timedelta(days=days), current.start)
    if end <= start:
        before = f"{current.start:%Y-%m-%d %H:%M} UTC"
        return None, f"release {champion.release} has no answers in the journal before {before}"
    forgotten = " (the journal does not go back to its promotion)" if start > since + timedelta(days=1) else ""
    span = Span(start, end)
    return span, f"the first days of release {champion.release}{forgotten}, {span}"


def _questions(release: str) -> str:
    return f"the questions of the evaluation of release {release}"
