"""Tests of two samples: exact where they can be worked out by hand, at their level where nothing moved, and awake."""

from itertools import combinations

import numpy as np
import pytest

from evaluation.audits.shifts import (
    Floats,
    category_shift,
    discrepancy_p,
    embedding_shift,
    number_shift,
    share_shift,
    slowdown,
    total_variation,
)
from evaluation.significance import holm
from flows.monitoring.checks import Check, decide
from flows.monitoring.params import MOST_TESTS, MonitorParams

LEVEL = 0.1


def rows(rng: np.random.Generator, count: int, away: float = 0.0) -> Floats:
    """Unit vectors [count, 8], moved by `away` along the first axis."""
    drawn = rng.normal(size=(count, 8))
    drawn[:, 0] += away
    unit: Floats = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit


def brute_discrepancy(x: Floats, y: Floats) -> float:
    """The unbiased MMD^2, pair by pair."""
    both = np.concatenate([x, y])
    apart = [((a - b) ** 2).sum() for i, a in enumerate(both) for b in both[:i]]
    width = float(np.median(apart))

    def mean(left: Floats, right: Floats, same: bool) -> float:
        pairs = [(i, j) for i in range(len(left)) for j in range(len(right)) if not (same and i == j)]
        return float(np.mean([np.exp(-((left[i] - right[j]) ** 2).sum() / width) for i, j in pairs]))

    return mean(x, x, True) + mean(y, y, True) - 2 * mean(x, y, False)


def test_total_variation_is_the_share_that_would_have_to_move() -> None:
    assert total_variation({"en": 80, "zh": 20}, {"en": 7, "zh": 3}) == pytest.approx(0.1)
    assert total_variation({"en": 5}, {"zh": 9}) == 1.0
    assert category_shift({"en": 5}, {"en": 9}, 99, 1).p == 1.0


def test_p_of_the_discrepancy_is_near_that_of_all_permutations() -> None:
    """Five rows and five can be told apart in 252 ways; each discrepancy worked out pair by pair."""
    rng = np.random.default_rng(5)
    both = np.concatenate([rows(rng, 5), rows(rng, 5, away=1.0)])
    ways = [(list(chosen), [row for row in range(10) if row not in chosen]) for chosen in combinations(range(10), 5)]
    every = np.array([brute_discrepancy(both[now], both[then]) for now, then in ways])
    exact = float(np.mean(every >= brute_discrepancy(both[5:], both[:5]) - 1e-12))
    assert 0.01 < exact < 0.5
    draws = 4999
    assert discrepancy_p(both[:5], both[5:], draws, 7) == pytest.approx(exact, abs=4 * np.sqrt(0.25 / draws))


def test_samples_of_one_distribution_are_rarely_called_different() -> None:
    """300 pairs each: at most the level, but for three standard deviations of a count."""
    rng, runs = np.random.default_rng(11), 300
    most = LEVEL * runs + 3 * np.sqrt(runs * LEVEL * (1 - LEVEL))
    found = {"categories": 0, "shares": 0, "numbers": 0, "slower": 0}
    for run in range(runs):
        mixes = [dict(zip("abc", map(int, rng.multinomial(size, [0.6, 0.3, 0.1])), strict=True)) for size in (150, 90)]
        found["categories"] += category_shift(mixes[0], mixes[1], 199, run).p <= LEVEL
        cases = [int(rng.binomial(size, 0.05)) for size in (200, 150)]
        found["shares"] += share_shift((cases[0], 200), (cases[1], 150)).p <= LEVEL
        numbers = [np.round(rng.gamma(2.0, size=size), 1).tolist() for size in (120, 90)]
        found["numbers"] += number_shift(numbers[0], numbers[1]).p <= LEVEL
        found["slower"] += slowdown(numbers[0], numbers[1]).p <= LEVEL
    assert all(count <= most for count in found.values()), found


def test_vectors_of_one_distribution_are_rarely_called_different_though_queries_repeat() -> None:
    rng, runs = np.random.default_rng(12), 100
    asked = rows(rng, 40)  # forty queries, asked again and again
    found = 0
    for run in range(runs):
        then, now = (asked[rng.choice(40, size=size, p=np.arange(1, 41) / 820)] for size in (60, 50))
        found += discrepancy_p(then, now, 99, run) <= LEVEL
    assert found <= LEVEL * runs + 3 * np.sqrt(runs * LEVEL * (1 - LEVEL))


def test_what_really_moved_is_found() -> None:
    rng = np.random.default_rng(13)
    vectors = embedding_shift(rows(rng, 200), rows(rng, 200, away=1.0), 999, 1)
    assert vectors.p == 1 / 1000 and vectors.effect > 0.65
    mix = category_shift({"en": 700, "zh": 300}, {"en": 500, "zh": 500}, 999, 1)
    assert mix.p == 1 / 1000 and mix.effect == pytest.approx(0.2)
    assert share_shift((10, 1000), (60, 1000)).p < 1e-6
    assert share_shift((60, 1000), (10, 1000)).p > 0.99  # fewer without a result are no alarm
    assert share_shift((60, 1000), (10, 1000), "less").effect == pytest.approx(0.05)
    slow = slowdown([1.0] * 50 + [2.0] * 50, [2.0] * 50 + [4.0] * 50)
    assert slow.effect == pytest.approx(2.0) and slow.p < 1e-4
    assert slowdown([2.0] * 50 + [4.0] * 50, [1.0] * 50 + [2.0] * 50).p > 0.9  # faster is no alarm
    assert number_shift([1.0, 2.0] * 50, [3.0, 4.0] * 50).effect == 1.0


def test_vectors_that_are_all_the_same_did_not_move() -> None:
    same = np.ones((30, 8)) / np.sqrt(8)
    assert embedding_shift(same, same, 99, 1).p == 1.0


def a_check(effect: float, p: float | None) -> Check:
    check = Check(about="queries", name="languages", measures="share", unit="share", limit=0.1)
    return check.model_copy(update={"effect": effect, "p": p})


def test_an_alarm_is_far_enough_and_sure_enough_among_all_tests_of_the_run() -> None:
    checks = [a_check(0.2, 0.004), a_check(0.05, 0.0001), a_check(0.2, 0.2), a_check(0.1, None), a_check(0.09, None)]
    decided = decide([*checks, checks[0].unknown("no traffic").model_copy(update={"effect": None, "p": None})], 0.01)
    assert [check.outcome for check in decided] == ["alarm", "quiet", "quiet", "alarm", "quiet", "unknown"]
    assert [check.surely for check in decided[:3]] == pytest.approx(holm([0.004, 0.0001, 0.2]))
    assert decide(checks, 0.005)[0].outcome == "quiet"  # 0.004 x 2 is more than that


def test_permutations_are_enough_for_the_most_tests_that_a_run_can_have() -> None:
    for level in (0.2, 0.05, 0.01, 0.001):
        draws = MonitorParams(false_alarms=level).draws
        assert holm([1 / (draws + 1)] + [1.0] * (MOST_TESTS - 1))[0] <= level
