"""How much late interaction has a say in each kind of query: a share between 0 and 1, chosen on the validation split.

The first stage is ranked once with its finished settings; every share blends the same two scores of each query again.
Each kind of question is asked by the legs that it is measured by, so photos alone count too where titles look for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.metrics import DEPTH, Run, mean, per_query
from evaluation.queries.judgements import EvaluationQuery, EvaluationSet
from evaluation.queries.kinds import ENGINE, KINDS
from evaluation.runs import Photos, as_asked
from evaluation.tuning.asked import METRIC
from search.collection import Scored
from search.engine import SearchEngine
from search.late import LateInteraction, blend, seen_by
from search.ranking import LateKind

ASKED: Mapping[LateKind, tuple[str, ...]] = {
    "text": ("title_to_product", "attribute_en", "attribute_zh", "shop"),
    "text to pictures": ("title_to_photo",),
    "image": ("photo_to_product", "photo_to_alike"),
    "text+image": ("photo_and_words",),
}
SHARES = tuple(step / 10 for step in range(10))
LOSS = 0.02  # in METRIC, what a kind of question may lose
GAIN = 0.005  # in the mean METRIC, least for which a query waits for a second stage


@dataclass(frozen=True, slots=True)
class TwoStages:
    """One query: `first`, the candidates to look at again, best first; `late`, MaxSim of those; `rest` after them."""

    first: Scored
    late: Mapping[str, float]
    rest: Scored


def choose_shares(
    engine: SearchEngine, late: LateInteraction, questions: EvaluationSet, photos: Photos, margin: float
) -> tuple[dict[LateKind, float], dict[str, dict[str, Any]]]:
    """The best share of each kind that has questions, and how it was chosen.

    The engine's settings have no late interaction yet. A share must gain `margin` in the mean METRIC for each unit of
    it, so that noise does not pay for a second stage; of equal ones the smallest is taken. One by which some kind of
    question loses more than LOSS is out, whatever the others gain, and all of it must gain GAIN.
    """
    shares: dict[LateKind, float] = {}
    report: dict[str, dict[str, Any]] = {}
    for kind, names in ASKED.items():
        queries = [query for name in names for query in questions.of_kind(name)]
        if not queries:
            continue
        asked = {query.query_id: two_stages(engine, late, query, photos) for query in queries}
        tried = {share: _means(questions, queries, asked, share) for share in SHARES}
        means = {share: sum(found.values()) / len(found) for share, found in tried.items()}
        harmless = [
            share for share, found in tried.items() if all(found[name] >= tried[0.0][name] - LOSS for name in found)
        ]
        best = max(harmless, key=lambda share: (round(means[share] - margin * share, 9), -share))
        shares[kind] = best if means[best] - means[0.0] >= GAIN else 0.0
        report[kind] = {
            "share": shares[kind],
            "score": means[shares[kind]],
            "start_score": means[0.0],
            "queries": len(queries),
            "tried": {
                str(share): {name: round(value, 6) for name, value in found.items()} for share, found in tried.items()
            },
        }
    return shares, report


def two_stages(engine: SearchEngine, late: LateInteraction, query: EvaluationQuery, photos: Photos) -> TwoStages:
    """What both stages say of one question."""
    asked = as_asked(query, photos, KINDS[query.kind].systems[ENGINE].legs)
    retrieved = engine.retrieve(asked)
    fused, most = retrieved.ranked(engine.ranking), engine.ranking.candidates
    ids = [product_id for product_id, _ in fused[:most]]
    return TwoStages(fused[:most], late.scores(asked, ids, seen_by(retrieved.candidates)), fused[most:])


def _means(
    questions: EvaluationSet, queries: Sequence[EvaluationQuery], asked: Mapping[str, TwoStages], share: float
) -> dict[str, float]:
    """Kind of question -> mean METRIC."""
    run: Run = {
        query_id: (blend(stages.first, stages.late, share) + stages.rest)[:DEPTH] for query_id, stages in asked.items()
    }
    values = per_query(run, questions.grades(queries))
    by_kind: dict[str, list[str]] = {}
    for query in queries:
        by_kind.setdefault(query.kind, []).append(query.query_id)
    return {kind: mean(values, ids)[METRIC] for kind, ids in by_kind.items()}
