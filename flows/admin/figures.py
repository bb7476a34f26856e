"""The plots of quality over time, as inline SVG that a policy without inline styles lets pass."""

import html
import re
import threading
from functools import lru_cache

import matplotlib
from markupsafe import Markup

from evaluation.figures import GRID, INK, SERIES, STYLE, as_svg, axes_of
from flows.admin.quality import Course, Quality
from flows.monitoring.figures import by_day
from flows.monitoring.results import Day

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
    """Filled: was the champion; hollow: never was. Dashed: the one that answers now. Lines: the same questions."""
    with matplotlib.rc_context(dict(STYLE)):
        figure, axes = axes_of(4.6, 2.6)
        for run in course.runs:
            axes.plot([p.place for p in run], [p.score.mean for p in run], color=SERIES[1], linewidth=1.4, zorder=1)
        for point in course.points:
            score = point.score
            if score.low is not None and score.high is not None:
                axes.plot([point.place] * 2, [score.low, score.high], color=SERIES[0], linewidth=1, alpha=0.6, zorder=2)
            fill = SERIES[0] if point.answered else "none"
            axes.scatter([point.place], [score.mean], s=26, facecolors=fill, edgecolors=SERIES[0], zorder=3)
        if quality.champion is not None:
            axes.axvline(quality.champion, color=INK, linewidth=0.8, linestyle="--", zorder=0)
        count = len(quality.releases)
        places = range(0, count, max(1, -(-count // NAMES)))
        axes.set_xticks(list(places), [quality.releases[place][:8] for place in places], fontsize=7, rotation=25)
        axes.set_xlim(-0.5, count - 0.5)
        axes.set_title(f"{course.kind.replace('_', ' ')}, {course.metric}", fontsize=9)
        axes.tick_params(axis="y", labelsize=8)
        axes.grid(axis="y", linewidth=0.6, color=GRID)
        return as_svg(figure, f"{course.kind} by release")
