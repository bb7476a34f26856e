"""Does a collection find what exact search finds? overlap@10, without a filter and under narrow ones.

Approximate indexes lose recall under filters first, so the filters are chosen from the catalogue's own fields to let
about 50, 10 and 1 % of the products through. Lexical legs are left out: BM25 scores differ between backends.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.products import CATEGORY, Product
from evaluation.evidence import Fidelity
from search.collection import Collection
from search.filters import EVERYTHING, Filter, parse_filters

SELECTIVITIES: Mapping[str, float] = {"50%": 0.5, "10%": 0.1, "1%": 0.01}
DEPTH = 10
SAME_SCORE = 1e-4  # cosine; within it two products may change places

MOST_VALUES = 100  # in one filter
MOST_CHARACTERS = 200  # in one value
# an attribute of such a name is another field's
_OTHER_FIELDS = (CATEGORY, "brand", "currency", "language", "price", "rating", "stock", "in_stock")

RawFilter = Mapping[str, Any]


def index_fidelity(
    exact: Collection,
    collection: Collection,
    queries: Mapping[str, NDArray[np.float32]],
    filters: Mapping[str, RawFilter],
) -> Fidelity:
    """Mean overlap@10 of `collection` with `exact` over `queries` (vector leg -> unit rows [B, D]).

    `filters`: name of a selectivity -> filter as a caller of the service writes it (see filters_by_selectivity).
    """
    parsed = {name: parse_filters(raw, exact.fields) for name, raw in filters.items()}
    return Fidelity(
        overlap=_mean_overlap(exact, collection, queries, EVERYTHING),
        filtered={name: _mean_overlap(exact, collection, queries, each) for name, each in parsed.items()},
    )


def overlap(truth: Sequence[tuple[str, float]], found: Sequence[str], depth: int = DEPTH) -> float:
    """Share of the first `depth` products of `found` that exact search could have put there.

    `truth` is the exact answer, best first, longer than `depth` where products tie: any product as good as the
    last one that fits counts. Where fewer than `depth` products exist, `found` must hold them all and no others.
    """
    wanted = min(depth, len(truth))
    if wanted == 0:
        return 0.0 if found else 1.0
    least = truth[wanted - 1][1] - SAME_SCORE
    good_enough = {product_id for product_id, score in truth if score >= least}
    answered = found[:depth]
    return len(good_enough.intersection(answered)) / max(wanted, len(answered))


def filters_by_selectivity(products: Sequence[Product]) -> dict[str, RawFilter]:
    """For each of SELECTIVITIES a filter that lets about that share of `products` through.

    Made of the values of one field, or a price limit, whichever comes nearest; left out where nothing comes within
    a factor of two.
    """
    chosen: dict[str, RawFilter] = {}
    for name, share in SELECTIVITIES.items():
        wanted = share * len(products)
        best = min(_candidates(products, wanted), key=lambda found: abs(log(found[1] / wanted)), default=None)
        if best is not None and wanted / 2 <= best[1] <= wanted * 2:
            chosen[name] = best[0]
    return chosen


def _candidates(products: Sequence[Product], wanted: float) -> Iterable[tuple[RawFilter, int]]:
    """Filters with the number of products each lets through, all more than 0."""
    having: defaultdict[str, defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for number, product in enumerate(products):
        for field, value in product.attributes.items():
            if field not in _OTHER_FIELDS and 0 < len(value) <= MOST_CHARACTERS:
                having[field][value].add(number)
        for level in product.category:
            having[CATEGORY][level].add(number)
    for field in sorted(having):
        frequent_first = sorted(having[field].items(), key=lambda item: (-len(item[1]), item[0]))
        values: list[str] = []
        through: set[int] = set()
        for value, numbers in frequent_first:
            if len(through | numbers) <= wanted * 1.05 and len(values) < MOST_VALUES:
                values.append(value)
                through |= numbers
        if values:
            yield {field: values}, len(through)
    prices = sorted(product.price for product in products if product.price is not None)
    if prices:
        limit = prices[min(round(wanted), len(prices) - 1)]
        below = sum(price < limit for price in prices)
        if below:
            yield {"price": {"lt": limit}}, below


def _mean_overlap(
    exact: Collection, collection: Collection, queries: Mapping[str, NDArray[np.float32]], narrow: Filter
) -> float:
    overlaps = []
    for leg, vectors in queries.items():
        for vector in vectors:
            truth = exact.search(leg, vector, exact.count(), narrow)
            found = collection.search(leg, vector, DEPTH, narrow)
            overlaps.append(overlap(truth, [product_id for product_id, _ in found]))
    if not overlaps:
        raise ValueError("index fidelity needs at least one query.")
    return float(np.mean(overlaps))
