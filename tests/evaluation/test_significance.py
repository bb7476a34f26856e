"""The bootstrap on data whose truth is known."""

import numpy as np
import pytest

from evaluation.significance import mean_interval, paired_difference, stratified_interval


def test_the_interval_covers_the_true_difference_about_95_times_in_100() -> None:
    generator = np.random.default_rng(0)
    truth, trials, n = 0.05, 400, 120
    covered = above = 0
    for trial in range(trials):
        champion = generator.random(n)
        challenger = champion + truth + generator.normal(0.0, 0.3, n)
        interval = paired_difference(challenger, champion, seed=trial, rounds=400)
        covered += interval.low <= truth <= interval.high
        above += interval.lower_bound <= truth
    # binomial standard error of 400 trials at .95: sqrt(.95 x .05 / 400) = .011
    assert 0.91 <= covered / trials <= 0.98
    assert 0.91 <= above / trials <= 0.98


def test_pairing_sees_a_small_gain_that_two_separate_means_would_hide() -> None:
    generator = np.random.default_rng(1)
    champion = generator.random(200)
    challenger = champion + 0.02 + generator.normal(0.0, 0.02, 200)
    assert paired_difference(challenger, champion, seed=1, rounds=500).lower_bound > 0
    assert mean_interval(challenger, seed=1, rounds=500).low < mean_interval(champion, seed=1, rounds=500).high


def test_no_difference_has_no_width() -> None:
    interval = paired_difference([0.0, 1.0, 0.5], [0.0, 1.0, 0.5], seed=1, rounds=100)
    assert (interval.mean, interval.low, interval.lower_bound, interval.high) == (0.0, 0.0, 0.0, 0.0)


def test_the_same_seed_gives_the_same_interval_and_the_bounds_are_in_order() -> None:
    values = np.random.default_rng(2).random(50)
    interval = mean_interval(values, seed=3, rounds=500)
    assert interval == mean_interval(values, seed=3, rounds=500)
    assert interval.low <= interval.lower_bound <= interval.mean <= interval.high
    assert interval.n == 50


def test_strata_weigh_the_same_whatever_their_size() -> None:
    interval = stratified_interval([[1.0], [0.0] * 99], seed=1, rounds=100)
    assert interval.mean == pytest.approx((1.0 + 0.0) / 2)  # the plain mean would be 1 / 100
    assert interval.n == 100


def test_many_rounds_are_computed_in_parts_that_change_nothing_in_the_mean() -> None:
    values = np.arange(5000, dtype=float) / 5000
    interval = mean_interval(values, seed=1, rounds=1700)  # 8.5 M cells: more than one part
    assert interval.mean == pytest.approx(values.mean())
    # standard error of the mean of a uniform: .2887 / sqrt(5000) = .0041; 95 % interval +- 1.96 of them
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * 0.2887 / 5000**0.5, rel=0.1)


def test_pairs_of_unequal_length_and_empty_values_are_refused() -> None:
    with pytest.raises(ValueError, match="same queries"):
        paired_difference([1.0, 0.0], [1.0], seed=1, rounds=100)
    with pytest.raises(ValueError, match="at least one value"):
        mean_interval([], seed=1, rounds=100)
