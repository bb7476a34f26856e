"""The search for weights on surfaces whose top is known."""

import pytest

from evaluation.tuning.weights import Weights, choose_weights

LEGS = ("dense", "image", "text", "lexical")
BALANCE = dict.fromkeys(LEGS, 0.25)


def test_a_surface_without_a_slope_stays_balanced() -> None:
    choice = choose_weights(lambda weights: 0.7, BALANCE, floor=0.1, step=0.05, margin=0.0)
    assert choice.weights == dict.fromkeys(LEGS, 0.25)
    assert choice.score == choice.start_score == 0.7


def test_the_top_of_a_smooth_surface_is_found() -> None:
    top = {"dense": 0.4, "image": 0.3, "text": 0.2, "lexical": 0.1}

    def score(weights: Weights) -> float:
        return 1.0 - sum((weights[leg] - top[leg]) ** 2 for leg in LEGS)

    choice = choose_weights(score, BALANCE, floor=0.1, step=0.05, margin=0.0)
    assert choice.weights == pytest.approx(top)
    assert choice.score == pytest.approx(1.0)
    assert sum(choice.weights.values()) == pytest.approx(1.0)


def test_no_leg_falls_below_the_floor_however_good_another_is() -> None:
    choice = choose_weights(lambda weights: weights["lexical"], BALANCE, floor=0.1, step=0.05, margin=0.0)
    assert choice.weights == pytest.approx({"dense": 0.1, "image": 0.1, "text": 0.1, "lexical": 0.7})


def test_a_gain_smaller_than_the_margin_is_not_worth_leaving_balance() -> None:
    def score(weights: Weights) -> float:
        return 0.5 + 0.04 * weights["lexical"]  # .04 for each unit moved

    assert choose_weights(score, BALANCE, floor=0.1, step=0.05, margin=0.05).weights["lexical"] == 0.25
    assert choose_weights(score, BALANCE, floor=0.1, step=0.05, margin=0.03).weights["lexical"] == pytest.approx(0.7)


def test_two_legs_and_one_leg_work_too() -> None:
    two = choose_weights(lambda each: each["image"], {"dense": 0.5, "image": 0.5}, floor=0.2, step=0.1, margin=0.0)
    assert two.weights == pytest.approx({"dense": 0.2, "image": 0.8})
    assert choose_weights(lambda each: 1.0, {"dense": 1.0}, floor=0.1, step=0.1, margin=0.0).weights == {"dense": 1.0}


def test_a_setting_is_scored_once() -> None:
    asked: list[tuple[float, ...]] = []

    def score(weights: Weights) -> float:
        asked.append(tuple(weights[leg] for leg in LEGS))
        return weights["dense"]

    choice = choose_weights(score, BALANCE, floor=0.1, step=0.05, margin=0.0)
    assert len(asked) == len(set(asked)) == choice.tried


def test_a_leg_that_the_start_leaves_out_may_gain_weight_and_has_no_floor() -> None:
    start = {"dense": 0.5, "image": 0.5, "text": 0.0}
    choice = choose_weights(lambda weights: weights["text"], start, floor=0.2, step=0.1, margin=0.0)
    assert choice.weights == pytest.approx({"dense": 0.2, "image": 0.2, "text": 0.6})
    without = choose_weights(lambda weights: -weights["text"], start, floor=0.2, step=0.1, margin=0.0)
    assert without.weights == {"dense": 0.5, "image": 0.5}
