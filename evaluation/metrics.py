"""Metrics by ir-measures, from a run and the judgements it is measured with.

The order of a run is the engine's order: trec_eval would sort equal scores by document id, so a run goes in with
rank scores (last = 1), not with the engine's own scores.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import ir_measures
from ir_measures import RR, R, Success, nDCG

Metric = Literal["recall@1", "recall@10", "MRR@10", "nDCG@10", "success@1"]
Ranked = Sequence[tuple[str, float]]
Run = Mapping[str, Ranked]  # query id -> (product id, score), best first
Judgements = Mapping[str, Mapping[str, int]]  # query id -> product id -> grade, 0 = not relevant

# recall@k: share of the relevant products among the first k. MRR@10: 1 / rank of the first relevant one, 0 beyond 10.
# nDCG@10: gain 2^grade - 1 discounted by log2(1 + rank), over the best possible. success@1: is the first hit relevant?
METRICS: Mapping[str, ir_measures.Measure] = MappingProxyType(
    {
        "recall@1": R @ 1,
        "recall@10": R @ 10,
        "MRR@10": RR @ 10,
        "nDCG@10": nDCG @ 10,
        "success@1": Success @ 1,
    }
)
DEPTH = 10  # how many hits a run must hold for METRICS to be right


def per_query(run: Run, judgements: Judgements) -> dict[str, dict[str, float]]:
    """Query id -> metric name -> value, for every judged query; a query the run does not answer scores 0.

    Raises ValueError when the run answers a query that has no judgements, or names one product twice in an answer.
    """
    unjudged = run.keys() - judgements.keys()
    if unjudged:
        raise ValueError(f"{len(unjudged)} queries of the run have no judgements, for example {min(unjudged)}.")
    names = {measure: name for name, measure in METRICS.items()}
    values = {query_id: dict.fromkeys(METRICS, 0.0) for query_id in judgements}
    if not judgements:
        return values
    qrels = {query_id: {id_: 2**grade - 1 for id_, grade in grades.items()} for query_id, grades in judgements.items()}
    by_rank = {query_id: _rank_scores(query_id, ranked) for query_id, ranked in run.items()}
    for result in ir_measures.iter_calc(list(METRICS.values()), qrels, by_rank):
        values[result.query_id][names[result.measure]] = float(result.value)
    return values


def mean(values: Mapping[str, Mapping[str, float]], only: Iterable[str] | None = None) -> dict[str, float]:
    """Metric name -> mean over the queries in `only` (all of them by default). Raises ValueError on no query."""
    rows = [values[query_id] for query_id in (values if only is None else only)]
    if not rows:
        raise ValueError("the mean of no query is not a number.")
    return {name: sum(row[name] for row in rows) / len(rows) for name in METRICS}


def _rank_scores(query_id: str, ranked: Ranked) -> dict[str, float]:
    scores = {product_id: float(len(ranked) - place) for place, (product_id, _) in enumerate(ranked)}
    if len(scores) != len(ranked):
        raise ValueError(f"the answer to query {query_id} names a product twice.")
    return scores
