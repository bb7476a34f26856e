"""The same configuration trained with several seeds: its mean, and how far chance alone moves it."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict


class SeedSpread(BaseModel):
    """One number measured once per seed; `deviation` is the sample standard deviation (n - 1), 0 for one seed."""

    model_config = ConfigDict(frozen=True)

    seeds: tuple[int, ...]
    values: tuple[float, ...]
    mean: float
    deviation: float
    lowest: float
    highest: float


def over_seeds(values: Mapping[int, float]) -> SeedSpread:
    """Mean and spread of `values` (seed -> score), in the order of the seeds. Raises ValueError when there is none."""
    if not values:
        raise ValueError("a spread over seeds needs at least one seed.")
    seeds = tuple(sorted(values))
    scores = np.array([values[seed] for seed in seeds], dtype=np.float64)
    return SeedSpread(
        seeds=seeds,
        values=tuple(float(score) for score in scores),
        mean=float(scores.mean()),
        deviation=float(scores.std(ddof=1)) if len(scores) > 1 else 0.0,
        lowest=float(scores.min()),
        highest=float(scores.max()),
    )


def per_query_mean(runs: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """Each query's mean over the seeds [n] from one array [n] per seed: what `against_base` compares, so that one
    query counts once however many seeds were trained.

    Raises ValueError when there is no run, or when the runs differ in length.
    """
    arrays = [np.asarray(run, dtype=np.float64).reshape(-1) for run in runs]
    if not arrays or len({len(array) for array in arrays}) != 1:
        raise ValueError("every seed must have answered the same queries, and there must be a seed.")
    means: NDArray[np.float64] = np.mean(arrays, axis=0)
    return means
