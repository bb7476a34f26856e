"""Bag of words: the weighted sum of a text's word vectors, in unit length. The order of the words is lost.

Over random signs it is TF-IDF, in E numbers whose dot products are nearly those of the V counts (Achlioptas 2003);
over a file of word vectors it is their mean, weighted by IDF or as in SIF (Arora et al. 2017; the common component
that SIF takes away is taken away by the head, which centres its input).

Legend: B texts, L words, E numbers of a word.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from models.params import ModelParams, WordWeights
from models.towers.reader import Reader
from models.words import FIRST, NOTHING, PAD, Vocabulary

Floats = NDArray[np.float32]

_RARE = 1e-3  # SIF's a: a word with this share of all words weighs a half


class WeightedSum(Reader):
    """sum of weight * vector -> unit rows [B, E]."""

    def __init__(self, dim: int, params: ModelParams) -> None:
        super().__init__()
        self.width = dim

    def forward(self, words: Tensor, present: Tensor, weights: Tensor) -> Tensor:
        """See Reader."""
        return F.normalize((words * weights.unsqueeze(-1)).sum(dim=1), dim=-1)


def word_weights(words: Vocabulary, kind: WordWeights) -> Floats:
    """[V]: PAD weighs nothing, NOTHING 1, a piece as little as the commonest word, since a spelled word has many."""
    counts = np.array(list(words.counts.values()), dtype=np.float32)
    of_words = WEIGHTS[kind](counts, words.texts)
    weights = np.full(len(words), of_words.min(initial=1.0), dtype=np.float32)
    weights[[PAD, NOTHING]] = 0, 1
    weights[FIRST : FIRST + len(counts)] = of_words
    return weights


def idf(counts: Floats, texts: int) -> Floats:
    """log((1 + N) / (1 + n)) + 1 for a word that n of N texts hold."""
    return np.asarray(np.log((1 + texts) / (1 + counts)) + 1, dtype=np.float32)


def sif(counts: Floats, texts: int) -> Floats:
    """a / (a + p) for a word that makes up the share p of all words."""
    return np.asarray(_RARE / (_RARE + counts / max(1.0, float(counts.sum()))), dtype=np.float32)


WEIGHTS: Mapping[WordWeights, Callable[[Floats, int], Floats]] = {"idf": idf, "sif": sif}
