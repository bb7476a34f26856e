"""The library's yardsticks: faiss, exact and as an HNSW graph with the constants that a Milvus server is given."""

import os
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.scale.world import Floats, World
from search.milvus.schema import HNSW

faiss: Any = import_module("faiss")  # its stubs know neither selectors nor what its Python side makes of arguments

EF = 128  # what search.milvus.collection asks with for ten hits


class FaissIndex:
    """One faiss index and the prices beside it."""

    def __init__(self, world: World, index: Any, parameters: Any) -> None:
        """`parameters` makes search parameters out of a selector of rows."""
        self.index, self.prices, self._parameters = index, world.prices, parameters
        faiss.omp_set_num_threads(os.cpu_count() or 1)
        for start in range(0, len(world), 50_000):
            self.index.add(np.array(world.vectors[start : start + 50_000]))
        faiss.omp_set_num_threads(1)

    def search(self, query: Floats, limit: int, below: float | None) -> NDArray[np.intp]:
        """As ExactNumpy.search."""
        selector = (
            None if below is None else faiss.IDSelectorBitmap(np.packbits(self.prices < below, bitorder="little"))
        )
        found = self.index.search(query[None, :], limit, params=self._parameters(selector))[1][0]
        rows: NDArray[np.intp] = found[found >= 0]
        return rows


def flat(world: World) -> FaissIndex:
    """Exact."""
    index = faiss.IndexFlatIP(world.vectors.shape[1])
    return FaissIndex(world, index, lambda selector: faiss.SearchParameters(sel=selector))


def hnsw(world: World) -> FaissIndex:
    """A graph; M and efConstruction as on a server."""
    index = faiss.IndexHNSWFlat(world.vectors.shape[1], HNSW["M"], faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = HNSW["efConstruction"]
    return FaissIndex(world, index, lambda selector: faiss.SearchParametersHNSW(sel=selector, efSearch=EF))
