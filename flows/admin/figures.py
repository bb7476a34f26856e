"""The plots of quality over time, as inline SVG that a policy without inline styles lets pass."""

import html
import re
import threading
from functools import lru_cache

import matplotlib
from markupsafe import Markup

from evaluation.pages.figures import GRID, SERIES, STYLE, as_svg, axes_of
from flows.admin.quality import Course, Quality
from flows.monitoring.figures import by_day
from flows.monitoring.results import Day

WINDOW = 0.2
NAMES = 8
"""Most names below one plot."""
ONE_AT_A_TIME = threading.Lock()
"""matplotlib's settings are the process's, and pages are made in threads."""


@lru_cache(maxsize=4)  # it changes with a release, and a page of ten plots takes a second
def courses(quality: Quality) -> tuple[Markup, ...]:
    """A small plot of each kind of query."""
    with ONE_AT_A_TIME:
        return tuple(as_attributes(_course(course, quality)) for course in quality.courses)


@lru_cache(maxsize=4)
def days(told: tuple[Day, ...]) -> tuple[Markup, ...]:
    """The plots that `etalage monitor` draws of its days."""
    with ONE_AT_A_TIME:
        return tuple(as_attributes(plot) for plot in by_day(told))


def as_attributes(svg: str) -> Markup:
    """The same picture with `style` written as attributes of its elements, and letters as the page has them."""
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)
    return Markup(re.sub(r' style="([^"]*)"', _attributes, svg))


def _attributes(style: re.Match[str]) -> str:
    pairs = (rule.partition(":") for rule in html.unescape(style.group(1)).split(";"))
    named = ((name.strip(), value.strip()) for name, _, value in pairs)
    return "".join(f' {name}="{html.escape(value)}"' for name, value in named if name and name != "font-family")


def _course(course: Course, quality: Quality) -> Markup:
    """Filled: was the champion; crossed: rolled back; hollow: never was. Band: answers now. Lines: same questions."""
    with matplotlib.rc_context(dict(STYLE)):
        figure, axes = axes_of(4.6, 2.6)
        for run in course.runs:
            axes.plot([p.place for p in run], [p.score.mean for p in run], color=SERIES[1], linewidth=1.4, zorder=1)
        for point in course.points:
            score = point.score
            if score.low is not None and score.high is not None:
                axes.plot([point.place] * 2, [score.low, score.high], color=SERIES[0], linewidth=1, alpha=0.6, zorder=2)
            look = {"marker": "X", "s": 44} if point.withdrawn else {"marker": "o", "s": 26}
            fill = SERIES[0] if point.answered else "none"
            axes.scatter([point.place], [score.mean], facecolors=fill, edgecolors=SERIES[0], zorder=3, **look)
        if quality.champion is not None:
            axes.axvspan(quality.champion - 0.3, quality.champion + 0.3, color=GRID, alpha=0.5, linewidth=0, zorder=0)
        count = len(quality.releases)
        places = range(0, count, max(1, -(-count // NAMES)))
        axes.set_xticks(list(places), [quality.releases[place][:8] for place in places], fontsize=7, rotation=25)
        axes.set_xlim(-0.5, count - 0.5)
        axes.set_ylim(*_limits(course))
        axes.set_title(f"{course.kind.replace('_', ' ')}, {course.metric}", fontsize=9)
        axes.tick_params(axis="y", labelsize=8)
        axes.grid(axis="y", linewidth=0.6, color=GRID)
        return as_svg(figure, f"{course.kind} by release")


def _limits(course: Course) -> tuple[float, float]:
    """Of the axis: all intervals, at least WINDOW high, so that chance looks like no fall, and within 0 and 1."""
    scores = [point.score for point in course.points]
    low = min(score.mean if score.low is None else score.low for score in scores)
    high = max(score.mean if score.high is None else score.high for score in scores)
    more = max(0.02, (WINDOW - (high - low)) / 2)
    top = min(1.02, high + more)
    return max(-0.02, min(low - more, top - WINDOW)), top
