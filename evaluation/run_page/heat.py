"""Slices as a heat map: a row for each slice, a column for each kind of query, the number in every cell."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.gates.compare import Comparison
from evaluation.pages.heat_colours import side_of, span_of, step_of
from evaluation.pages.report import DIMENSIONS
from evaluation.queries.kinds import KINDS
from evaluation.results import EvaluationReport, SliceScore
from evaluation.run_page.scores import Sure, surely

MOST = 24  # slices of one dimension, the largest


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
