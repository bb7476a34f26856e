"""From per-query scores of every configuration to one table: means, intervals, and who surely differs from the base."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from evaluation.comparison.files import PER_QUERY
from evaluation.comparison.running import Training
from evaluation.comparison.tasks import TASKS
from evaluation.params import CompareParams
from evaluation.seeds import SeedSpread, over_seeds, per_query_mean
from evaluation.verdicts import ComparedRow, against_base


class ConfigurationRow(BaseModel):
    """One configuration: what it sets, what it scored on each task, and what it cost."""

    model_config = ConfigDict(frozen=True)

    name: str
    family: str
    note: str
    set: dict[str, Any]
    tasks: dict[str, ComparedRow]
    seeds: dict[str, SeedSpread]
    facts: dict[str, Any]


def table_of(measured: Sequence[Training], base: str, params: CompareParams) -> list[ConfigurationRow]:
    """One row per configuration; a configuration with several seeds counts each query once, as the mean of them.

    Raises ValueError when `base` is not among them.
    """
    by_name: dict[str, list[Training]] = {}
    for training in measured:
        by_name.setdefault(training.row.name, []).append(training)
    values = {name: [_values(training) for training in own] for name, own in by_name.items()}
    scores = {
        task: {name: per_query_mean([run[task] for run in runs]) for name, runs in values.items() if task in runs[0]}
        for task in TASKS
        if task in values[base][0]
    }
    compared = against_base(scores, base, seed=params.seed, rounds=params.rounds)
    rows = []
    for name, own in by_name.items():
        seeds = {}
        if len(own) > 1:
            runs = list(zip(own, values[name], strict=True))
            seeds = {task: over_seeds({t.seed or 0: float(np.mean(run[task])) for t, run in runs}) for task in scores}
        rows.append(
            ConfigurationRow(
                name=name,
                family=own[0].row.family,
                note=own[0].row.note,
                set=own[0].row.set,
                tasks={row.task: row for row in compared if row.system == name},
                seeds=seeds,
                facts=own[0].facts(),
            )
        )
    return rows


def _values(training: Training) -> dict[str, np.ndarray[Any, Any]]:
    """Task -> one value per query, by query id."""
    scores = pl.read_parquet(training.measured / PER_QUERY)
    found = {}
    for task, (kind, system, metric) in TASKS.items():
        rows = scores.filter((pl.col("kind") == kind) & (pl.col("system") == system)).sort("query_id")
        if len(rows):
            found[task] = rows[metric].to_numpy()
    return found
