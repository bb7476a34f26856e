"""Traffic by slice and by day, and the queries in doubt: counted, not tested."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from flows.monitoring.results import Day, Mix, SliceCount
from flows.monitoring.traffic import kinds, languages
from flows.monitoring.windows import Seen, Window, Windows

_MOST_SLICES = 24


def traffic_mixes(windows: Windows) -> tuple[Mix, ...]:
    """Languages and kinds of both windows."""
    then, now = windows.reference, windows.current
    return (Mix.of("language", languages(then), languages(now)), Mix.of("kind", kinds(then), kinds(now)))


def slice_counts(windows: Windows, release: str) -> tuple[SliceCount, ...]:
    """Doubt of the champion's answers by kind, by language and by filtered field, the most frequent first."""
    then, now = (_by_slice(window.of_release(release)) for window in (windows.reference, windows.current))
    rows = [
        SliceCount(
            slice=name,
            reference_n=len(then[name]),
            current_n=len(now[name]),
            reference_zero=sum(seen.zero_result for seen in then[name]),
            current_zero=sum(seen.zero_result for seen in now[name]),
            reference_low=sum(seen.low_confidence for seen in then[name]),
            current_low=sum(seen.low_confidence for seen in now[name]),
        )
        for name in sorted(then.keys() | now.keys())
    ]
    rows.sort(key=lambda row: -(row.reference_n + row.current_n))
    return tuple(rows[:_MOST_SLICES])


def days(windows: Sequence[Window]) -> tuple[Day, ...]:
    """The days of all windows in order; questions that were never asked have none."""
    by_day: defaultdict[str, list[Seen]] = defaultdict(list)
    for window in windows:
        for seen in window.seen:
            if seen.time is not None:
                by_day[f"{seen.time:%Y-%m-%d}"].append(seen)
    return tuple(_day(day, by_day[day]) for day in sorted(by_day))


def doubtful(seen: Sequence[Seen]) -> tuple[Counter[str], Counter[str]]:
    """Words of queries without a result, and of those with low confidence, with how often each was asked."""
    return (
        Counter(each.text for each in seen if each.text and each.zero_result),
        Counter(each.text for each in seen if each.text and each.low_confidence),
    )


def _day(day: str, seen: Sequence[Seen]) -> Day:
    took = [each.ms for each in seen if each.ms is not None]
    return Day(
        day=day,
        queries=len(seen),
        zero_result=sum(each.zero_result for each in seen) / len(seen),
        low_confidence=sum(each.low_confidence for each in seen) / len(seen),
        p50_ms=float(np.percentile(took, 50)),
        p95_ms=float(np.percentile(took, 95)),
    )


def _by_slice(seen: Sequence[Seen]) -> defaultdict[str, list[Seen]]:
    slices: defaultdict[str, list[Seen]] = defaultdict(list)
    for each in seen:
        slices[f"kind={each.kind}"].append(each)
        if each.language is not None:
            slices[f"language={each.language}"].append(each)
        for name in each.filters:
            slices[f"filter={name}"].append(each)
    return slices
