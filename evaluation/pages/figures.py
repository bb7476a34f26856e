"""The plots of the report, as inline SVG whose colours are variables of the page: they follow light and dark."""

import csv
import re
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from evaluation.results import Latency, Measured

# Placeholder colours -> variables of the page. The first ones are series, in order.
SERIES = ("#010101", "#010102", "#010103", "#010104", "#010105", "#010106", "#010107", "#010108")
INK, MUTED, GRID = "#010110", "#010111", "#010112"
_VARIABLES: Mapping[str, str] = {
    **{colour: f"var(--series-{number})" for number, colour in enumerate(SERIES, start=1)},
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
}
STYLE: Mapping[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "etalage",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "grid.color": GRID,
    "text.color": INK,
    "legend.frameon": False,
    "legend.labelcolor": INK,
}
_LABELS: Mapping[str, str] = {
    "engine": "engine",
    "dense": "title + photo vectors",
    "as_served": "as served",
    "image": "photo vectors",
    "bm25_titles": "BM25 on titles",
    "bm25_plain": "BM25, plain words",
    "frozen": "frozen backbones",
    "random": "random",
}
COUNTERS = ("update", "step", "seconds")  # columns of training curves that only say when
_BAR = 0.118  # width of one bar; kinds are 1 apart


def system_label(system: str) -> str:
    """How a system is called in the report."""
    return _LABELS.get(system, system)


def bars(rows: Sequence[Measured], systems: Sequence[str], kinds: Sequence[str]) -> Markup:
    """Grouped bars with 95 % intervals: one group per kind, one bar per system that answered it."""
    with matplotlib.rc_context(dict(STYLE)):
        figure, axes = axes_of(9.6, 4.0)
        colours = {system: SERIES[number % len(SERIES)] for number, system in enumerate(systems)}
        for group, kind in enumerate(kinds):
            present = [row for system in systems for row in rows if (row.kind, row.system) == (kind, system)]
            for number, row in enumerate(present):
                centre = group + _BAR * (number - (len(present) - 1) / 2)
                axes.bar(centre, row.mean, _BAR * 0.88, color=colours[row.system])
                axes.plot([centre, centre], [row.low, row.high], color=INK, linewidth=1)
                label = f"{row.mean:.2f}".removeprefix("0")
                axes.text(centre, row.high + 0.015, label, ha="center", fontsize=6.5, color=MUTED)
        shown = [system for system in systems if any(row.system == system for row in rows)]
        handles = [Patch(color=colours[system], label=system_label(system)) for system in shown]
        axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=4, fontsize=8.5)
        names = ["\n".join(kind.replace("_", " ").rsplit(" ", 1)) for kind in kinds]
        axes.set_xticks(range(len(kinds)), names, fontsize=9)
        axes.set_xlim(-0.6, len(kinds) - 0.4)
        axes.set_ylim(0, 1.08)
        axes.grid(axis="y", linewidth=0.6)
        return as_svg(figure, "The primary metric of every system, by kind of query")


def phases(rows: Sequence[Latency]) -> Markup:
    """p50 of the phases stacked, with a mark at the p95 of the whole query; one line per way to ask."""
    with matplotlib.rc_context(dict(STYLE)):
        asks = sorted({row.asks for row in rows}, reverse=True)
        names = sorted(
            {row.phase for row in rows if row.phase != "total"}, key=lambda name: (-_slowest(rows, name), name)
        )
        figure, axes = axes_of(9.6, 1.2 + 0.5 * len(asks))
        for line, ask in enumerate(asks):
            left = 0.0
            for number, phase in enumerate(names):
                took = next((row.p50 for row in rows if (row.asks, row.phase) == (ask, phase)), 0.0)
                axes.barh(line, took, left=left, height=0.5, color=SERIES[number % len(SERIES)])
                left += took
            whole = next((row.p95 for row in rows if (row.asks, row.phase) == (ask, "total")), None)
            if whole is not None:
                axes.plot([whole, whole], [line - 0.32, line + 0.32], color=INK, linewidth=2)
                axes.annotate(f"p95 {whole:.0f} ms", (whole, line), (5, -3), textcoords="offset points", fontsize=8)
        handles = [Patch(color=SERIES[number % len(SERIES)], label=name) for number, name in enumerate(names)]
        axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.28), ncols=6, fontsize=9)
        axes.set_yticks(range(len(asks)), asks)
        axes.set_xlabel("milliseconds; bars are the p50 of each phase")
        axes.margins(x=0.12)
        axes.grid(axis="x", linewidth=0.6)
        return as_svg(figure, "Latency by phase")


def curves(path: Path) -> tuple[Markup, ...]:
    """One small plot per column of a CSV of training curves whose first column is the step; () without a file."""
    if not path.exists():
        return ()
    with path.open(encoding="utf-8", newline="") as stream:
        table = list(csv.DictReader(stream))
    if len(table) < 2:
        return ()
    step, *columns = table[0].keys()
    plots = []
    for column in columns:
        if column in COUNTERS:
            continue
        points = [(float(row[step]), float(row[column])) for row in table if _are_numbers(row[step], row[column])]
        if len(points) >= 2 and len({value for _, value in points}) > 1:
            with matplotlib.rc_context(dict(STYLE)):
                figure, axes = axes_of(4.6, 2.3)
                axes.plot(*zip(*points, strict=True), color=SERIES[0], linewidth=1.8)
                axes.set_title(column.replace("_", " "))
                axes.set_xlabel(step)
                axes.grid(linewidth=0.6)
                plots.append(as_svg(figure, f"{column} by {step}"))
    return tuple(plots)


def _slowest(rows: Sequence[Latency], phase: str) -> float:
    return max(row.p50 for row in rows if row.phase == phase)


def _are_numbers(*cells: str | None) -> bool:
    return all(cell and re.fullmatch(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?", cell) for cell in cells)


def axes_of(width: float, height: float) -> tuple[Figure, Any]:
    """An empty figure of this many inches, and its axes. Draw inside `matplotlib.rc_context(dict(STYLE))`."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.set_axisbelow(True)
    return figure, axes


def as_svg(figure: Figure, title: str) -> Markup:
    """The figure as an <svg> element that is as wide as its place."""
    figure.patch.set_alpha(0.0)
    for axes in figure.axes:
        axes.patch.set_alpha(0.0)
    buffer = StringIO()
    FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None, "Title": title})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r' (?:width|height)="[^"]*pt"| xmlns(?::xlink)?="[^"]*"', "", svg, count=4)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    return Markup(svg)
