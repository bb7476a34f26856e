"""Parity of the trained and the served encoder: what it counts, and that an encoder which serves otherwise is told."""

import numpy as np
import pytest

from evaluation.gates.fidelity import DEPTH
from evaluation.gates.parity import compared, overlap


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_an_overlap_by_hand():
    """Of ten best each, the second scoring has 7 of the first's: rows 0-9 against rows 3-12."""
    first = np.arange(20, 0, -1, dtype=np.float32)[None]
    second = first.copy()
    second[0, :3], second[0, 10:13] = -1, 15
    assert overlap(first, second) == pytest.approx(0.7)
    assert overlap(first, first) == 1.0
    assert overlap(first[:, :4], second[:, :4]) == 1.0  # fewer products than ten: all of them


def test_the_same_vectors_are_the_same_and_rounded_ones_nearly():
    random = np.random.default_rng(3)
    asked, products = unit(random.normal(size=(40, 32))), unit(random.normal(size=(500, 32)))
    same = compared("text", asked, asked.copy(), products)
    assert (same.n, same.overlap) == (40, 1.0) and same.cosine_min == pytest.approx(1.0, abs=1e-6)
    rounded = compared("text", asked, unit(asked + random.normal(scale=0.02, size=asked.shape)), products)
    assert 0.9 < rounded.cosine_min < rounded.cosine_mean < 1.0
    assert 0.5 < rounded.overlap < 1.0


def test_an_encoder_that_serves_something_else_has_hardly_anything_in_common():
    random = np.random.default_rng(4)
    asked, other = unit(random.normal(size=(60, 32))), unit(random.normal(size=(60, 32)))
    products = unit(random.normal(size=(1000, 32)))
    wrong = compared("image", asked, other, products)
    assert wrong.overlap < 5 * DEPTH / 1000 and wrong.cosine_min < 0.5


def test_products_that_tie_may_change_places():
    """Thirty products, all in three copies: rounding alone puts other copies first."""
    random = np.random.default_rng(5)
    asked, products = unit(random.normal(size=(40, 32))), np.repeat(unit(random.normal(size=(30, 32))), 3, axis=0)
    found = asked @ products.T
    rounded = found + random.normal(scale=1e-7, size=found.shape).astype(np.float32)
    firsts = [np.argsort(-scores, axis=1)[:, :DEPTH] for scores in (found, rounded)]
    assert any(set(one) != set(other) for one, other in zip(*firsts, strict=True))
    assert overlap(found, rounded) == 1.0
    apart = found + random.normal(scale=0.05, size=found.shape).astype(np.float32)
    assert overlap(found, apart) < 1.0
