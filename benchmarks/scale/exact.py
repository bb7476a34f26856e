"""The yardstick: exact search in numpy, written as one would by hand."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.scale.world import Floats, World

_FEW = 0.2  # share of the rows up to which copying them costs less than multiplying all


class ExactNumpy:
    """One matrix product over `world.vectors`, which it does not copy; with a filter, over the rows that pass."""

    def __init__(self, world: World) -> None:
        self.vectors, self.prices = world.vectors, world.prices

    def search(self, query: Floats, limit: int, below: float | None) -> NDArray[np.intp]:
        """Rows of the `limit` nearest to `query` [D], best first; with `below`, of those with a lower price."""
        if below is None:
            return _best(self.vectors @ query, limit)
        rows = np.flatnonzero(self.prices < below)
        few = len(rows) < len(self.vectors) * _FEW
        scores = self.vectors[rows] @ query if few else (self.vectors @ query)[rows]
        return rows[_best(scores, limit)]


def _best(scores: Floats, limit: int) -> NDArray[np.intp]:
    if len(scores) > limit:
        kept = np.argpartition(-scores, limit)[:limit]
        return kept[np.argsort(-scores[kept])]
    return np.argsort(-scores)
