"""How much each leg counts in each kind of query, chosen on questions about the validation split.

Attributes are hidden from every leg (see evaluation.pool): what the weights are for is queries whose answer the
words of a title do not give away. The engine encodes and retrieves each query once; every setting ranks that again.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from evaluation.attribute_share import choose_share
from evaluation.judgements import EvaluationQuery, EvaluationSet
from evaluation.metrics import DEPTH, mean, per_query
from evaluation.odds import Judged, fit_odds
from evaluation.params import TuneParams
from evaluation.runs import Photos, as_asked
from evaluation.weights import Choice, Weights, choose_weights
from models.composer import Composer, SumComposer
from models.encoder import EncoderLike
from search.collection import ATTRIBUTES, Collection
from search.engine import Retrieved, SearchEngine
from search.logic import SearchLogic
from search.matching import Matching
from search.ranking import LEGS_OF_KIND, QueryKind, Ranking
from search.understanding.vocabulary import Vocabulary

# Which questions stand for each query kind of the ranking; each of them weighs the same.
ASKED: Mapping[QueryKind, tuple[str, ...]] = {
    "text": ("title_to_product", "attribute_en", "attribute_zh", "shop"),
    "image": ("photo_to_product", "photo_to_alike"),
    "text+image": ("photo_and_words",),
}
METRIC = "nDCG@10"


def weigh_legs(
    questions: EvaluationSet,
    hidden: Collection,
    encoder: EncoderLike,
    photos: Photos,
    params: TuneParams,
    matching: Matching | None = None,
    composer: Composer | None = None,
    vocabulary: Vocabulary | None = None,
) -> tuple[Ranking, dict[str, dict[str, Any]]]:
    """The ranking, and for each query kind how it was chosen by asking `hidden` (evaluation.pool.hidden_collection).

    naive_bayes is fitted on the questions and asks all legs of the kind. For the other fusions the search starts with
    equal weights for the legs that the default ranking gives to the kind; its other legs start at 0. A kind without
    questions keeps the default, and one whose weights `params` sets has those. `matching` is kept as it is. The
    attributes leg is silent here and is left out: see `weigh_attributes`.
    """
    ranking = Ranking(fusion=params.fusion, matching=matching or Matching())
    for kind, weights in params.weights.items():
        ranking = weighed(ranking, kind, shares(weights))
    engine = SearchLogic(ranking, composer or SumComposer(), vocabulary).engine(encoder, hidden)
    choices: dict[str, dict[str, Any]] = {}
    for kind, names in ASKED.items():
        queries = [query for name in names for query in questions.of_kind(name)]
        if not queries:
            continue
        legs = tuple(leg for leg in LEGS_OF_KIND[kind] if leg != ATTRIBUTES)
        usual = tuple(leg for leg in ranking.weights_for(kind) if leg in legs)
        retrieved = {query.query_id: engine.retrieve(as_asked(query, photos, legs)) for query in queries}
        if params.fusion == "naive_bayes":
            odds = {**ranking.odds, kind: fit_odds(_judged(questions, queries, retrieved))}
            ranking = weighed(ranking.model_copy(update={"odds": odds}), kind, dict.fromkeys(legs, 1 / len(legs)))
            score = _scorer(ranking, kind, questions, queries, retrieved)(ranking.weights[kind])
            choice = Choice(ranking.weights[kind], score, score, tried=1)
        elif kind in params.weights:
            score = _scorer(ranking, kind, questions, queries, retrieved)(ranking.weights[kind])
            choice = Choice(ranking.weights[kind], score, score, tried=1)
        else:
            start = {leg: 1 / len(usual) if leg in usual else 0.0 for leg in legs}
            scorer = _scorer(ranking, kind, questions, queries, retrieved)
            choice = choose_weights(scorer, start, floor=params.floor, step=params.step, margin=params.margin)
            ranking = weighed(ranking, kind, choice.weights)
        choices[kind] = {**asdict(choice), "queries": len(queries)}
    return ranking, choices


def weigh_attributes(
    questions: EvaluationSet,
    served: SearchEngine,
    photos: Photos,
    params: TuneParams,
    choices: Mapping[str, dict[str, Any]],
) -> tuple[Ranking, dict[str, dict[str, Any]]]:
    """The ranking of `served` with the share of its attributes leg chosen, and the choices with what came of it.

    `served` answers from the products with their attributes. naive_bayes weighs nothing: there the leg is just asked.
    Weights that `params` sets stay.
    """
    ranking, found = served.ranking, {kind: dict(choice) for kind, choice in choices.items()}
    for kind in ASKED:
        if ATTRIBUTES not in LEGS_OF_KIND[kind] or kind not in found or kind in params.weights:
            continue
        if ranking.fusion == "naive_bayes":
            legs = LEGS_OF_KIND[kind]
            ranking = weighed(ranking, kind, dict.fromkeys(legs, 1 / len(legs)))
            continue
        queries = [query for name in ASKED[kind] for query in questions.of_kind(name)]
        legs = tuple(leg for leg in LEGS_OF_KIND[kind] if leg == ATTRIBUTES or ranking.weights[kind].get(leg, 0.0) > 0)
        retrieved = {query.query_id: served.retrieve(as_asked(query, photos, legs)) for query in queries}
        scorer = _scorer(ranking, kind, questions, queries, retrieved)
        weights, score = choose_share(
            scorer, ranking.weights[kind], step=2 * params.step, most=params.attributes, margin=params.attributes_margin
        )
        ranking = weighed(ranking, kind, weights)
        found[kind]["as_served"] = {"weights": weights, "score": score}
    return ranking, found


def weighed(ranking: Ranking, kind: QueryKind, weights: Weights) -> Ranking:
    """`ranking` with other weights for one query kind."""
    return Ranking.model_validate({**ranking.model_dump(), "weights": {**ranking.weights, kind: dict(weights)}})


def shares(weights: Weights) -> dict[str, float]:
    """The same weights as shares of 1; a leg without any is left out."""
    total = sum(weights.values())
    return {leg: weight / total for leg, weight in weights.items() if weight > 0}


def _judged(
    questions: EvaluationSet, queries: Sequence[EvaluationQuery], retrieved: Mapping[str, Retrieved]
) -> Iterator[Judged]:
    """What was found for each query, with its grades; all kinds of `queries` weigh the same."""
    asked = Counter(query.kind for query in queries)
    for query in queries:
        found, grades = retrieved[query.query_id], questions.judgements[query.query_id]
        yield Judged(found, grades, 1 / asked[query.kind])


def _scorer(
    start: Ranking,
    kind: QueryKind,
    questions: EvaluationSet,
    queries: Sequence[EvaluationQuery],
    retrieved: Mapping[str, Retrieved],
) -> Callable[[Weights], float]:
    """Weights of `kind` in `start` -> mean METRIC over the kinds of `queries`, all kinds weighing the same."""
    by_kind: dict[str, list[str]] = {}
    for query in queries:
        by_kind.setdefault(query.kind, []).append(query.query_id)
    grades = questions.grades(queries)

    def score(weights: Weights) -> float:
        ranking = weighed(start, kind, weights)
        run = {query_id: found.ranked(ranking)[:DEPTH] for query_id, found in retrieved.items()}
        values = per_query(run, grades)
        return sum(mean(values, ids)[METRIC] for ids in by_kind.values()) / len(by_kind)

    return score
