"""The project's own collections, asked as the yardsticks are: with rows for answers instead of ids."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.scale.world import Floats
from search.collection import DENSE, LEXICAL, Collection
from search.filters import EVERYTHING, Filter, parse_filters

RELEASE = "scale-1"

Rows = NDArray[np.intp]


class Asked:
    """A search.collection.Collection of a benchmarks.scale.world."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection

    def search(self, query: Floats, limit: int, below: float | None) -> Rows:
        """As ExactNumpy.search, by the dense leg."""
        return self._rows(DENSE, query, limit, EVERYTHING if below is None else self._cheaper(below))

    def words(self, query: str, limit: int) -> Rows:
        """Rows by the lexical leg, best first."""
        return self._rows(LEXICAL, query, limit, EVERYTHING)

    def _cheaper(self, below: float) -> Filter:
        """What a caller writes, read as the engine reads it."""
        return parse_filters({"price": {"lt": below}}, self.collection.fields)

    def _rows(self, leg: str, query: Floats | str, limit: int, narrow: Filter) -> Rows:
        found = self.collection.search(leg, query, limit, narrow)
        return np.array([int(product_id[1:]) for product_id, _ in found], dtype=np.intp)  # row n is p0000000n
