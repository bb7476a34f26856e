"""reports/sweep.html: the front of quality against latency, what mattered, and every trial. It loads nothing."""

from pathlib import Path

import matplotlib
from markupsafe import Markup

from evaluation.pages.figures import GRID, INK, MUTED, SERIES, STYLE, as_svg, axes_of
from evaluation.pages.template import template
from evaluation.sweep.results import Importance, SweepReport, Trial

TEMPLATE = Path(__file__).with_name("sweep.html.j2")


def render(report: SweepReport) -> str:
    """The page."""
    measured = sorted(_measured(report), key=lambda trial: -trial.report.quality if trial.report else 0.0)
    return template(TEMPLATE).render(
        report=report,
        keys=tuple(dict.fromkeys(key for trial in report.trials for key in trial.settings)),
        measured=measured,
        refused=[trial for trial in report.trials if trial.state == "refused"],
        front=front(report) if measured else "",
        importance=[(row, bars(row) if row.shares else "") for row in report.importance],
        shown=shown,
    )


def shown(value: object) -> str:
    """A value of a param, short enough for a table."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def front(report: SweepReport) -> Markup:
    """Every measured trial as a point; those that no other beats are joined by steps and numbered."""
    with matplotlib.rc_context(dict(STYLE)):
        figure, axes = axes_of(9.6, 4.2)
        points = [(t.report.latency_p50_ms, t.report.quality) for t in _measured(report) if t.report and not t.on_front]
        if points:
            axes.scatter(*zip(*points, strict=True), s=26, color=SERIES[7], label="beaten by another")
        best = [(trial.number, trial.report) for trial in report.front() if trial.report]
        fast, good = [each.latency_p50_ms for _, each in best], [each.quality for _, each in best]
        axes.step(fast, good, where="post", color=SERIES[1], linewidth=1.4)
        axes.scatter(fast, good, s=44, color=SERIES[0], zorder=3, label="on the front")
        for number, each in best:
            axes.annotate(
                str(number),
                (each.latency_p50_ms, each.quality),
                (6, 5),
                textcoords="offset points",
                fontsize=8.5,
                color=INK,
            )
        axes.set_xlabel("p50 of a query of words, ms, one thread")
        axes.set_ylabel("quality on the validation split")
        axes.margins(x=0.12, y=0.15)
        axes.grid(linewidth=0.6, color=GRID)
        axes.legend(loc="lower right", fontsize=8.5)
        return as_svg(figure, "Quality against latency of every trial")


def bars(row: Importance) -> Markup:
    """The share of one objective's spread that each param explains."""
    with matplotlib.rc_context(dict(STYLE)):
        figure, axes = axes_of(9.6, 0.7 + 0.32 * len(row.shares))
        names = list(row.shares)[::-1]
        axes.barh(names, [row.shares[name] for name in names], height=0.6, color=SERIES[0])
        for line, name in enumerate(names):
            axes.text(row.shares[name] + 0.01, line, f"{row.shares[name]:.2f}", va="center", fontsize=8, color=MUTED)
        axes.set_xlim(0, 1.08)
        axes.grid(axis="x", linewidth=0.6)
        return as_svg(figure, f"What moved {row.objective}")


def _measured(report: SweepReport) -> list[Trial]:
    return [trial for trial in report.trials if trial.report is not None]
