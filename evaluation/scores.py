"""The table per_query.parquet: how well each system answered each query. What comparisons are made of."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from catalog.errors import InvalidSnapshot
from evaluation.metrics import METRICS
from evaluation.queries.judgements import EvaluationQuery
from evaluation.queries.kinds import ENGINE

PER_QUERY_FILE = "per_query.parquet"

SCHEMA: dict[str, pl.DataType] = {
    "evaluation_set": pl.String(),  # EvaluationSet.fingerprint
    "query_id": pl.String(),
    "kind": pl.String(),
    "system": pl.String(),
    "slices": pl.List(pl.String()),
    **{name: pl.Float64() for name in METRICS},
}


def score_rows(
    evaluation_set: str,
    system: str,
    queries: Iterable[EvaluationQuery],
    values: Mapping[str, Mapping[str, float]],
) -> pl.DataFrame:
    """One row per query of `queries`; `values` as metrics.per_query gives them."""
    rows = [
        {
            "evaluation_set": evaluation_set,
            "query_id": query.query_id,
            "kind": query.kind,
            "system": system,
            "slices": list(query.slices),
            **values[query.query_id],
        }
        for query in queries
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def read_scores(path: Path) -> pl.DataFrame:
    """per_query.parquet. Raises InvalidSnapshot when it is missing or has other columns."""
    if not path.exists():
        raise InvalidSnapshot(f"{path} does not exist: run the evaluate stage first.")
    table = pl.read_parquet(path)
    missing = [name for name in SCHEMA if name not in table.columns]
    if missing:
        raise InvalidSnapshot(f"{path} has no column {', '.join(missing)}: run the evaluate stage again.")
    return table.select(list(SCHEMA))


def engine_values(scores: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Query id -> metric -> value, of the engine's rows of a per_query table."""
    rows = scores.filter(pl.col("system") == ENGINE).select("query_id", *METRICS)
    return {row["query_id"]: {name: row[name] for name in METRICS} for row in rows.iter_rows(named=True)}
