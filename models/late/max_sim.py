"""MaxSim (Khattab and Zaharia, "ColBERT", SIGIR 2020): each token of the query counts by its best match.

    score(q, p) = 1/T * sum over tokens i of the query of  max over tokens j of the product of  q_i . p_j

The mean in the place of ColBERT's sum orders the same and does not grow with the query. Product tokens have length 1;
those of a query are as long as they matter.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Codes = NDArray[np.int8]


def best_of_places(query: Floats, codes: Codes, scale: Floats) -> Floats:
    """[n, T]: best match of each query token [T, W] among the J tokens of n pictures, int8 [n, J, W] of `scale` [W].

    The scale is put into the query, so no picture is decoded.
    """
    count, places, width = codes.shape
    flat = codes.reshape(count * places, width).astype(np.float32)
    best: Floats = (flat @ (query * scale).T).reshape(count, places, len(query)).max(axis=1)
    return best


def best_of_words(query: Floats, vectors: Floats, owners: NDArray[np.int64], count: int) -> Floats:
    """[n, T]: best match of each query token [T, W] among words [M, W] of n titles; `owners` [M] ascend.

    -inf for a title without words.
    """
    best = np.full((count, len(query)), -np.inf, dtype=np.float32)
    if len(owners):
        starts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]])
        best[owners[starts]] = np.maximum.reduceat(vectors @ query.T, starts, axis=0)
    return best


def scale_of(largest: Floats) -> Floats:
    """Scale [W] of int8 codes for numbers up to `largest` [W] in size."""
    scale: Floats = (np.where(largest > 0, largest, 1.0) / 127).astype(np.float32)
    return scale


def coded(vectors: Floats, scale: Floats) -> Codes:
    """[..., W] -> int8; codes x scale differ from what is within the scale by scale / 2 at most."""
    codes: Codes = np.clip(np.rint(vectors / scale), -127, 127).astype(np.int8)
    return codes
