"""How sure is a mean, and a difference of two means? Bootstrap over queries, vectorised in numpy.

Paired: both systems answered the same queries, so the differences per query are resampled, not the two means apart.
Percentile intervals: 2.5 and 97.5 % of the resampled means; the one-sided bounds are their 5 % and 95 % points.
p-values: the bootstrap shift method (Efron and Tibshirani 1993, section 16.4; for retrieval: Smucker, Allan and
Carterette, CIKM 2007). Several tests at once: Holm's step-down correction (Scandinavian Journal of Statistics, 1979).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_CELLS = 4_000_000  # resampled cells held in memory at once


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over `n` queries with its 95 % interval, and the bounds that 95 % of resampled means are above, below."""

    mean: float
    low: float
    high: float
    lower_bound: float
    upper_bound: float
    n: int


def mean_interval(values: ArrayLike, *, seed: int, rounds: int) -> Interval:
    """The mean of `values` [n] and its bootstrap interval. Raises ValueError when there is no value."""
    return stratified_interval([values], seed=seed, rounds=rounds)


def paired_difference(challenger: ArrayLike, champion: ArrayLike, *, seed: int, rounds: int) -> Interval:
    """mean(challenger - champion) over the same queries in the same order, with its bootstrap interval.

    Raises ValueError when the two do not have the same length.
    """
    return mean_interval(_differences(challenger, champion), seed=seed, rounds=rounds)


def unpaired_upper_bound(values: ArrayLike, others: ArrayLike, *, seed: int, rounds: int) -> float:
    """The one-sided 95 % upper bound of mean(values) - mean(others), both resampled by themselves.

    Raises ValueError when either holds nothing.
    """
    ours, theirs = (np.asarray(side, dtype=np.float64).reshape(-1) for side in (values, others))
    if not len(ours) or not len(theirs):
        raise ValueError("a bootstrap needs at least one value on either side.")
    generator = np.random.default_rng(seed)
    means = [_resampled_means(side, generator, rounds) for side in (ours, theirs)]
    return float(np.percentile(means[0] - means[1], 95.0))


def paired_p_value(challenger: ArrayLike, base: ArrayLike, *, seed: int, rounds: int) -> float:
    """Two-sided p of "the two means are the same": how often the differences, shifted to mean 0, resample to as much.

    p = max((1 + #{|mean* - mean| >= |mean|}) / (rounds + 1), 2^(1 - n)). The first cannot say less than what `rounds`
    resamples can see; the second is the least that n pairs can say when only their signs are left to chance, so that
    one lucky query is no proof. Raises ValueError when the two do not have the same length or hold nothing.
    """
    differences = _differences(challenger, base)
    if len(differences) == 0:
        raise ValueError("a paired test needs at least one query.")
    observed = differences.mean()
    shifted = _resampled_means(differences - observed, np.random.default_rng(seed), rounds)
    as_far = int((np.abs(shifted) >= abs(observed)).sum())
    return max((1 + as_far) / (rounds + 1), 2.0 ** (1 - len(differences)))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm-adjusted p-values, in the order given: reject those below alpha and no true hypothesis of the whole family
    is rejected with more than that probability, however the tests depend on each other.

    Sorted ascending, p_(i) becomes max over j <= i of min(1, (m - j + 1) p_(j)), for m tests and i, j from 1.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1.0, p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(steps)
    return tuple(float(value) for value in adjusted)


def stratified_interval(strata: Sequence[ArrayLike], *, seed: int, rounds: int) -> Interval:
    """The mean over strata of the mean within each, all strata weighing the same; resampled within each stratum.

    Raises ValueError when there is no stratum, or one without a value.
    """
    arrays = [np.asarray(values, dtype=np.float64).reshape(-1) for values in strata]
    if not arrays or any(len(values) == 0 for values in arrays):
        raise ValueError("a bootstrap needs at least one value in every stratum.")
    generator = np.random.default_rng(seed)
    means = np.mean([_resampled_means(values, generator, rounds) for values in arrays], axis=0)
    low, lower_bound, upper_bound, high = (float(point) for point in np.percentile(means, [2.5, 5.0, 95.0, 97.5]))
    observed = float(np.mean([values.mean() for values in arrays]))
    return Interval(observed, low, high, lower_bound, upper_bound, sum(len(values) for values in arrays))


def _differences(challenger: ArrayLike, champion: ArrayLike) -> NDArray[np.float64]:
    ours, theirs = np.asarray(challenger, dtype=np.float64), np.asarray(champion, dtype=np.float64)
    if ours.shape != theirs.shape or ours.ndim != 1:
        raise ValueError(f"paired values need the same queries on both sides, not {ours.shape} and {theirs.shape}.")
    return ours - theirs


def _resampled_means(values: NDArray[np.float64], generator: np.random.Generator, rounds: int) -> NDArray[np.float64]:
    """Means of `rounds` samples of len(values) with replacement: [rounds]."""
    n = len(values)
    at_once = max(1, _CELLS // n)
    parts = [
        values[generator.integers(0, n, size=(min(at_once, rounds - start), n))].mean(axis=1)
        for start in range(0, rounds, at_once)
    ]
    return np.concatenate(parts)
