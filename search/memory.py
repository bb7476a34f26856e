"""A collection searched in process, exactly: one matrix product or one BM25, and a mask."""

from collections.abc import Sequence
from functools import cache

import bm25s  # noqa: F401  (search.lexical loads it late: here it comes while a reader still reads)
import numpy as np

from catalog.errors import UnknownProduct
from search.collection import DECIMALS, FIELD_OF_LEG, LEXICAL, Scored, Vector
from search.filters import EVERYTHING, Filter, FilterFields
from search.lexical import BM25, stored_words
from search.matching import METRICS
from search.rows import Payload, Rows

_FEW = 0.2  # share of the rows up to which copying them costs less than multiplying all
_TIE = np.float32(2 * 10.0**-DECIMALS)  # scores that round to the same number are never further apart


class MemoryCollection:
    """See search.collection.Collection. Read-only: threads may share it."""

    def __init__(self, rows: Rows, *, name: str, release: str) -> None:
        self.rows = rows
        self.name = name
        self.release = release
        self.encoder = rows.encoder
        self.metric = rows.metric
        self.freshness = rows.freshness
        self._bm25 = BM25.of_tokens([words.split() for words in rows.words])
        self._legs = _legs(rows)
        rows.prepare()

    @property
    def fields(self) -> FilterFields:
        """What it can be filtered by."""
        return self.rows.fields

    def close(self) -> None:
        """Nothing to give back: it holds rows, and no connection."""

    def count(self) -> int:
        """N."""
        return len(self.rows)

    def search(self, leg: str, query: Vector | str, limit: int, narrow: Filter = EVERYTHING) -> Scored:
        """See Collection. Vectors: [N, D] and [D] -> [N]."""
        if leg == LEXICAL:
            if not isinstance(query, str):
                raise TypeError("the lexical leg takes words")
            scores = self._bm25.scores_of(stored_words(query))
            found = scores > 0
        else:
            return self._nearest(FIELD_OF_LEG[leg], np.asarray(query, dtype=np.float32), limit, narrow)
        rows = np.flatnonzero(found & self.rows.mask(narrow) if narrow else found)
        return self._best(scores[rows], rows, limit)

    def _nearest(self, field: str, query: Vector, limit: int, narrow: Filter) -> Scored:
        """Rows that pass `narrow` by the metric; where those are few, only they are compared."""
        vectors, present, metric = self.rows.vectors[field], self.rows.present[field], METRICS[self.metric]
        rows = np.flatnonzero(present & self.rows.mask(narrow) if narrow else present)
        few = len(rows) < len(vectors) * _FEW
        scores = metric.scores(vectors[rows], query) if few else metric.scores(vectors, query)[rows]
        return self._best(scores, rows, limit)

    def legs_of(self, ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """The legs in which each product can be found at all."""
        return {product_id: self._legs[row] for product_id, row in zip(ids, self._at(ids), strict=True)}

    def tags_of(self, ids: Sequence[str]) -> dict[str, Sequence[str]]:
        """The facet tags of each product. Raises UnknownProduct."""
        return {product_id: self.rows.tags[row] for product_id, row in zip(ids, self._at(ids), strict=True)}

    def products(self, ids: Sequence[str]) -> list[Payload]:
        """What a hit shows of each product. Raises UnknownProduct."""
        return [self.rows.payloads[row] for row in self._at(ids)]

    def vectors(self, ids: Sequence[str], field: str) -> Vector:
        """Rows [len(ids), D] of `field`, zero where missing. Raises UnknownProduct."""
        return self.rows.vectors[field][self._at(ids)]

    def _at(self, ids: Sequence[str]) -> list[int]:
        try:
            return [self.rows.position[product_id] for product_id in ids]
        except KeyError as error:
            raise UnknownProduct(f"There is no product {str(error.args[0])[:100]!r} in {self.release}.") from None

    def _best(self, scores: Vector, rows: np.ndarray[tuple[int, ...], np.dtype[np.intp]], limit: int) -> Scored:
        """The `limit` best of `rows` by their `scores`; equal ones in the order of rows, which is that of ids."""
        if len(rows) > limit:
            last = np.partition(scores, len(scores) - limit)[len(scores) - limit]
            near = scores >= last - _TIE  # all that could tie with the last one: the order cuts the tie, not chance
            scores, rows = scores[near], rows[near]
        own = np.round(scores.astype(np.float64), DECIMALS)
        order = np.argsort(-own, kind="stable")[:limit]
        ids = self.rows.ids
        return [(ids[row], score) for row, score in zip(rows[order].tolist(), own[order].tolist(), strict=True)]


def _legs(rows: Rows) -> list[frozenset[str]]:
    """Of each row, the legs in which it can be found; rows with the same legs share one set."""
    able = {leg: rows.present[field] for leg, field in FIELD_OF_LEG.items()}
    able[LEXICAL] = np.array([bool(words) for words in rows.words], dtype=bool)
    whole = cache(lambda *told: frozenset(leg for leg, known in zip(able, told, strict=True) if known))
    return [whole(*told) for told in zip(*(known.tolist() for known in able.values()), strict=True)]
