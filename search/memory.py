"""A collection searched in process, exactly: one matrix product or one BM25, and a mask."""

from collections.abc import Sequence

import numpy as np

from catalog.errors import UnknownProduct
from search.collection import DECIMALS, FIELD_OF_LEG, LEXICAL, Scored, Vector
from search.filters import EVERYTHING, Filter, FilterFields
from search.lexical import BM25, stored_words
from search.matching import METRICS
from search.rows import Payload, Rows

_FEW = 0.2  # share of the rows up to which copying them costs less than multiplying all


class MemoryCollection:
    """See search.collection.Collection. Read-only: threads may share it."""

    def __init__(self, rows: Rows, *, name: str, release: str) -> None:
        self.rows = rows
        self.name = name
        self.release = release
        self.encoder = rows.encoder
        self.metric = rows.metric
        self._bm25 = BM25.of_tokens([words.split() for words in rows.words])
        self._worded = np.array([bool(words) for words in rows.words], dtype=bool)

    @property
    def fields(self) -> FilterFields:
        """What it can be filtered by."""
        return self.rows.fields

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
        legs = {}
        for product_id, row in zip(ids, self._at(ids), strict=True):
            able = [leg for leg, field in FIELD_OF_LEG.items() if self.rows.present[field][row]]
            legs[product_id] = frozenset([*able, LEXICAL] if self._worded[row] else able)
        return legs

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
        own = np.round(scores.astype(np.float64), DECIMALS)
        if len(rows) > limit:
            least = np.partition(own, len(own) - limit)[len(own) - limit]
            keep = own >= least  # all that tie with the last one: the order cuts the tie, not chance
            own, rows = own[keep], rows[keep]
        order = np.argsort(-own, kind="stable")[:limit]
        return [(self.rows.ids[rows[place]], float(own[place])) for place in order]
