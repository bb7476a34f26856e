"""The plots of the page: one line or two by day, in the colours of the page."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib
from markupsafe import Markup

from evaluation.pages.figures import SERIES, STYLE, as_svg, axes_of
from flows.monitoring.results import Day

PLOTS: tuple[tuple[str, Mapping[str, Callable[[Day], float]]], ...] = (
    ("queries a day", {"queries": lambda day: day.queries}),
    (
        "share in doubt, %",
        {"zero results": lambda day: 100 * day.zero_result, "low confidence": lambda day: 100 * day.low_confidence},
    ),
    ("milliseconds", {"p50": lambda day: day.p50_ms, "p95": lambda day: day.p95_ms}),
)


def by_day(days: Sequence[Day]) -> tuple[Markup, ...]:
    """A small plot of each of PLOTS; none for a single day."""
    return tuple(_lines(days, title, series) for title, series in PLOTS) if len(days) > 1 else ()


def _lines(days: Sequence[Day], title: str, series: Mapping[str, Callable[[Day], float]]) -> Markup:
    with matplotlib.rc_context(dict(STYLE)):
        figure, axes = axes_of(4.6, 2.5)
        for number, (name, value) in enumerate(series.items()):
            axes.plot(
                range(len(days)),
                [value(day) for day in days],
                color=SERIES[(0, 4)[number]],
                linewidth=1.8,
                marker="o",
                markersize=3,
                label=name,
            )
        step = max(1, len(days) // 6)
        axes.set_xticks(range(0, len(days), step), [day.day[5:] for day in days[::step]], fontsize=8)
        axes.set_ylim(bottom=0)
        axes.set_title(title)
        axes.grid(axis="y", linewidth=0.6)
        if len(series) > 1:
            axes.legend(fontsize=8)
        return as_svg(figure, title)
