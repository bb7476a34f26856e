"""What a release's products look like to the engine, whoever answers: Milvus, or the rows in this process."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from search.filters import EVERYTHING, Filter, FilterFields

Vector = NDArray[np.float32]
Scored = list[tuple[str, float]]  # (product id, score), best first, equal scores by id

LEXICAL = "lexical"
DENSE = "dense"
IMAGE = "image"
ATTRIBUTES = "attributes"  # what the tags of products say; the engine scores them (search.attributes)
FIELD_OF_LEG: Mapping[str, str] = MappingProxyType({DENSE: "fused", IMAGE: "image", "text": "text"})
LEGS = (*FIELD_OF_LEG, LEXICAL)  # those that a collection searches
QUERY_LEGS = (*LEGS, ATTRIBUTES)  # those that a query may name
DECIMALS = 6  # of a score: products with the same vector tie, whatever order the sums were made in


class Freshness(NamedTuple):
    """Which refresh of its release a collection holds (search.refreshes): 0 as it was built.

    `coming` is one that was begun and has not ended: some products are as in it, all others as in `number`. 0: none.
    """

    number: int = 0
    coming: int = 0


AS_MADE = Freshness()


class Collection(Protocol):
    """N products of one release, built by one encoder."""

    @property
    def name(self) -> str:
        """Name of the Milvus collection."""

    @property
    def release(self) -> str:
        """The release it belongs to."""

    @property
    def encoder(self) -> str:
        """Fingerprint of the encoder that made its vectors."""

    @property
    def metric(self) -> str:
        """How its vectors are compared (search.matching.METRICS)."""

    @property
    def freshness(self) -> Freshness:
        """Which refresh it held when it was opened."""

    @property
    def fields(self) -> FilterFields:
        """What it can be filtered by."""

    def count(self) -> int:
        """N."""

    def close(self) -> None:
        """Give back what it holds of the store; it cannot be asked any more."""

    def search(self, leg: str, query: Vector | str, limit: int, narrow: Filter = EVERYTHING) -> Scored:
        """At most `limit` products, best first: the metric against `query` [D], or BM25 of the words for `lexical`.

        Products that lack the leg's modality, or share no word, are not among them.
        """

    def legs_of(self, ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """The legs in which each product can be found at all."""

    def tags_of(self, ids: Sequence[str]) -> dict[str, Sequence[str]]:
        """The facet tags of each product (search.filters.facet_tag). Raises UnknownProduct."""

    def products(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """What a hit shows of each product, in the order of `ids`. Raises UnknownProduct."""

    def vectors(self, ids: Sequence[str], field: str) -> Vector:
        """Rows [len(ids), D] of `field` (fused, image or text), zero where missing. Raises UnknownProduct."""
