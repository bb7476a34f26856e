"""How much the attributes leg weighs."""

import pytest

from evaluation.tuning.attribute_share import choose_share, shared

OTHERS = {"dense": 0.6, "lexical": 0.4}


def test_the_share_is_taken_from_the_others_in_proportion():
    assert shared(OTHERS, 0.5) == {"dense": 0.3, "lexical": 0.2, "attributes": 0.5}
    assert shared({**OTHERS, "attributes": 1.0}, 0.0) == OTHERS


def test_the_best_share_is_found_and_none_is_taken_for_nothing():
    peak = choose_share(lambda w: -abs(w.get("attributes", 0.0) - 0.3), OTHERS, step=0.1, most=0.6, margin=0.0)
    assert peak[0]["attributes"] == pytest.approx(0.3)
    assert choose_share(lambda w: 0.5, OTHERS, step=0.1, most=0.6, margin=0.01) == (OTHERS, 0.5)


def test_the_share_stays_within_its_limit():
    weights, score = choose_share(lambda w: w.get("attributes", 0.0), OTHERS, step=0.1, most=0.4, margin=0.0)
    assert (weights["attributes"], score) == (pytest.approx(0.4), pytest.approx(0.4))
