"""The bootstrap on data whose truth is known."""

import numpy as np
import pytest
from scipy.stats import ttest_rel

from evaluation.significance import holm, mean_interval, paired_difference, paired_p_value, stratified_interval


def test_the_interval_covers_the_true_difference_about_95_times_in_100() -> None:
    generator = np.random.default_rng(0)
    truth, trials, n = 0.05, 400, 120
    covered = above = below = 0
    for trial in range(trials):
        champion = generator.random(n)
        challenger = champion + truth + generator.normal(0.0, 0.3, n)
        interval = paired_difference(challenger, champion, seed=trial, rounds=400)
        covered += interval.low <= truth <= interval.high
        above += interval.lower_bound <= truth
        below += truth <= interval.upper_bound
    # binomial standard error of 400 trials at .95: sqrt(.95 x .05 / 400) = .011
    assert 0.91 <= covered / trials <= 0.98
    assert 0.91 <= above / trials <= 0.98
    assert 0.91 <= below / trials <= 0.98


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
    assert interval.low <= interval.lower_bound <= interval.mean <= interval.upper_bound <= interval.high
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


def test_holm_follows_a_worked_example() -> None:
    # sorted .005 .01 .03 .04, times 4 3 2 1: .02 .03 .06 .04, then never falling: .02 .03 .06 .06
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))


def test_holm_never_exceeds_one_keeps_one_test_as_it_is_and_is_no_stricter_than_bonferroni() -> None:
    assert holm([0.2]) == (0.2,)
    assert holm([0.6, 0.7]) == (1.0, 1.0)
    assert holm([]) == ()
    p = np.random.default_rng(5).random(20)
    assert np.all(np.asarray(holm(p)) <= np.minimum(1.0, p * 20) + 1e-12)
    assert np.all(np.asarray(holm(p)) >= p)


def test_the_p_value_is_uniform_where_nothing_differs() -> None:
    generator = np.random.default_rng(6)
    p = [
        paired_p_value(generator.normal(size=80), generator.normal(size=80), seed=trial, rounds=400)
        for trial in range(400)
    ]
    # binomial standard error at .05: sqrt(.05 x .95 / 400) = .011; at .5: .025
    assert 0.02 <= np.mean(np.asarray(p) < 0.05) <= 0.09
    assert 0.42 <= np.mean(np.asarray(p) < 0.5) <= 0.58


def test_the_p_value_is_that_of_the_t_test_where_the_t_test_is_right() -> None:
    generator = np.random.default_rng(7)
    base = generator.normal(size=500)
    challenger = base + generator.normal(0.1, 1.0, 500)
    expected = ttest_rel(challenger, base).pvalue
    # the error of a share p over 20,000 rounds: sqrt(p (1 - p) / 20000) < .004
    assert paired_p_value(challenger, base, seed=1, rounds=20_000) == pytest.approx(expected, abs=0.01)


def test_the_p_value_is_symmetric_one_without_a_difference_and_no_less_than_the_queries_can_say() -> None:
    ours, theirs = [0.9, 0.8, 0.7, 0.9], [0.1, 0.2, 0.1, 0.3]
    assert paired_p_value(ours, theirs, seed=1, rounds=500) == paired_p_value(theirs, ours, seed=1, rounds=500)
    assert paired_p_value(ours, theirs, seed=1, rounds=500) == 1 / 8  # 4 pairs: 2^(1 - 4)
    assert paired_p_value([1.0], [0.0], seed=1, rounds=500) == 1.0
    assert paired_p_value(ours, ours, seed=1, rounds=500) == 1.0
    assert paired_p_value([1.0] * 50, [0.0] * 50, seed=1, rounds=499) == 1 / 500
    with pytest.raises(ValueError, match="at least one query"):
        paired_p_value([], [], seed=1, rounds=10)
