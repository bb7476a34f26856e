"""What a ranker looks at: one row of numbers for each candidate of a query. Training and serving both call this.

    features_of(query, candidates, able, ranked, products, facts)   # [C, len(FEATURES)]

What is not known is NaN: a leg that was not asked or cannot find the product, a price that nobody wrote down. Freshness
counts from the newest product of the snapshot, not from today: the same query has the same answer every day.

Legend: C candidates, F features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.words.tokens import language_of, tokenize
from search.collection import Scored
from search.query import Query
from search.ranking.fusion import Able, Candidates, scaled_scores
from search.ranking.settings import LEGS_OF_KIND
from search.understanding.understood import Understood

Floats = NDArray[np.float64]
Columns = dict[str, Floats]
Payload = Mapping[str, Any]  # what search.rows.payload_of shows of a product

RANKED_LEGS = tuple(dict.fromkeys(leg for legs in LEGS_OF_KIND.values() for leg in legs))
OF_LEG = ("score", "scaled", "behind", "rank", "able")
FEATURES = (
    *(f"{leg}.{name}" for leg in RANKED_LEGS for name in OF_LEG),
    "legs.found",  # how many put it forward
    "fused.score",
    "fused.behind",
    "fused.rank",
    "product.price",
    "product.rating",
    "product.stock",
    "product.age_days",
    "product.popularity",  # ln(1 + actions of users)
    "product.pictures",
    "product.title_length",  # characters
    "product.description_length",
    "product.same_language",  # as the query's words
    "query.words",
    "query.chinese",  # 0 no, 0.5 mixed, 1 yes
    "query.photos",
    "query.mentions",  # parts that were understood as attributes
)

_DAY = 86_400.0  # seconds
_CHINESE = {"en": 0.0, "mixed": 0.5, "zh": 1.0}


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """What the candidates alone cannot tell. `newest`: latest updated_at of the snapshot, seconds since 1970.

    `actions`: product id -> how often users acted on it, None where the shop has no interactions at all.
    """

    newest: float | None = None
    actions: Mapping[str, int] | None = None


def features_of(
    query: Query,
    candidates: Candidates,
    able: Able,
    ranked: Scored,
    products: Sequence[Payload],
    facts: ShopFacts,
    understood: Understood | None = None,
) -> Floats:
    """[C, F] in the order of `ranked`: the fused candidates to look at, best first; `products` are theirs.

    `candidates`, `able` and `understood` are those of search.engine.Retrieved. How well the attributes match what the
    query names is what its leg `attributes` says.
    """
    ids = [product_id for product_id, _ in ranked]
    columns: Columns = {"legs.found": np.zeros(len(ids))}
    for leg in RANKED_LEGS:
        columns |= _leg_columns(leg, candidates.get(leg), able, ids)
        columns["legs.found"] += ~np.isnan(columns[f"{leg}.rank"])
    columns |= _fused_columns(ranked)
    columns |= _product_columns(ids, products, facts)
    columns |= _query_columns(query, products, understood)
    features: Floats = np.column_stack([columns[name] for name in FEATURES])
    return features


def seconds_of(updated_at: str | None) -> float:
    """ISO 8601 with a time zone as seconds since 1970; NaN for None."""
    return np.nan if updated_at is None else datetime.fromisoformat(updated_at).timestamp()


def _leg_columns(leg: str, scored: Scored | None, able: Able, ids: Sequence[str]) -> Columns:
    """scaled is 0 where the leg could have found a product and did not; the rest of it is then not known."""
    if scored is None:
        return {f"{leg}.{name}": np.full(len(ids), np.nan) for name in OF_LEG}
    ranks = {product_id: rank for rank, (product_id, _) in enumerate(scored, start=1)}
    at = np.array([ranks.get(product_id, 0) for product_id in ids], dtype=np.int64)  # 0: not found
    reach = np.array([leg in able[product_id] for product_id in ids], dtype=np.float64)
    scores = np.array([np.nan, *(score for _, score in scored)])[at]
    scaled = np.array([0.0, *scaled_scores(leg, scored).values()])[at]
    best = scored[0][1] if scored else np.nan
    return {
        f"{leg}.score": scores,
        f"{leg}.scaled": np.where(reach > 0, scaled, np.nan),
        f"{leg}.behind": best - scores,
        f"{leg}.rank": np.where(at > 0, at, np.nan),
        f"{leg}.able": reach,
    }


def _fused_columns(ranked: Scored) -> Columns:
    scores = np.array([score for _, score in ranked], dtype=np.float64)
    return {
        "fused.score": scores,
        "fused.behind": scores.max(initial=-np.inf) - scores,
        "fused.rank": np.arange(1.0, len(ranked) + 1),
    }


def _product_columns(ids: Sequence[str], products: Sequence[Payload], facts: ShopFacts) -> Columns:
    newest = np.nan if facts.newest is None else facts.newest
    ages = (newest - np.array([seconds_of(product["updated_at"]) for product in products], dtype=np.float64)) / _DAY
    actions = [np.nan if facts.actions is None else facts.actions.get(product_id, 0) for product_id in ids]
    return {
        **{f"product.{name}": _numbers(products, name) for name in ("price", "rating", "stock")},
        "product.age_days": np.maximum(ages, 0.0),  # a product that came after the snapshot is as new as its newest
        "product.popularity": np.log1p(np.array(actions, dtype=np.float64)),
        "product.pictures": np.array([len(product["images"]) for product in products], dtype=np.float64),
        "product.title_length": np.array([len(product["title"]) for product in products], dtype=np.float64),
        "product.description_length": np.array([len(product["description"]) for product in products], np.float64),
    }


def _query_columns(query: Query, products: Sequence[Payload], understood: Understood | None) -> Columns:
    words, count = query.words(), len(products)
    language = None if words is None else language_of(words)
    spoken = [None if p["language"] is None else p["language"].lower().replace("_", "-")[:2] for p in products]
    same = [np.nan if language in (None, "mixed") or own is None else own == language for own in spoken]
    return {
        "product.same_language": np.array(same, dtype=np.float64),
        "query.words": np.full(count, np.nan if words is None else len(tokenize(words))),
        "query.chinese": np.full(count, np.nan if language is None else _CHINESE[language]),
        "query.photos": np.full(count, float(len(query.images))),
        "query.mentions": np.full(count, np.nan if understood is None else len(understood.mentions)),
    }


def _numbers(products: Sequence[Payload], name: str) -> Floats:
    return np.array([np.nan if product[name] is None else product[name] for product in products], dtype=np.float64)
