"""Is the ranker used? For each kind of query: only where it surely beats plain fusion on the validation questions.

Adopted when the mean gain in nDCG@10, every cell (a kind of question and an index, with attributes or without) weighing
the same, is at least the margin, when 95 % of the resampled means are above 0, and when no cell loses more than the
margin. So no kind of question pays for another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics import DEPTH, Ranked, per_query
from evaluation.queries.judgements import EvaluationSet
from evaluation.rankers.examples import Look
from evaluation.significance import stratified_interval
from search.collection import Scored
from search.ranking import QueryKind
from search.ranking.features import FEATURES
from search.ranking.rerank import Reranker

METRIC = "nDCG@10"


@dataclass(frozen=True, slots=True)
class Cell:
    """Means of METRIC over the `n` questions of one cell."""

    n: int
    fused: float
    reranked: float


@dataclass(frozen=True, slots=True)
class KindVerdict:
    """One kind of query: the mean gain over its cells, the bound that it is surely above, and what was decided."""

    adopted: bool
    reason: str
    gain: float
    lower_bound: float
    cells: Mapping[str, Cell]


def verdicts(
    found: Sequence[Look], questions: EvaluationSet, reranker: Reranker, *, margin: float, seed: int, rounds: int
) -> dict[QueryKind, KindVerdict]:
    """What is decided for every kind of query that was asked."""
    columns = [FEATURES.index(name) for name in reranker.ranker.features]
    kinds = dict.fromkeys(look.kind for look in found)
    return {
        kind: _verdict(
            [(look, reranker.order(look.ranked, look.features[:, columns])) for look in found if look.kind == kind],
            questions,
            margin=margin,
            seed=seed,
            rounds=rounds,
        )
        for kind in kinds
    }


def _verdict(
    again: Sequence[tuple[Look, Scored]], questions: EvaluationSet, *, margin: float, seed: int, rounds: int
) -> KindVerdict:
    by_cell: dict[str, list[tuple[Look, Scored]]] = {}
    for look, order in again:
        by_cell.setdefault(look.cell, []).append((look, order))
    cells, gains = {}, []
    for cell, rows in by_cell.items():
        fused = _values({look.query.query_id: look.ranked for look, _ in rows}, questions)
        reranked = _values({look.query.query_id: order for look, order in rows}, questions)
        cells[cell] = Cell(len(rows), float(fused.mean()), float(reranked.mean()))
        gains.append(reranked - fused)
    interval = stratified_interval(gains, seed=seed, rounds=rounds)
    worst = min(cells, key=lambda cell: cells[cell].reranked - cells[cell].fused)
    lost = cells[worst].fused - cells[worst].reranked
    if interval.mean < margin:
        reason = f"gains {interval.mean:.4f} {METRIC}, and {margin:g} are asked"
    elif interval.lower_bound <= 0:
        reason = f"gains {interval.mean:.4f} {METRIC}, which may be luck: the lower bound is {interval.lower_bound:.4f}"
    elif lost > margin:
        reason = f"loses {lost:.4f} {METRIC} on {worst}, and at most {margin:g} may be lost"
    else:
        return KindVerdict(True, f"gains {interval.mean:.4f} {METRIC}", interval.mean, interval.lower_bound, cells)
    return KindVerdict(False, reason, interval.mean, interval.lower_bound, cells)


def _values(run: Mapping[str, Ranked], questions: EvaluationSet) -> NDArray[np.float64]:
    top = {query_id: ranked[:DEPTH] for query_id, ranked in run.items()}
    values = per_query(top, {query_id: questions.judgements[query_id] for query_id in run})
    return np.array([values[query_id][METRIC] for query_id in run], dtype=np.float64)
