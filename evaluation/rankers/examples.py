"""Candidates with grades: what a ranker learns from, and what it is judged by.

Each question is asked of the index as it is served and of the index without attributes (evaluation.pool). Derived
grades come from attributes. A ranker that saw only the index as served would learn to read the grades off what the
attributes say; one that saw only the other would not know what to do with them. So it sees both, and what is hidden is
NaN to it.

Legend: Q questions, R rows (candidates of all questions), F features.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.pool import PoolEngines
from evaluation.queries.judgements import EvaluationQuery, EvaluationSet
from evaluation.queries.kinds import FOR_JUDGING
from evaluation.runs import Photos, as_asked
from search.collection import Scored
from search.engine import SearchEngine
from search.ranking import QueryKind
from search.ranking.features import Floats, ShopFacts, features_of

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Look:
    """The top of the fused candidates for one question. `features` [C, all of FEATURES]; `cell`: what is counted alike.

    A cell is a kind of question and an index: "attribute_en, hidden".
    """

    query: EvaluationQuery
    kind: QueryKind
    cell: str
    ranked: Scored
    features: Floats


@dataclass(frozen=True)
class Examples:
    """`features` [R, F] and `grades` [R] of the candidates of Q questions, one after the other.

    `sizes` [Q]: rows of each question. `weights` [Q], mean 1: each cell weighs the same, however often it was asked.
    """

    features: Floats
    grades: Integers
    sizes: Integers
    weights: Floats


def looks(engines: PoolEngines, questions: EvaluationSet, photos: Photos, facts: ShopFacts) -> list[Look]:
    """Every question that names no legs, asked of both indexes; those that find nothing are left out.

    So are the kinds that are for judging alone.
    """
    asked = [query for query in questions.queries if query.legs is None and query.kind not in FOR_JUDGING]
    found = [
        _look(engine, query, f"{query.kind}, {name}", photos, facts)
        for query in asked
        for name, engine in (("served", engines.served), ("hidden", engines.hidden))
    ]
    return [look for look in found if look.ranked]


def examples(found: Sequence[Look], questions: EvaluationSet) -> Examples:
    """What can be learned from `found`: the questions with candidates of more than one grade."""
    graded = [(look, _grades(look, questions)) for look in found]
    useful = [(look, grades) for look, grades in graded if len(set(grades)) > 1]
    asked = Counter(look.cell for look, _ in useful)
    weights = np.array([1 / asked[look.cell] for look, _ in useful], dtype=np.float64)
    width = found[0].features.shape[1] if found else 0
    return Examples(
        features=np.concatenate([np.zeros((0, width)), *(look.features for look, _ in useful)]),
        grades=np.array([grade for _, grades in useful for grade in grades], dtype=np.int64),
        sizes=np.array([len(grades) for _, grades in useful], dtype=np.int64),
        weights=weights * len(weights) / weights.sum() if len(weights) else weights,
    )


def _look(engine: SearchEngine, query: EvaluationQuery, cell: str, photos: Photos, facts: ShopFacts) -> Look:
    asked = as_asked(query, photos, None)
    found = engine.retrieve(asked)
    top = engine.ranked(found)[: engine.ranking.candidates]
    products = engine.collection.products([product_id for product_id, _ in top])
    features = features_of(asked, found.candidates, found.able, top, products, facts, found.understood)
    return Look(query, found.kind, cell, top, features)


def _grades(look: Look, questions: EvaluationSet) -> list[int]:
    grades = questions.judgements[look.query.query_id]
    return [max(grades.get(product_id, 0), 0) for product_id, _ in look.ranked]
