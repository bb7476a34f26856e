"""Releases side by side: scores and their differences, gates row by row, what differs, timings. Pure functions.

The first release is the oldest, and the one that the others are held against.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.gates.compare import Difference
from evaluation.gates.reasons import Reason
from evaluation.queries.kinds import ENGINE, KINDS
from evaluation.results import Latency
from flows.admin.reading import Known, kinds_of
from flows.lineage.differences import Differs, differences
from flows.lineage.origins import Score

ALPHA = 0.05
OUTCOMES = ("failed", "warned", "insufficient", "passed")
"""As flows.verdict orders the rows of one release."""

Paired = Mapping[str, Difference]
"""Kind -> difference from the first release, query by query."""


@dataclass(frozen=True)
class Change:
    """A score less the one of the first release. `low` to `high`: 95 %; None where the two were not asked the same.

    `sure`: chance does not explain it (Holm over the kinds); where nothing is paired, the two intervals are apart.
    """

    by: float
    low: float | None
    high: float | None
    sure: bool


@dataclass(frozen=True)
class ScoreCell:
    """One score of one release; None where it was not measured."""

    score: Score | None
    change: Change | None


@dataclass(frozen=True)
class ScoreRow:
    """One metric of one system on one kind of query, a cell for each release."""

    kind: str
    system: str
    metric: str
    cells: tuple[ScoreCell, ...]

    @property
    def n(self) -> int | None:
        """Queries of this kind, as far as it is told."""
        return next((cell.score.n for cell in self.cells if cell.score and cell.score.n is not None), None)


@dataclass(frozen=True)
class GateRow:
    """What one rule said of each release; None where it was not asked."""

    rule: str
    name: str
    slice: str
    reasons: tuple[Reason | None, ...]


@dataclass(frozen=True)
class UnlikeRow:
    """One thing that is not the same in all of them."""

    name: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class TimingRow:
    """Milliseconds of one phase for one way to ask, by release."""

    asks: str
    phase: str
    cells: tuple[Latency | None, ...]


def score_rows(releases: Sequence[Known], paired: Sequence[Paired | None]) -> tuple[ScoreRow, ...]:
    """The primary metric of the engine by kind. `paired`: of each release, None where there is nothing to pair."""
    rows = []
    for kind in kinds_of(releases):
        scores = [release.primary(kind) for release in releases]
        cells = [ScoreCell(scores[0], None)]
        for score, pairs in zip(scores[1:], paired[1:], strict=True):
            cells.append(ScoreCell(score, _change(scores[0], score, None if pairs is None else pairs.get(kind))))
        rows.append(ScoreRow(kind, ENGINE, KINDS[kind].primary, tuple(cells)))
    return tuple(rows)


def other_rows(releases: Sequence[Known]) -> tuple[ScoreRow, ...]:
    """The primary metric of every other system: parts of the engine, as it is served, and the baselines."""
    rows = []
    for kind in kinds_of(releases):
        scored = [row for release in releases for row in release.lineage.scores if row.kind == kind]
        for system in dict.fromkeys(row.system for row in scored if row.system != ENGINE):
            cells = tuple(ScoreCell(release.primary(kind, system), None) for release in releases)
            if any(cell.score is not None for cell in cells):
                rows.append(ScoreRow(kind, system, KINDS[kind].primary, cells))
    return tuple(rows)


def asked_alike(releases: Sequence[Known]) -> bool | None:
    """Whether all were asked the same questions; None where it is not known of one."""
    asked = [release.lineage.evaluation_set for release in releases]
    return None if None in asked else len(set(asked)) == 1


def gate_rows(releases: Sequence[Known]) -> tuple[GateRow, ...]:
    """Every rule that spoke of any of them; what any was refused by comes first."""
    said: list[dict[tuple[str, str, str], Reason]] = []
    for release in releases:
        gate = release.lineage.gate
        reasons = () if gate is None else gate.decision.reasons
        said.append({(reason.rule, reason.name, reason.slice or ""): reason for reason in reasons})
    keys = dict.fromkeys(key for one in said for key in one)
    rows = [GateRow(*key, tuple(one.get(key) for one in said)) for key in keys]
    return tuple(sorted(rows, key=_worst_outcome))


def unlike_rows(releases: Sequence[Known]) -> tuple[UnlikeRow, ...]:
    """What made them and differs: data, code, encoder, then params key by key. Scores and gates have own tables."""
    first = releases[0].lineage
    found = [differences(first, release.lineage) for release in releases[1:]]
    rows = []
    for part in ("about", "params"):
        differing: list[dict[str, Differs]] = [{row.name: row for row in getattr(diff, part)} for diff in found]
        for name in dict.fromkeys(name for one in differing for name in one):
            before = next(one[name].before for one in differing if name in one)
            after = (one[name].after if name in one else before for one in differing)
            rows.append(UnlikeRow(name, (before, *after)))
    return tuple(rows)


def timing_rows(releases: Sequence[Known]) -> tuple[TimingRow, ...]:
    """Of every way to ask, the whole query first."""
    told: list[dict[tuple[str, str], Latency]] = []
    for release in releases:
        latency = () if release.report is None else release.report.latency
        told.append({(row.asks, row.phase): row for row in latency})
    keys = dict.fromkeys(key for one in told for key in one)
    ordered = sorted(keys, key=lambda key: (key[0] != "text", key[0], key[1] != "total"))
    return tuple(TimingRow(*key, tuple(one.get(key) for one in told)) for key in ordered)


def _change(before: Score | None, after: Score | None, pair: Difference | None) -> Change | None:
    if before is None or after is None:
        return None
    if pair is not None:
        return Change(pair.difference, pair.low, pair.high, pair.adjusted_p < ALPHA)
    if before.low is None or before.high is None or after.low is None or after.high is None:
        return Change(after.mean - before.mean, None, None, False)
    return Change(after.mean - before.mean, None, None, before.high < after.low or after.high < before.low)


def _worst_outcome(row: GateRow) -> int:
    return min(OUTCOMES.index(reason.outcome) for reason in row.reasons if reason is not None)
