"""What a collection holds, column by column, one row a product, sorted by id: equal scores then have one order.

    rows = build_rows(products, load_embeddings(), TermIndex(read_terms()))

Legend: N products, D width of the space.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import NotReady
from catalog.products import CATEGORY, Product
from catalog.words.terms import TermIndex
from catalog.words.text import lexical_text
from models.embeddings import FIELDS, ProductEmbeddings
from search.collection import AS_MADE, Freshness
from search.filters import IN_STOCK, RANGES, AnyOf, Clause, Filter, FilterFields, Flag, Range, Without, facet_tag
from search.lexical import stored_words
from search.matching import MetricName

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Payload = dict[str, Any]

PLAIN_FACETS = ("brand", "currency", "language")  # fields of a product that filter like attributes
MOST_WORD_BYTES = 60_000  # of the lexical leg; Milvus stores 65,535
MOST_DESCRIPTION = 4_000  # characters that a hit shows
_UNIT = 1e-3  # how far from 1 the length of a vector may be

_COMPARE = {"gte": np.greater_equal, "gt": np.greater, "lte": np.less_equal, "lt": np.less}


@dataclass(frozen=True)
class Rows:
    """N rows. `encoder` and `snapshot` say what the vectors were made with and from."""

    ids: tuple[str, ...]
    payloads: tuple[Payload, ...]
    """What a hit shows of its product, as JSON values."""
    words: tuple[str, ...]
    """stored_words of the lexical text, with spaces between them; empty where there are none."""
    vectors: Mapping[str, Floats]
    """fused, text, image -> [N, D]: unit rows, zero where missing."""
    present: Mapping[str, Mask]
    """The same names -> [N]: False where missing."""
    encoder: str
    snapshot: str
    metric: MetricName = "cosine"
    """How the vectors are compared."""
    freshness: Freshness = AS_MADE
    """Which refresh of their release they are of. No part of their digest."""

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Product id -> row."""
        return {product_id: row for row, product_id in enumerate(self.ids)}

    @cached_property
    def tags(self) -> tuple[tuple[str, ...], ...]:
        """Facet tags of each row."""
        tag = cache(facet_tag)  # values repeat: one string each, made once
        return tuple(tags_of(payload, tag) for payload in self.payloads)

    @cached_property
    def fields(self) -> FilterFields:
        """What these rows can be filtered by."""
        return filter_fields(name for payload in self.payloads for name in payload["attributes"])

    @cached_property
    def digest(self) -> str:
        """Names the rows by their content, 16 hex digits."""
        whole = hashlib.sha256(f"{self.encoder}\0{self.snapshot}\0{self.metric}\0".encode())
        for payload, words in zip(self.payloads, self.words, strict=True):
            whole.update(json.dumps([payload, words], sort_keys=True).encode())
        for name in FIELDS:
            whole.update(np.ascontiguousarray(self.vectors[name]).tobytes())
            whole.update(self.present[name].tobytes())
        return whole.hexdigest()[:16]

    def prepare(self) -> None:
        """Work out now what the first filtered query would wait for: seconds, in a large catalogue."""
        _ = self.position, self._having, self._groups, self._numbers, self._sellable, self.fields

    def mask(self, narrow: Filter) -> Mask:
        """[N]: True where a row passes every clause. An unknown number is within no range."""
        passed = np.ones(len(self), dtype=bool)
        for clause in narrow.clauses:
            passed &= self._passes(clause)
        return passed

    def _passes(self, clause: Clause) -> Mask:
        match clause:
            case AnyOf():
                passed = np.zeros(len(self), dtype=bool)
                for tag in clause.tags():
                    if (having := self._having.get(tag)) is not None:
                        passed[having] = True
            case Range():
                column = self._numbers[clause.field]
                passed = ~np.isnan(column)
                for bound, limit in clause.bounds:
                    passed &= _COMPARE[bound](column, limit)
            case Flag():
                passed = self._sellable == clause.value
            case Without():
                passed = np.ones(len(self), dtype=bool)
                passed[[row for row in [self.position.get(clause.product_id)] if row is not None]] = False
                if clause.group_id is not None:
                    passed[self._groups.get(clause.group_id, [])] = False
        return passed

    @cached_property
    def _having(self) -> dict[str, NDArray[np.intp]]:
        return {tag: np.array(rows, dtype=np.intp) for tag, rows in _rows_by(self.tags).items()}

    @cached_property
    def _groups(self) -> dict[str, list[int]]:
        return _rows_by([(payload["group_id"],) for payload in self.payloads])

    @cached_property
    def _numbers(self) -> dict[str, NDArray[np.float64]]:
        return {
            field: np.array([np.nan if p[field] is None else p[field] for p in self.payloads], dtype=np.float64)
            for field in RANGES
        }

    @cached_property
    def _sellable(self) -> Mask:
        return np.array([sellable(payload) for payload in self.payloads], dtype=bool)


def build_rows(
    products: Iterable[Product], embeddings: ProductEmbeddings, terms: TermIndex, metric: MetricName = "cosine"
) -> Rows:
    """Rows of `products`; `embeddings` may hold more. Raises NotReady when they do not fit together."""
    ordered = sorted(products, key=lambda product: product.id)
    at = {product_id: row for row, product_id in enumerate(embeddings.ids)}
    missing = [product.id for product in ordered if product.id not in at]
    if missing:
        raise NotReady(
            f"{len(missing)} products have no embedding (the first is {missing[0][:60]!r}): run the embed stage again."
        )
    if len({product.id for product in ordered}) < len(ordered):
        raise NotReady("Two products have the same id: ingest the catalogue again.")
    take = np.array([at[product.id] for product in ordered], dtype=np.int64)
    has_text, has_image = embeddings.has_text[take], embeddings.has_image[take]
    present = {"fused": has_text | has_image, "text": has_text, "image": has_image}
    return Rows(
        ids=tuple(product.id for product in ordered),
        payloads=tuple(payload_of(product) for product in ordered),
        words=tuple(words_of_product(product, terms) for product in ordered),
        vectors={name: _unit_rows(name, getattr(embeddings, name)[take], present[name]) for name in FIELDS},
        present=present,
        encoder=embeddings.encoder,
        snapshot=embeddings.snapshot,
        metric=metric,
    )


def filter_fields(attributes: Iterable[str]) -> FilterFields:
    """What products with these attributes can be filtered by."""
    return FilterFields(facets=tuple(sorted({CATEGORY, *PLAIN_FACETS, *attributes})))


def payload_of(product: Product) -> Payload:
    """What a hit shows of its product; of the description the first MOST_DESCRIPTION characters."""
    return {
        "id": product.id,
        "group_id": product.group_id,
        "title": product.title,
        "description": product.description[:MOST_DESCRIPTION],
        "brand": product.brand,
        CATEGORY: list(product.category),
        "attributes": dict(product.attributes),
        "price": product.price,
        "currency": product.currency,
        "language": product.language,
        "stock": product.stock,
        IN_STOCK: None if product.stock is None else product.stock > 0,
        "rating": product.rating,
        "updated_at": product.updated_at,
        "images": list(product.images),
    }


def product_of(payload: Payload) -> Product:
    """The product that payload_of shows; its description may have been cut."""
    values = {field.name: payload[field.name] for field in fields(Product) if field.name in payload}
    values[CATEGORY] = tuple(payload[CATEGORY])
    return Product(**{**values, "attributes": dict(payload["attributes"]), "images": tuple(payload["images"])})


def tags_of(payload: Payload, tag: Callable[[str, str], str] = facet_tag) -> tuple[str, ...]:
    """The facet tags of one product: attributes, every level of its category, brand, currency, language."""
    facets = [(CATEGORY, level) for level in payload[CATEGORY]]
    facets += [(name, payload[name]) for name in PLAIN_FACETS if payload[name]]
    facets += payload["attributes"].items()
    return tuple(dict.fromkeys(tag(field, value) for field, value in facets))


def sellable(payload: Payload) -> bool:
    """In stock, or not counted: many shops do not track what they can always deliver."""
    return payload[IN_STOCK] is not False


def words_of_product(product: Product, terms: TermIndex) -> str:
    """stored_words of the lexical text, at most MOST_WORD_BYTES, with spaces between them."""
    words = stored_words(lexical_text(product, terms))
    joined = " ".join(words)
    return joined if len(joined) <= MOST_WORD_BYTES else joined[:MOST_WORD_BYTES].rpartition(" ")[0]


def _unit_rows(name: str, vectors: Floats, present: Mask) -> Floats:
    """`vectors` [N, D] with zero rows where not present. Raises NotReady where one is not a unit vector."""
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    wrong = int(np.sum(~(np.abs(lengths - 1.0) <= _UNIT) & present))  # also counts what is not a number
    if wrong:
        raise NotReady(f"{wrong} {name} vectors do not have length 1: run the embed stage again.")
    return np.where(present[:, None], vectors, np.float32(0)).astype(np.float32)


def _rows_by(labels: Sequence[Sequence[str]]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row, own in enumerate(labels):
        for label in own:
            rows.setdefault(label, []).append(row)
    return rows
