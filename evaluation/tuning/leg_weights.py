"""How much each leg counts in each kind of query, chosen on questions about the validation split.

Attributes are hidden from every leg (see evaluation.pool): what the weights are for is queries whose answer the
words of a title do not give away. The engine encodes and retrieves each query once; every setting ranks that again.
"""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from evaluation.params import TuneParams
from evaluation.queries.judgements import EvaluationSet
from evaluation.runs import Photos
from evaluation.tuning.asked import asked_of, weighed
from evaluation.tuning.attribute_share import choose_share
from evaluation.tuning.odds import fit_odds
from evaluation.tuning.weights import Choice, Weights, choose_weights
from models.composer import Composer, SumComposer
from models.encoder import EncoderLike
from search.collection import ATTRIBUTES, Collection
from search.engine import SearchEngine
from search.logic import SearchLogic
from search.matching import Matching
from search.ranking import LEGS_OF_KIND, QueryKind, Ranking
from search.understanding.vocabulary import Vocabulary


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
    questions keeps the default, and one whose weights `params` sets has those. `matching` is kept as it is. With
    `params.names`, words that say more than attributes are a kind of their own; a vocabulary tells them. The attributes
    leg is silent here and is left out: see `weigh_attributes`.
    """
    ranking = Ranking(fusion=params.fusion, matching=matching or Matching())
    if params.names and params.fusion != "naive_bayes":
        ranking = weighed(ranking, "names", ranking.weights["text"])
    for kind, weights in params.weights.items():
        ranking = weighed(ranking, kind, shares(weights))
    engine = SearchLogic(ranking, composer or SumComposer(), vocabulary).engine(encoder, hidden)
    choices: dict[str, dict[str, Any]] = {}
    for kind, asked in asked_of(questions, engine, photos, _without_attributes).items():
        legs = _without_attributes(kind)
        usual = tuple(leg for leg in ranking.weights_for(kind) if leg in legs)
        if params.fusion == "naive_bayes":
            odds = {**ranking.odds, kind: fit_odds(asked.judged())}
            ranking = weighed(ranking.model_copy(update={"odds": odds}), kind, dict.fromkeys(legs, 1 / len(legs)))
        if params.fusion == "naive_bayes" or kind in params.weights:  # nothing to choose
            score = asked.scorer(ranking)(ranking.weights[kind])
            choice = Choice(ranking.weights[kind], score, score, tried=1)
        else:
            start = {leg: 1 / len(usual) if leg in usual else 0.0 for leg in legs}
            choice = choose_weights(
                asked.scorer(ranking), start, floor=params.floor, step=params.step, margin=params.margin
            )
            ranking = weighed(ranking, kind, choice.weights)
        choices[kind] = {**asdict(choice), "queries": len(asked.queries)}
    if "names" not in choices and "names" not in params.weights:  # too few were asked: they are text like any other
        ranking = ranking.model_copy(update={"weights": {k: own for k, own in ranking.weights.items() if k != "names"}})
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
    if ranking.fusion == "naive_bayes":
        for kind in ranking.weights.keys() & found.keys():
            ranking = weighed(ranking, kind, dict.fromkeys(LEGS_OF_KIND[kind], 1 / len(LEGS_OF_KIND[kind])))
        return ranking, found
    for kind, asked in asked_of(questions, served, photos, partial(_with_attributes, served.ranking)).items():
        if kind not in found or kind in params.weights:
            continue
        weights, score = choose_share(
            asked.scorer(ranking),
            ranking.weights[kind],
            step=2 * params.step,
            most=params.attributes,
            margin=params.attributes_margin,
        )
        ranking = weighed(ranking, kind, weights)
        found[kind]["as_served"] = {"weights": weights, "score": score}
    return ranking, found


def shares(weights: Weights) -> dict[str, float]:
    """The same weights as shares of 1; a leg without any is left out."""
    total = sum(weights.values())
    return {leg: weight / total for leg, weight in weights.items() if weight > 0}


def _without_attributes(kind: QueryKind) -> tuple[str, ...]:
    return tuple(leg for leg in LEGS_OF_KIND[kind] if leg != ATTRIBUTES)


def _with_attributes(ranking: Ranking, kind: QueryKind) -> tuple[str, ...]:
    """The legs that `ranking` weighs for the kind, for text with those of "names", and attributes."""
    kinds: tuple[QueryKind, ...] = ("text", "names") if kind == "text" else (kind,)
    used = {leg for own in kinds for leg, weight in ranking.weights.get(own, {}).items() if weight > 0}
    return tuple(leg for leg in LEGS_OF_KIND[kind] if leg in used | {ATTRIBUTES})
