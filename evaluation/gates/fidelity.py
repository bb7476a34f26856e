"""Does a collection find what exact search finds? overlap@10, without a filter and under narrow ones.

Approximate indexes lose recall under filters first, so the filters are chosen from the catalogue's own fields to let
about 50, 10 and 1 % of the products through. Lexical legs are left out: BM25 scores differ between backends.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.products import CATEGORY, Product
from catalog.words.text import product_text, tokenize
from evaluation.gates.evidence import Fidelity
from models.encoder import EncoderLike
from search.collection import LEXICAL, Collection
from search.filters import EVERYTHING, Filter, parse_filters
from search.rows import Rows

SELECTIVITIES: Mapping[str, float] = {"50%": 0.5, "10%": 0.1, "1%": 0.01}
DEPTH = 10
SAME_SCORE = 1e-4  # cosine; within it two products may change places

MOST_VALUES = 100  # in one filter
MOST_CHARACTERS = 200  # in one value
# an attribute of such a name is another field's
_OTHER_FIELDS = (CATEGORY, "brand", "currency", "language", "price", "rating", "stock", "in_stock")

RawFilter = Mapping[str, Any]
Photo = Callable[[str], bytes]  # media id -> picture file


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


def own_words(collection: Collection, products: Sequence[Product]) -> float | None:
    """Share of `products` that the lexical leg finds among the first DEPTH by their own title, or another product of
    that very title; None where none has a title. Where words are stored otherwise than questions are read, few are.
    """
    titled = [product for product in products if tokenize(product.title)]
    if not titled:
        return None
    found = 0
    for product in titled:
        ids = [product_id for product_id, _ in collection.search(LEXICAL, product.title, DEPTH)]
        wanted = set(tokenize(product.title))
        found += any(wanted <= set(tokenize(hit["title"])) for hit in collection.products(ids))
    return found / len(titled)


def own_vectors(rows: Rows, encoder: EncoderLike, products: Sequence[Product], photo: Photo) -> dict[str, float]:
    """Least cosine of the stored vectors of `products` with what `encoder` gives for their words, and for the picture
    of those that have just one; by modality. `photo`: media id -> picture file.
    """
    texts = [(product.id, text) for product in products if (text := product_text(product))]
    shown = [(product.id, product.images[0]) for product in products if len(product.images) == 1]
    made = {
        "text": (texts, encoder.encode_product_text),
        "image": (shown, lambda own: encoder.encode_image([photo(media) for media in own])),
    }
    found = {}
    for modality, (pairs, encode) in made.items():
        if pairs:
            at = [rows.position[product_id] for product_id, _ in pairs]
            now = encode([content for _, content in pairs])
            found[modality] = float(np.sum(rows.vectors[modality][at] * now, axis=1).min())
    return found


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
