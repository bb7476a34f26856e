"""Stretches of time, as they are named on the command line: `7d`, `12h`, `2026-11-01`, `2026-11-01..2026-11-08`."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from catalog.errors import InvalidQuery

_LENGTH = re.compile(r"(\d+)([dh])")
EVALUATION = "evaluation"
RELEASE = "release"
AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` until just before `end`, both UTC."""

    start: datetime
    end: datetime

    def has(self, time: datetime) -> bool:
        """Whether `time` lies in it."""
        return self.start <= time < self.end

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC"


def span_since(words: str, now: datetime) -> Span:
    """`7d`, `12h` or a date until now. Raises InvalidQuery."""
    length = _LENGTH.fullmatch(words)
    if length:
        count, unit = int(length.group(1)), length.group(2)
        try:
            start = now - (timedelta(days=count) if unit == "d" else timedelta(hours=count))
        except OverflowError:
            raise _refused(words, "7d, 12h or 2026-11-01") from None
    else:
        start = _time(words, "7d, 12h or 2026-11-01")
    if start >= now:
        raise InvalidQuery(f"'{words}' holds no time before now.")
    return Span(start, now)


def span_between(words: str) -> Span:
    """`2026-11-01..2026-11-08`: the second date is not in it. Raises InvalidQuery."""
    example = "2026-11-01..2026-11-08, release or evaluation"
    start, dots, end = words.partition("..")
    if not dots:
        raise _refused(words, example)
    span = Span(_time(start, example), _time(end, example))
    if span.start >= span.end:
        raise InvalidQuery(f"'{words}' ends before it begins.")
    return span


def check_spans(since: str, reference: str, now: datetime) -> None:
    """Raises InvalidQuery for what names no stretch of time, or two that overlap, before anything is read."""
    current = span_since(since, now)
    if reference not in (AUTO, RELEASE, EVALUATION):
        span_before(reference, current)


def span_before(words: str, current: Span) -> Span:
    """`span_between`, and it ends before `current` begins. Raises InvalidQuery."""
    span = span_between(words)
    if span.end > current.start:
        raise InvalidQuery(f"The reference {span} reaches into the current window, {current}.")
    return span


def _time(words: str, example: str) -> datetime:
    """ISO 8601; UTC where no zone is said."""
    try:
        time = datetime.fromisoformat(words.strip())
    except ValueError:
        raise _refused(words, example) from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _refused(words: str, example: str) -> InvalidQuery:
    return InvalidQuery(f"'{words}' is no stretch of time: write it as in {example}.")
