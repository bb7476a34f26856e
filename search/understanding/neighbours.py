"""Words that are no name: which facet values the text encoder puts them near, as probabilities.

z(y) = sum over features f of w_f * f(words, y)      p(y) = exp z(y) / (exp b + sum over values v of exp z(v))

b stands for "nothing of the catalogue". Features of a value: the cosine with its nearest name, a soft count of its near
names, the cosine with what its products look like, how frequent it is. A conditional logit (McFadden, 1974).

Legend: B spans of words, V values, N names, D width of the space, F features.
"""

import numpy as np
from numpy.typing import NDArray

from search.understanding.vocabulary import Floats, Vocabulary

FEATURES = 4
_SHARPNESS = 10.0  # of the soft count: a name 0.1 further away counts 1/e
_FAR = -1.0  # cosine of a value that has no name
Mask = NDArray[np.bool_]
Scores = NDArray[np.float64]


class Neighbours:
    """Values by the vectors of words."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        owners = np.array([number for _, number in vocabulary.names], dtype=np.int64)
        self._names = vocabulary.vectors
        self._named, self._starts = np.unique(owners, return_index=True)  # names are ascending by value
        self._looks = vocabulary.looks
        counts = np.array(vocabulary.counts, dtype=np.float64)
        self._frequency = np.log1p(counts) - np.log1p(counts).max(initial=0.0)
        self._values = len(vocabulary.facets)
        self._calibration = np.array(vocabulary.calibration, dtype=np.float64)

    def features(self, vectors: Floats, without: Mask | None = None) -> Scores:
        """[B, D] -> [B, V, F]; `without` [B, N] is True for names that must not help."""
        cosines = (vectors @ self._names.T).astype(np.float64)
        if without is not None:
            cosines = np.where(without, _FAR, cosines)
        nearest = np.full((len(vectors), self._values), _FAR)
        soft = np.full((len(vectors), self._values), 2 * _FAR)
        if len(self._named):
            nearest[:, self._named] = np.maximum.reduceat(cosines, self._starts, axis=1)
            counted = np.add.reduceat(np.exp(_SHARPNESS * (cosines - 1.0)), self._starts, axis=1)
            soft[:, self._named] = np.log(counted) / _SHARPNESS
        looks = (vectors @ self._looks.T).astype(np.float64)
        frequency = np.broadcast_to(self._frequency, nearest.shape)
        return np.stack([nearest, soft, looks, frequency], axis=-1)

    def probabilities(self, vectors: Floats) -> Scores:
        """[B, D] -> [B, V]; what is missing to 1 is the chance that the words mean nothing of the catalogue."""
        *weights, nothing = self._calibration
        scores = self.features(vectors) @ np.array(weights)
        scores[:, ~self._open()] = -np.inf
        top = np.maximum(scores.max(axis=1, initial=nothing), nothing)[:, None]
        raised = np.exp(scores - top)
        chances: Scores = raised / (raised.sum(axis=1, keepdims=True) + np.exp(nothing - top))
        return chances

    def _open(self) -> Mask:
        """[V]: values that have a name with a vector."""
        there = np.zeros(self._values, dtype=bool)
        there[self._named] = True
        return there
