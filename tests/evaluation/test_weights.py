"""The search for weights on surfaces whose top is known."""

import pytest

from evaluation.weights import Weights, choose_weights

LEGS = ("dense", "image", "text", "lexical")


def test_a_surface_without_a_slope_stays_balanced() -> None:
    choice = choose_weights(lambda weights: 0.7, LEGS, floor=0.1, step=0.05, margin=0.0)
    assert choice.weights == dict.fromkeys(LEGS, 0.25)
    assert choice.score == choice.balanced_score == 0.7


def test_the_top_of_a_smooth_surface_is_found() -> None:
    top = {"dense": 0.4, "image": 0.3, "text": 0.2, "lexical": 0.1}

    def score(weights: Weights) -> float:
        return 1.0 - sum((weights[leg] - top[leg]) ** 2 for leg in LEGS)

    choice = choose_weights(score, LEGS, floor=0.1, step=0.05, margin=0.0)
    assert choice.weights == pytest.approx(top)
    assert choice.score == pytest.approx(1.0)
    assert sum(choice.weights.values()) == pytest.approx(1.0)


def test_no_leg_falls_below_the_floor_however_good_another_is() -> None:
    choice = choose_weights(lambda weights: weights["lexical"], LEGS, floor=0.1, step=0.05, margin=0.0)
    assert choice.weights == pytest.approx({"dense": 0.1, "image": 0.1, "text": 0.1, "lexical": 0.7})


def test_a_gain_smaller_than_the_margin_is_not_worth_leaving_balance() -> None:
    def score(weights: Weights) -> float:
        return 0.5 + 0.04 * weights["lexical"]  # .04 for each unit moved

    assert choose_weights(score, LEGS, floor=0.1, step=0.05, margin=0.05).weights["lexical"] == 0.25
    assert choose_weights(score, LEGS, floor=0.1, step=0.05, margin=0.03).weights["lexical"] == pytest.approx(0.7)


def test_two_legs_and_one_leg_work_too() -> None:
    assert choose_weights(
        lambda weights: weights["image"], ("dense", "image"), floor=0.2, step=0.1, margin=0.0
    ).weights == (pytest.approx({"dense": 0.2, "image": 0.8}))
    assert choose_weights(lambda weights: 1.0, ("dense",), floor=0.1, step=0.1, margin=0.0).weights == {"dense": 1.0}


def test_a_setting_is_scored_once() -> None:
    asked: list[tuple[float, ...]] = []

    def score(weights: Weights) -> float:
        asked.append(tuple(weights[leg] for leg in LEGS))
        return weights["dense"]

    choice = choose_weights(score, LEGS, floor=0.1, step=0.05, margin=0.0)
    assert len(asked) == len(set(asked)) == choice.tried
