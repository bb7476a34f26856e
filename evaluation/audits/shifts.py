"""Have two samples moved apart? Tests of two samples, each with how far (`effect`) and how surely (`p`).

A p-value is the probability of such a difference, or a larger one, when both samples come from one distribution. It
says nothing of size: with a million queries a shift of nothing is sure. So an alarm wants both.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
_AT_ONCE = 500  # permutations


@dataclass(frozen=True, slots=True)
class Shift:
    """`p` is at most alpha with at most the probability alpha where nothing moved."""

    effect: float
    p: float


NONE = Shift(0.0, 1.0)


def total_variation(reference: Mapping[str, int], current: Mapping[str, int]) -> float:
    """Half the sum of |share then - share now| over all categories: the share that would have to change category."""
    then, now = sum(reference.values()), sum(current.values())
    names = reference.keys() | current.keys()
    return sum(abs(reference.get(name, 0) / then - current.get(name, 0) / now) for name in sorted(names)) / 2


def category_shift(reference: Mapping[str, int], current: Mapping[str, int], draws: int, seed: int) -> Shift:
    """Counts by category. Exact at any count: total variation among `draws` random tables with the same margins."""
    from scipy.stats import random_table  # a second to import, as below

    names = sorted(name for name in reference.keys() | current.keys() if reference.get(name, 0) + current.get(name, 0))
    if len(names) < 2:
        return NONE
    table = np.array([[counts.get(name, 0) for name in names] for counts in (reference, current)])
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    drawn = random_table(rows, columns).rvs(draws, random_state=np.random.default_rng(seed))
    distances = np.abs(drawn[:, 0] / rows[0] - drawn[:, 1] / rows[1]).sum(axis=1) / 2
    observed = total_variation(reference, current)
    return Shift(observed, _permutation_p(distances, observed))


def share_shift(
    reference: tuple[int, int], current: tuple[int, int], worse: Literal["greater", "less"] = "greater"
) -> Shift:
    """(cases, of how many) of both: how far the share rose (or fell), by Fisher's exact test, one-sided."""
    from scipy.stats import fisher_exact

    (then, of_then), (now, of_now) = reference, current
    rise = now / of_now - then / of_then
    p = fisher_exact([[now, of_now - now], [then, of_then - then]], alternative=worse).pvalue
    return Shift(rise if worse == "greater" else -rise, float(p))


def number_shift(reference: Sequence[float], current: Sequence[float]) -> Shift:
    """Two-sample Kolmogorov-Smirnov: the largest distance of the two distribution functions. Ties make it careful."""
    from scipy.stats import ks_2samp

    found = ks_2samp(current, reference, method="asymp")
    return Shift(float(found.statistic), float(found.pvalue))


def slowdown(reference: Sequence[float], current: Sequence[float]) -> Shift:
    """p95 now / p95 then, and whether the current sample lies above the other (Kolmogorov-Smirnov, one-sided)."""
    from scipy.stats import ks_2samp

    p = ks_2samp(current, reference, alternative="less", method="asymp").pvalue
    then, now = (float(np.percentile(sample, 95)) for sample in (reference, current))
    return Shift(now / then if then > 0 else 1.0, float(p))


def embedding_shift(reference: Floats, current: Floats, draws: int, seed: int) -> Shift:
    """Rows [N, D] and [M, D] of unit vectors: `p` of their mean discrepancy, and how well a classifier tells them
    apart as the effect, since a discrepancy has no unit that a limit could be set in.
    """
    return Shift(told_apart(reference, current, seed), discrepancy_p(reference, current, draws, seed))


def discrepancy_p(reference: Floats, current: Floats, draws: int, seed: int) -> float:
    """The p-value of the maximum mean discrepancy of rows [N, D] and [M, D], among `draws` permutations of the rows.

    MMD^2 = mean k(x, x') + mean k(y, y') - 2 mean k(x, y) over pairs of different rows (Gretton et al. 2012, unbiased),
    k(a, b) = exp(-|a - b|^2 / w), w the median of |a - b|^2 over pairs that differ.
    """
    from sklearn.metrics.pairwise import euclidean_distances, rbf_kernel

    rows = np.concatenate([reference, current]).astype(np.float32)
    distances = euclidean_distances(rows, squared=True)[np.triu_indices(len(rows), 1)]
    apart = distances[distances > 1e-9]  # of repeated queries it is 0
    if not len(apart):
        return 1.0
    kernel = rbf_kernel(rows, gamma=1.0 / float(np.median(apart)))
    np.fill_diagonal(kernel, 0.0)
    discrepancy = _discrepancies(kernel, len(reference))
    is_current = _labels(reference, current)
    observed = float(discrepancy(is_current[:, None])[0])
    rng = np.random.default_rng(seed)
    drawn = np.concatenate(
        [
            discrepancy(rng.permuted(np.tile(is_current, (min(_AT_ONCE, draws - start), 1)), axis=1).T)
            for start in range(0, draws, _AT_ONCE)
        ]
    )
    return _permutation_p(drawn, observed)


def told_apart(reference: Floats, current: Floats, seed: int) -> float:
    """Area under the ROC curve of a logistic regression on rows that it was not fitted to, in five folds: the test of
    two samples by a classifier (Lopez-Paz and Oquab 2017).
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rows, labels = np.concatenate([reference, current]), _labels(reference, current)
    folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=seed)
    told = cross_val_predict(LogisticRegression(max_iter=1000), rows, labels, cv=folds, method="decision_function")
    return float(roc_auc_score(labels, told))


def _labels(reference: Floats, current: Floats) -> Floats:
    """0 for each row of the reference, then 1 for each of the current window [N + M]."""
    return np.repeat(np.array([0.0, 1.0], dtype=np.float32), [len(reference), len(current)])


def _discrepancies(kernel: Floats, reference: int) -> Callable[[Floats], Floats]:
    """For columns of 0 (reference) and 1 (current) the MMD^2 of each; kernel [N + M, N + M] has no diagonal."""
    current = len(kernel) - reference
    of_row, total = kernel.sum(axis=1, dtype=np.float64), float(kernel.sum(dtype=np.float64))

    def discrepancy(labels: Floats) -> Floats:
        within = np.einsum("ij,ij->j", labels, kernel @ labels, dtype=np.float64)
        across = of_row @ labels - within
        rest = total - 2 * across - within
        found: Floats = (
            within / (current * (current - 1))
            + rest / (reference * (reference - 1))
            - 2 * across / (current * reference)
        )
        return found

    return discrepancy


def _permutation_p(drawn: Floats, observed: float) -> float:
    """(1 + draws at least as extreme) / (1 + draws): never 0, and valid at any number of draws."""
    return float((1 + np.count_nonzero(drawn >= observed - 1e-12)) / (1 + len(drawn)))
