"""The slices of releases as heat maps: one for each dimension, a line a slice, a column a kind of query."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.pages.heat_colours import span_of
from evaluation.pages.report import DIMENSIONS
from evaluation.queries.kinds import KINDS
from evaluation.results import SliceScore
from flows.admin.reading import Known


@dataclass(frozen=True)
class SliceLine:
    """One slice of one dimension; `cells`: of each kind, the score of each release (None: not measured, too few)."""

    name: str
    n: int
    cells: tuple[tuple[SliceScore | None, ...], ...]


@dataclass(frozen=True)
class HeatMap:
    """One dimension."""

    dimension: str
    kinds: tuple[str, ...]
    lines: tuple[SliceLine, ...]


def heat_maps(releases: Sequence[Known]) -> tuple[HeatMap, ...]:
    """Dimensions in which the queries differ; one with a single slice tells nothing."""
    told = [
        {(row.slice, row.kind): row for row in (release.report.slices if release.report else ())}
        for release in releases
    ]
    maps = []
    for dimension in DIMENSIONS:
        found = [row for one in told for row in one.values() if row.slice.startswith(f"{dimension}=")]
        slices = dict.fromkeys(row.slice for row in found)
        if len(slices) < 2:
            continue
        kinds = tuple(kind for kind in KINDS if any(row.kind == kind for row in found))
        lines = [
            SliceLine(
                name=name.partition("=")[2],
                n=max(row.n for row in found if row.slice == name),
                cells=tuple(tuple(one.get((name, kind)) for one in told) for kind in kinds),
            )
            for name in slices
        ]
        maps.append(HeatMap(dimension, kinds, tuple(sorted(lines, key=lambda line: (-line.n, line.name)))))
    return tuple(maps)


def span(releases: Sequence[Known]) -> tuple[float, float]:
    """Between which scores the colours change: the same for all dimensions and all of `releases`."""
    return span_of([row.mean for release in releases if release.report for row in release.report.slices])
