"""All systems on one evaluation set: the engine, asked in every way its kinds name, and the baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from catalog.products import Product
from catalog.words.tokens import tokenize
from evaluation.baselines import bm25_run, frozen_run, plain_words, random_run
from evaluation.metrics import Ranked
from evaluation.pool import PoolEngines
from evaluation.queries.judgements import EvaluationSet
from evaluation.queries.kinds import BM25_PLAIN, BM25_TITLES, ENGINE, FROZEN, KINDS, RANDOM
from evaluation.results import NotComparable
from evaluation.runs import Photos, ask
from models.embeddings import ProductEmbeddings
from models.encoder import Encoder

RUNS_FILE = "runs.parquet"


@dataclass(frozen=True)
class Systems:
    """`runs`: system -> query id -> ranked products. `asked`: system -> the kinds it answered.

    `took_ms`: of the engine, query id -> phase -> milliseconds. `not_comparable`: what a baseline cannot answer.
    """

    runs: Mapping[str, Mapping[str, Ranked]]
    asked: Mapping[str, tuple[str, ...]]
    took_ms: Mapping[str, Mapping[str, float]]
    not_comparable: tuple[NotComparable, ...] = ()


def ask_engine(engines: PoolEngines, questions: EvaluationSet, photos: Photos, only: str | None = None) -> Systems:
    """Every kind in each of its ways (only the way called `only` when given)."""
    runs: dict[str, dict[str, Ranked]] = {}
    asked: dict[str, list[str]] = {}
    took: dict[str, Mapping[str, float]] = {}
    for kind in questions.kinds():
        for system, way in KINDS[kind].systems.items():
            if only in (None, system):
                engine = engines.hidden if way.hidden else engines.served
                answers = ask(engine, questions.of_kind(kind), photos, way.legs)
                runs.setdefault(system, {}).update(answers.run)
                asked.setdefault(system, []).append(kind)
                if system == ENGINE:
                    took.update(answers.took_ms)
    return Systems(runs, {system: tuple(kinds) for system, kinds in asked.items()}, took)


def ask_baselines(
    questions: EvaluationSet,
    pool: Sequence[Product],
    photos: Photos,
    frozen: tuple[Encoder, ProductEmbeddings] | None,
    seed: int,
) -> Systems:
    """The baselines. `frozen`: the encoder before training and its embeddings of the pool; None when there is none."""
    found = {
        RANDOM: random_run(questions, seed),
        BM25_PLAIN: bm25_run(questions, pool, BM25_PLAIN, plain_words),
        BM25_TITLES: bm25_run(questions, pool, BM25_TITLES, tokenize),
    }
    if frozen is not None:
        found[FROZEN] = frozen_run(questions, frozen[1], frozen[0], photos)
    asked = {}
    for system, (_, left_out) in found.items():
        excluded = {row.kind for row in left_out}
        asked[system] = tuple(kind for kind in questions.kinds() if kind not in excluded)
    reasons = tuple(row for _, left_out in found.values() for row in left_out)
    return Systems({system: run for system, (run, _) in found.items()}, asked, {}, reasons)


def runs_table(systems: Sequence[Systems]) -> pl.DataFrame:
    """One row per ranked product: query_id, system, rank (from 1), product_id, score."""
    rows = [
        {"query_id": query_id, "system": system, "rank": rank, "product_id": product_id, "score": float(score)}
        for each in systems
        for system, run in each.runs.items()
        for query_id, ranked in run.items()
        for rank, (product_id, score) in enumerate(ranked, start=1)
    ]
    schema: dict[str, pl.DataType] = {
        "query_id": pl.String(),
        "system": pl.String(),
        "rank": pl.Int64(),
        "product_id": pl.String(),
        "score": pl.Float64(),
    }
    return pl.DataFrame(rows, schema=schema)


def read_run(path: Path, system: str) -> dict[str, Ranked]:
    """Query id -> ranked products of `system`, out of what `runs_table` made."""
    rows = pl.read_parquet(path).filter(pl.col("system") == system).sort("query_id", "rank")
    run: dict[str, list[tuple[str, float]]] = {}
    for query_id, product_id, score in rows.select("query_id", "product_id", "score").iter_rows():
        run.setdefault(query_id, []).append((product_id, score))
    return dict(run)
