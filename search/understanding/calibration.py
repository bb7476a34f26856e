"""The weights of neighbours, learned from the vocabulary itself: each name in turn is taken for an unknown word.

A name must be found by the other names of its value, without those that hold it or that it holds; words of the
background (frequent words that name nothing) must be found by none. Pure numpy, deterministic.

Legend: B examples, V values, F features, N names.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.words.tokens import holds, language_of, normalise, tokenize
from search.understanding.neighbours import FEATURES, Mask, Scores

_RIDGE = 1e-3
_ROUNDS = 40
_CLOSE = 1e-8


def kin(names: Sequence[str], asked: Sequence[int]) -> Mask:
    """[B, N]: whether names[asked[b]] and names[n] say the same, or one of them holds the other."""
    words = [_parts(name) for name in names]
    return np.array([[holds(other, words[a]) or holds(words[a], other) for other in words] for a in asked], dtype=bool)


def fit(features: Scores, truth: NDArray[np.int64], weights: Scores) -> tuple[float, ...]:
    """F weights and the score of "nothing", by Newton's method on the weighted log likelihood with a small ridge.

    `features` [B, V, F]; `truth` [B] is a value, or -1 for nothing; `weights` [B] of the examples.
    """
    count, values, width = features.shape
    rows = np.zeros((count, values + 1, width + 1))
    rows[:, :values, :width] = features
    rows[:, values, width] = 1.0
    truth = np.where(truth < 0, values, truth)
    weights = weights / weights.sum()
    found = np.zeros(width + 1)
    found[0] = 1.0
    for _ in range(_ROUNDS):
        chances = _chances(rows @ found)
        expected = np.einsum("bv,bvf->bf", chances, rows)
        slope = weights @ (expected - rows[np.arange(count), truth]) + _RIDGE * found
        spread = np.einsum("b,bv,bvf,bvg->fg", weights, chances, rows, rows, optimize=True)
        spread -= np.einsum("b,bf,bg->fg", weights, expected, expected)
        move = np.linalg.solve(spread + _RIDGE * np.eye(width + 1), slope)
        found = found - move / max(1.0, float(np.abs(move).max()) / 5.0)  # a step of at most 5 in any weight
        if float(np.abs(move).max()) < _CLOSE:
            break
    return tuple(round(float(weight), 6) for weight in found)


def _chances(scores: Scores) -> Scores:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances: Scores = raised / raised.sum(axis=1, keepdims=True)
    return chances


def _parts(name: str) -> tuple[str, ...]:
    return tuple(normalise(name).replace(" ", "")) if language_of(name) != "en" else tuple(tokenize(name))


UNCALIBRATED = (10.0, *(0.0 for _ in range(FEATURES - 1)), 8.0)  # nearest name alone, from cosine 0.8 on
