"""Candidate, champion and baselines, kind by kind, each with its interval, and what the paired test says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evaluation.gates.compare import Comparison, Difference
from evaluation.queries.kinds import BASELINES, ENGINE, KINDS
from evaluation.results import EvaluationReport, Measured

Sure = Literal["better", "worse", "no difference shown"]
MARKS: dict[Sure, str] = {"better": "▲", "worse": "▼", "no difference shown": "="}


@dataclass(frozen=True, slots=True)
class Whisker:
    """An interval and its middle on a scale from 0 to 1, as shares of the width that shows it."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Against:
    """The candidate against the champion over the same queries. `sure` where chance is ruled out."""

    row: Difference
    sure: Sure
    whisker: Whisker

    @property
    def mark(self) -> str:
        """A sign that needs no colour."""
        return MARKS[self.sure]


@dataclass(frozen=True, slots=True)
class KindScores:
    """One kind of query. `baselines` in the order of Scores.baselines, None where one cannot be asked."""

    kind: str
    asks: str
    metric: str
    candidate: Measured
    against: Against | None
    baselines: Sequence[Measured | None]


@dataclass(frozen=True, slots=True)
class Scores:
    """All kinds. `alone` says why there is no champion beside them, where there is none; `reach` is the end of the
    scale on which differences are drawn, to either side of 0."""

    kinds: Sequence[KindScores]
    baselines: Sequence[str]
    overall: Against | None
    alone: str = ""
    reach: float = 0.0


def scores_of(report: EvaluationReport, comparison: Comparison | None, alpha: float, alone: str = "") -> Scores:
    """The table; `alpha` is what an adjusted p must be under to be no chance (gates.champion.alpha)."""
    primary = {(row.kind, row.system): row for row in report.measurements if row.metric == KINDS[row.kind].primary}
    rows = () if comparison is None else [row for row in comparison.differences if row.scope != "slice"]
    reach = reach_of(rows)
    against = {row.name: against_champion(row, alpha, reach) for row in rows}
    baselines = [name for name in reversed(BASELINES) if any(system == name for _, system in primary)]
    kinds = [
        KindScores(
            kind=kind,
            asks=KINDS[kind].asks,
            metric=KINDS[kind].primary,
            candidate=primary[(kind, ENGINE)],
            against=against.get(kind),
            baselines=[primary.get((kind, name)) for name in baselines],
        )
        for kind in KINDS
        if (kind, ENGINE) in primary
    ]
    return Scores(kinds, baselines, against.get("overall"), alone, reach)


def against_champion(row: Difference, alpha: float, reach: float) -> Against:
    """`row` as it is shown."""
    return Against(row, surely(row, alpha), whisker(row, reach))


def surely(row: Difference, alpha: float) -> Sure:
    """What is more than chance: by the corrected p, and overall, which stands alone, by its own interval."""
    chance = row.low <= 0 <= row.high if row.scope == "overall" else row.adjusted_p >= alpha
    if chance or row.difference == 0:
        return "no difference shown"
    return "better" if row.difference > 0 else "worse"


def reach_of(rows: Sequence[Difference]) -> float:
    """The farthest bound of any interval from 0, and .02 at least: else nothing at all would look like much."""
    return max([0.02, *(abs(bound) for row in rows for bound in (row.low, row.high))])


def whisker(row: Difference, reach: float) -> Whisker:
    """Where low, difference and high lie between -reach (0) and +reach (1)."""
    low, middle, high = (
        min(1.0, max(0.0, (value + reach) / (2 * reach))) for value in (row.low, row.difference, row.high)
    )
    return Whisker(low, middle, high)
