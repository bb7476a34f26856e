"""The scores that a release keeps, and whether they agree with each other: its tables, its questions, its manifest.

reports/evaluation/queries.parquet, judgements.parquet, per_query.parquet     manifest.json: `scores`
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from catalog.errors import EtalageError
from evaluation.metrics import METRICS
from evaluation.queries.judgements import EvaluationSet, read_evaluation_set
from evaluation.scores import PER_QUERY_FILE, read_scores

ROUNDED = 1e-6  # the manifest's means have six decimals

Means = Mapping[str, Mapping[str, Mapping[str, float]]]  # kind -> system -> metric -> mean


class EvaluationBroken(EtalageError):
    """What a champion scored does not come out again: a comparison with it would say nothing."""


@dataclass(frozen=True)
class Record:
    """What a release was asked and what it scored."""

    release: str
    questions: EvaluationSet
    scores: pl.DataFrame


def broken(release: str, found: str) -> EvaluationBroken:
    """The one sentence: what was found, and the ways on."""
    return EvaluationBroken(
        f"The evaluation itself is broken, so nothing is compared: champion {release} {found}. "
        "Restore it, go back with `etalage rollback`, or replace it with `etalage retrain --force --reason ...`."
    )


def read_record(release: str, folder: Path, means: Means) -> Record:
    """The record in `folder`; `means` are the manifest's. Raises EvaluationBroken where they disagree."""
    try:
        record = Record(release, read_evaluation_set(folder), read_scores(folder / PER_QUERY_FILE))
    except (EtalageError, OSError, pl.exceptions.PolarsError, KeyError, TypeError) as error:
        raise broken(
            release, f"has no readable record of its scores ({type(error).__name__} in {folder.name}/)"
        ) from error
    sets = sorted(record.scores["evaluation_set"].unique())
    if sets != [record.questions.fingerprint]:
        asked = ", ".join(sets) or "none"
        raise broken(
            release,
            f"was scored on evaluation set {asked}, and keeps the questions of another one, "
            f"{record.questions.fingerprint}",
        )
    _demand_means(release, record.scores, means)
    return record


def _demand_means(release: str, scores: pl.DataFrame, means: Means) -> None:
    told = {
        (kind, system, metric): value
        for kind, systems in means.items()
        for system, values in systems.items()
        for metric, value in values.items()
    }
    kept = {
        (row["kind"], row["system"], metric): row[metric]
        for row in scores.group_by("kind", "system")
        .agg(*(pl.col(name).mean() for name in METRICS))
        .iter_rows(named=True)
        for metric in METRICS
    }
    for key in sorted(told.keys() | kept.keys()):
        kind, system, metric = key
        value, mean = told.get(key), kept.get(key)
        if value is None or mean is None or not abs(value - mean) <= ROUNDED:
            raise broken(
                release,
                f"records {_number(value)} as {metric} of {kind} ({system}) in its manifest, and its "
                f"scores query by query give {_number(mean)}",
            )


def _number(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.6f}"
