"""Several systems against one base on the same queries: who is better, once every comparison of the table is counted?

The family is the whole table: every task of every system but the base. Holm's correction is over all of it, so a
table with more rows needs stronger proof in each.
"""

from collections.abc import Mapping
from typing import Literal

from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict

from evaluation.significance import holm, mean_interval, paired_difference, paired_p_value

ALPHA = 0.05
Verdict = Literal["base", "better", "worse", "no difference shown"]


class ComparedRow(BaseModel):
    """One system on one task; `low` and `high` bound 95 %, `difference` is system - base over the same queries."""

    model_config = ConfigDict(frozen=True)

    task: str
    system: str
    n: int
    mean: float
    low: float
    high: float
    difference: float
    difference_low: float
    difference_high: float
    p: float
    adjusted_p: float
    verdict: Verdict


def against_base(
    scores: Mapping[str, Mapping[str, ArrayLike]], base: str, *, seed: int, rounds: int, alpha: float = ALPHA
) -> tuple[ComparedRow, ...]:
    """One row per task and system of `scores` (task -> system -> one value per query [n], same queries, same order).

    A system that cannot answer a task is left out of that task. The base has a row too: difference 0, p 1.
    `rounds` bounds what can be shown: with m comparisons no adjusted p is below m / (rounds + 1).
    Raises ValueError for a task that lacks the base, or a system that did not answer the same number of queries.
    """
    for task, systems in scores.items():
        if base not in systems:
            raise ValueError(f"{task} has no scores of the base {base}: it has {', '.join(systems) or 'none'}.")
    family = [(task, system) for task, systems in scores.items() for system in systems if system != base]
    p = [paired_p_value(scores[task][system], scores[task][base], seed=seed, rounds=rounds) for task, system in family]
    known = dict(zip(family, zip(p, holm(p), strict=True), strict=True))
    return tuple(
        _row(task, system, scores[task], base, known.get((task, system)), seed=seed, rounds=rounds, alpha=alpha)
        for task, systems in scores.items()
        for system in systems
    )


def _row(
    task: str,
    system: str,
    values: Mapping[str, ArrayLike],
    base: str,
    tested: tuple[float, float] | None,
    *,
    seed: int,
    rounds: int,
    alpha: float,
) -> ComparedRow:
    own = mean_interval(values[system], seed=seed, rounds=rounds)
    difference = paired_difference(values[system], values[base], seed=seed, rounds=rounds)
    p, adjusted = tested if tested is not None else (1.0, 1.0)
    return ComparedRow(
        task=task,
        system=system,
        n=own.n,
        mean=own.mean,
        low=own.low,
        high=own.high,
        difference=difference.mean,
        difference_low=difference.low,
        difference_high=difference.high,
        p=p,
        adjusted_p=adjusted,
        verdict="base" if tested is None else _verdict(difference.mean, adjusted, alpha),
    )


def _verdict(difference: float, adjusted_p: float, alpha: float) -> Verdict:
    if adjusted_p >= alpha:
        return "no difference shown"
    return "better" if difference > 0 else "worse"
