"""From answers to numbers: per-query scores of every system, means with intervals, margins over baselines, slices."""

from collections.abc import Mapping, Sequence

import polars as pl

from evaluation.metrics import METRICS, Ranked, per_query
from evaluation.queries.judgements import EvaluationSet
from evaluation.queries.kinds import BASELINES, KINDS
from evaluation.results import Margin, Measured, SliceScore
from evaluation.scores import score_rows
from evaluation.significance import mean_interval, paired_difference

Runs = Mapping[str, Mapping[str, Ranked]]  # system -> run, over the kinds that the system can answer


def score(questions: EvaluationSet, runs: Runs, asked: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """The per_query table. `asked`: system -> kinds it was asked; a query of those kinds it left open scores 0."""
    fingerprint = questions.fingerprint
    tables = []
    for system, kinds in asked.items():
        queries = [query for kind in kinds for query in questions.of_kind(kind)]
        wanted = {query.query_id for query in queries}
        run = {query_id: ranked for query_id, ranked in runs[system].items() if query_id in wanted}
        tables.append(score_rows(fingerprint, system, queries, per_query(run, questions.grades(queries))))
    return pl.concat(tables)


def measurements(scores: pl.DataFrame, *, seed: int, rounds: int) -> tuple[Measured, ...]:
    """The mean of every metric for each kind and system, with its 95 % interval."""
    found = []
    for (kind, system), rows in _groups(scores, "kind", "system"):
        for metric in METRICS:
            interval = mean_interval(rows[metric].to_numpy(), seed=seed, rounds=rounds)
            found.append(
                Measured(
                    kind=kind,
                    system=system,
                    metric=metric,
                    n=interval.n,
                    mean=interval.mean,
                    low=interval.low,
                    high=interval.high,
                    upper_bound=interval.upper_bound,
                )
            )
    return tuple(found)


def margins(scores: pl.DataFrame, *, seed: int, rounds: int) -> tuple[Margin, ...]:
    """Every way to ask the engine against every baseline, paired by query, on the primary metric of the kind."""
    found = []
    for (kind,), rows in _groups(scores, "kind"):
        metric = KINDS[kind].primary
        by_system = {system: each.sort("query_id") for (system,), each in _groups(rows, "system")}
        for system in by_system:
            for baseline in BASELINES:
                if system in BASELINES or baseline not in by_system:
                    continue
                ours, theirs = by_system[system][metric].to_numpy(), by_system[baseline][metric].to_numpy()
                interval = paired_difference(ours, theirs, seed=seed, rounds=rounds)
                found.append(
                    Margin(
                        kind=kind,
                        system=system,
                        baseline=baseline,
                        metric=metric,
                        n=interval.n,
                        mean=float(ours.mean()),
                        baseline_mean=float(theirs.mean()),
                        lower_bound=interval.lower_bound,
                        upper_bound=interval.upper_bound,
                    )
                )
    return tuple(found)


def slice_scores(scores: pl.DataFrame, system: str, *, minimum: int, seed: int, rounds: int) -> tuple[SliceScore, ...]:
    """The primary metric of `system` on every slice of every kind that has at least `minimum` queries."""
    found = []
    exploded = scores.filter(pl.col("system") == system).explode("slices").drop_nulls("slices")
    for (kind, name), rows in _groups(exploded, "kind", "slices"):
        if len(rows) >= minimum:
            metric = KINDS[kind].primary
            interval = mean_interval(rows[metric].to_numpy(), seed=seed, rounds=rounds)
            found.append(
                SliceScore(
                    kind=kind,
                    slice=name,
                    metric=metric,
                    n=interval.n,
                    mean=interval.mean,
                    low=interval.low,
                    high=interval.high,
                )
            )
    return tuple(found)


def _groups(table: pl.DataFrame, *columns: str) -> list[tuple[tuple[str, ...], pl.DataFrame]]:
    """Rows by the values of `columns`; kinds in the order of KINDS, the rest sorted."""
    order = list(KINDS)
    groups = [(tuple(str(value) for value in key), rows) for key, rows in table.group_by(list(columns))]
    return sorted(groups, key=lambda item: (order.index(item[0][0]) if columns[0] == "kind" else 0, item[0]))
