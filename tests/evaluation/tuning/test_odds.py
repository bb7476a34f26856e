"""Fitting naive Bayes on judged candidates whose odds are known."""

import math
from collections.abc import Mapping

import pytest

from evaluation.tuning.odds import Judged, fit_odds
from search.collection import Scored
from search.ranking import LegOdds
from search.retrieved import Retrieved

BOTH = frozenset({"dense", "image"})


def found(candidates: Mapping[str, Scored], able: frozenset[str] = BOTH) -> Retrieved:
    ids = {product_id for scored in candidates.values() for product_id, _ in scored}
    return Retrieved("text", candidates, dict.fromkeys(ids, able), {})


def test_the_prior_is_the_share_of_relevant_candidates():
    # 1 relevant of 4 candidates, counted twice: (2 + .5) / (6 + .5)
    retrieved = found({"dense": [("a", 0.9), ("b", 0.5), ("c", 0.4), ("d", 0.1)]})
    odds = fit_odds([Judged(retrieved, {"a": 1}, 1.0), Judged(retrieved, {"a": 1}, 1.0)])
    assert odds.prior == pytest.approx(math.log(2.5 / 6.5))


def test_a_grade_counts_by_its_gain():
    # grades 3 and 1: gains 7 and 1, so 1 + 1/7 of the 4 candidates are relevant
    retrieved = found({"dense": [("a", 0.9), ("b", 0.5), ("c", 0.4), ("d", 0.1)]})
    assert fit_odds([Judged(retrieved, {"a": 3, "b": 1}, 1.0)]).prior == pytest.approx(
        math.log((8 / 7 + 0.5) / (20 / 7 + 0.5))
    )


def test_a_leg_that_finds_relevant_products_first_earns_a_slope_and_a_coin_does_not():
    right = [("a", 1.0), ("b", 0.6), ("c", 0.5), ("d", 0.0)]
    coin = [("d", 1.0), ("b", 0.6), ("c", 0.5), ("a", 0.0)]
    judged = [
        Judged(found({"dense": right, "image": coin}), {"a": 1, "b": 1}, 1.0),
        Judged(found({"dense": right, "image": coin}), {"a": 1, "c": 1}, 1.0),
        Judged(found({"dense": right, "image": [("a", 1.0), *coin[1:3], ("d", 0.0)]}), {"a": 1}, 1.0),
    ]
    odds = fit_odds(judged)
    assert odds.of("dense").slope > 1.0
    assert odds.of("image").slope < 0.5


def test_a_leg_that_ranks_backwards_says_only_that_it_found_the_product():
    # image finds 2 of 3 candidates, 1 of them relevant; better scores are the irrelevant ones
    retrieved = found({"dense": [("a", 0.9), ("b", 0.5), ("c", 0.1)], "image": [("b", 0.9), ("a", 0.1)]})
    leg = fit_odds([Judged(retrieved, {"a": 1}, 1.0)] * 3).of("image")
    prior = math.log(3.5 / 6.5)
    assert (leg.slope, leg.offset) == (0.0, pytest.approx(math.log(3.5 / 3.5) - prior))
    assert leg.absent == pytest.approx(math.log(0.5 / 3.5) - prior)  # c, never relevant


def test_a_product_that_a_leg_cannot_find_teaches_nothing_about_its_absence():
    candidates: dict[str, Scored] = {"dense": [("a", 0.9), ("b", 0.5), ("c", 0.1)], "image": [("a", 0.9), ("b", 0.1)]}
    able = {"a": BOTH, "b": BOTH, "c": frozenset({"dense"})}
    leg = fit_odds([Judged(Retrieved("text", candidates, able, {}), {"a": 1}, 1.0)]).of("image")
    assert leg.absent == leg.offset


def test_a_leg_with_nothing_to_learn_from_keeps_the_default():
    retrieved = found({"dense": [("a", 0.9), ("b", 0.5)], "image": [("b", 0.5)]})
    odds = fit_odds([Judged(retrieved, {"a": 1}, 1.0)])
    assert "image" not in odds.legs
    assert odds.of("image") == LegOdds()


def test_queries_weigh_what_they_are_given_and_only_shares_of_it_count():
    one, other = found({"dense": [("a", 0.9), ("b", 0.5), ("c", 0.1)]}), found({"dense": [("d", 0.9), ("e", 0.2)]})
    odds = fit_odds([Judged(one, {"a": 1}, 2.0), Judged(other, {"e": 1}, 1.0)])
    # weight of relevant candidates 2 + 1, of all 3 x 2 + 2 x 1 over 5 candidates: 3 / 1.6 of 5 are relevant
    assert odds.prior == pytest.approx(math.log((3 / 1.6 + 0.5) / (5 - 3 / 1.6 + 0.5)))
    assert fit_odds([Judged(one, {"a": 1}, 8.0), Judged(other, {"e": 1}, 4.0)]) == odds
