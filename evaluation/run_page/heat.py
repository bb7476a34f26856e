"""Slices as a heat map: a row for each slice, a column for each kind of query, the number in every cell.

Colours are steps of one hue, from the card's own to one on which the page's ink is still read well, so that nothing
depends on telling red from green; differences go from orange over nothing to blue, and have a sign.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.compare import Comparison
from evaluation.kinds import KINDS
from evaluation.report import DIMENSIONS
from evaluation.results import EvaluationReport, SliceScore
from evaluation.run_page.scores import Sure, surely

STEPS = 10
SIDE = 5  # steps to either side of no difference
FAR = 0.10  # a difference that has the last step
SPAN = 0.3  # the least that the colours of values span: what is all alike shall look so
MOST = 24  # slices of one dimension, the largest

LIGHT = {"none": "#fbfbfd", "most": "#74ade0", "worse": "#f0a35e"}
DARK = {"none": "#1c2024", "most": "#1d6299", "worse": "#8a4a0e"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One slice of one kind; `step` from 0 (the map's lowest number) to STEPS (its highest)."""

    score: SliceScore
    step: int


@dataclass(frozen=True, slots=True)
class Moved:
    """A slice against the champion, all kinds together; `step` from -SIDE to SIDE."""

    difference: float
    low: float
    high: float
    p: float
    n: int
    sure: Sure
    step: int


@dataclass(frozen=True, slots=True)
class SliceRow:
    """One slice."""

    name: str
    cells: Sequence[Cell | None]
    moved: Moved | None


@dataclass(frozen=True, slots=True)
class HeatMap:
    """`groups`: dimension -> its slices, the largest first, and how many more were left out. `low` and `high` are the
    numbers of the first colour and the last."""

    kinds: Sequence[str]
    groups: Sequence[tuple[str, Sequence[SliceRow], int]]
    against: bool
    low: float
    high: float

    @property
    def empty(self) -> bool:
        """Whether no dimension has two slices."""
        return not self.groups


def heat_map(report: EvaluationReport, comparison: Comparison | None, alpha: float) -> HeatMap:
    """Every dimension of which there are two slices at least: one alone tells nothing."""
    found = {(row.slice, row.kind): row for row in report.slices}
    kinds = [kind for kind in KINDS if any(row.kind == kind for row in report.slices)]
    moved, (low, high) = _moved(comparison, alpha), span_of([row.mean for row in report.slices])
    groups = []
    for dimension in DIMENSIONS:
        sizes: dict[str, int] = {}
        for row in report.slices:
            if row.slice.startswith(f"{dimension}="):
                sizes[row.slice] = sizes.get(row.slice, 0) + row.n
        if len(sizes) < 2:
            continue
        names = sorted(sizes, key=lambda name: (-sizes[name], name))
        rows = [
            SliceRow(
                name=name.split("=", 1)[1],
                cells=[_cell(found.get((name, kind)), low, high) for kind in kinds],
                moved=moved.get(name),
            )
            for name in names[:MOST]
        ]
        groups.append((dimension, rows, max(0, len(names) - MOST)))
    return HeatMap(kinds, groups, bool(moved), low, high)


def span_of(values: Sequence[float]) -> tuple[float, float]:
    """The lowest and the highest, SPAN apart at least: between these values the colours change."""
    high = max(values, default=1.0)
    return max(0.0, min([*values, high - SPAN])), high


def step_of(value: float, low: float, high: float) -> int:
    """0 for `low`, STEPS for `high`, and as far between them as the value is."""
    return round(STEPS * min(1.0, max(0.0, (value - low) / max(high - low, 1e-9))))


def side_of(difference: float) -> int:
    """Steps away from 0; whatever is FAR or farther has the last."""
    return round(SIDE * min(1.0, max(-1.0, difference / FAR)))


def colours(theme: dict[str, str]) -> dict[str, str]:
    """Class -> background: h0 to h10 for values, b1 to b5 for better, w1 to w5 for worse."""
    values = {f"h{step}": mixed(theme["none"], theme["most"], step / STEPS) for step in range(STEPS + 1)}
    better = {f"b{step}": mixed(theme["none"], theme["most"], step / SIDE) for step in range(1, SIDE + 1)}
    worse = {f"w{step}": mixed(theme["none"], theme["worse"], step / SIDE) for step in range(1, SIDE + 1)}
    return {**values, **better, **worse}


def mixed(one: str, other: str, share: float) -> str:
    """A colour between two, `share` of the way to the other, by each of red, green and blue."""
    parts = [[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in (one, other)]
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in zip(*parts, strict=True))


def _cell(score: SliceScore | None, low: float, high: float) -> Cell | None:
    return None if score is None else Cell(score, step_of(score.mean, low, high))


def _moved(comparison: Comparison | None, alpha: float) -> dict[str, Moved]:
    if comparison is None:
        return {}
    return {
        row.name: Moved(
            row.difference, row.low, row.high, row.adjusted_p, row.n, surely(row, alpha), side_of(row.difference)
        )
        for row in comparison.differences
        if row.scope == "slice"
    }
