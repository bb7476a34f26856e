"""Comparison rows in a world where it is known which system is better."""

import numpy as np
import pytest

from evaluation.seeds import over_seeds, per_query_mean
from evaluation.significance import holm, mean_interval, paired_difference, paired_p_value
from evaluation.verdicts import against_base

N = 200
BASE = np.random.default_rng(0).random(N) / 2
NOISE = np.random.default_rng(1).normal(0.0, 0.1, N)


def rows(scores: dict[str, dict[str, np.ndarray]], rounds: int = 999) -> dict[tuple[str, str], str]:
    return {(row.task, row.system): row.verdict for row in against_base(scores, "plain", seed=1, rounds=rounds)}


def test_better_worse_and_undecided_systems_are_told_apart() -> None:
    scores = {
        "photo": {
            "plain": BASE,
            "good": BASE + 0.1 + NOISE,
            "bad": BASE - 0.1 + NOISE,
            "same": BASE + NOISE - NOISE.mean(),
        }
    }
    assert rows(scores) == {
        ("photo", "plain"): "base",
        ("photo", "good"): "better",
        ("photo", "bad"): "worse",
        ("photo", "same"): "no difference shown",
    }


def test_a_row_says_what_the_single_measurements_say() -> None:
    good = BASE + 0.01 + NOISE
    other = BASE + 0.02 + NOISE
    found = against_base({"a": {"plain": BASE, "good": good, "other": other}}, "plain", seed=4, rounds=500)
    row = found[1]
    own, difference = (
        mean_interval(good, seed=4, rounds=500),
        paired_difference(good, BASE, seed=4, rounds=500),
    )
    p = [paired_p_value(values, BASE, seed=4, rounds=500) for values in (good, other)]
    assert (row.n, row.mean, row.low, row.high) == (N, own.mean, own.low, own.high)
    assert (row.difference, row.difference_low, row.difference_high) == (
        difference.mean,
        difference.low,
        difference.high,
    )
    assert (row.p, row.adjusted_p) == (p[0], holm(p)[0])


def test_what_one_comparison_shows_many_may_not() -> None:
    lucky = BASE + NOISE - NOISE.mean() + 2.3 * NOISE.std() / N**0.5  # 2.3 standard errors: p about .02
    alone = {"a": {"plain": BASE, "lucky": lucky}}
    assert rows(alone)[("a", "lucky")] == "better"
    same = BASE + NOISE - NOISE.mean()
    crowd = {"a": {"plain": BASE, "lucky": lucky, "b": same, "c": same, "d": same}}  # .02 x 4 = .08
    assert rows(crowd)[("a", "lucky")] == "no difference shown"


def test_the_family_is_over_all_tasks_and_a_system_may_miss_one() -> None:
    good = BASE + 0.1 + NOISE
    one = against_base({"a": {"plain": BASE, "good": good}}, "plain", seed=1, rounds=999)
    two = against_base(
        {"a": {"plain": BASE, "good": good}, "b": {"plain": BASE}, "c": {"plain": BASE, "good": good}},
        "plain",
        seed=1,
        rounds=999,
    )
    assert one[1].adjusted_p == one[1].p == 1 / 1000
    assert [(row.task, row.system) for row in two if row.system == "good"] == [("a", "good"), ("c", "good")]
    assert all(row.adjusted_p == 2 / 1000 for row in two if row.system == "good")


def test_a_task_without_the_base_and_queries_that_do_not_pair_are_refused() -> None:
    with pytest.raises(ValueError, match="photo has no scores of the base plain: it has good"):
        against_base({"photo": {"good": BASE}}, "plain", seed=1, rounds=10)
    with pytest.raises(ValueError, match="same queries"):
        against_base({"photo": {"plain": BASE, "good": BASE[1:]}}, "plain", seed=1, rounds=10)


def test_three_seeds_have_a_mean_and_a_spread() -> None:
    spread = over_seeds({3: 0.5, 1: 0.2, 2: 0.5})
    assert (spread.seeds, spread.values) == ((1, 2, 3), (0.2, 0.5, 0.5))
    assert spread.mean == pytest.approx(0.4)
    assert spread.deviation == pytest.approx((0.06 / 2) ** 0.5)  # .2^2 + .1^2 + .1^2 = .06, over n - 1 = 2
    assert (spread.lowest, spread.highest) == (0.2, 0.5)
    assert over_seeds({1: 0.7}).deviation == 0.0
    with pytest.raises(ValueError, match="at least one seed"):
        over_seeds({})


def test_a_query_counts_once_over_its_seeds() -> None:
    assert per_query_mean([[0.0, 1.0], [1.0, 1.0], [0.5, 0.4]]) == pytest.approx([0.5, 0.8])
    with pytest.raises(ValueError, match="same queries"):
        per_query_mean([[0.0, 1.0], [1.0]])
