"""An evaluation set: queries, the products that answer them, and the pool they are looked for in.

Built from one split of the catalogue (`evaluation_set`), kept as two parquet tables, and named by a fingerprint:
two results may be compared only when they come from the same set.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from evaluation.queries.kinds import KINDS, Legs

QUERIES_FILE = "queries.parquet"
JUDGEMENTS_FILE = "judgements.parquet"

_QUERY_SCHEMA: dict[str, pl.DataType] = {
    "query_id": pl.String(),
    "kind": pl.String(),
    "language": pl.String(),
    "text": pl.String(),
    "image": pl.String(),
    "transform": pl.String(),
    "legs": pl.List(pl.String()),
    "without": pl.String(),
    "slices": pl.List(pl.String()),
}
_JUDGEMENT_SCHEMA: dict[str, pl.DataType] = {"query_id": pl.String(), "product_id": pl.String(), "grade": pl.Int64()}


@dataclass(frozen=True, slots=True)
class EvaluationQuery:
    """One question. `image` is a media id, `transform` a name of photos.ALTERATIONS, `language` None for a bare photo.

    `legs` are those the engine is asked to use, None for all. `without` is a product that does not count as an answer:
    the one whose photo is shown. `slices` are "dimension=value" strings.
    """

    query_id: str
    kind: str
    language: str | None
    text: str | None
    image: str | None = None
    transform: str | None = None
    legs: Legs | None = None
    without: str | None = None
    slices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """`judgements`: query id -> product id -> grade (> 0 = relevant). `pool`: ids of every product searched."""

    queries: tuple[EvaluationQuery, ...]
    judgements: Mapping[str, Mapping[str, int]]
    pool: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """16 hex digits over queries, grades and pool; slices are left out, they only describe."""
        digest = hashlib.sha256()
        for query in sorted(self.queries, key=lambda query: query.query_id):
            row = asdict(query)
            del row["slices"]
            grades = sorted(self.judgements[query.query_id].items())
            digest.update(json.dumps([row, grades], ensure_ascii=False, sort_keys=True).encode())
        digest.update("\n".join(sorted(self.pool)).encode())
        return digest.hexdigest()[:16]

    def joined(self, judged: Iterable[tuple[EvaluationQuery, Mapping[str, int]]]) -> "EvaluationSet":
        """This set with queries that it lacks, each with its grades."""
        more = {query: grades for query, grades in judged if query.query_id not in self.judgements}
        grades = {**self.judgements, **{query.query_id: own for query, own in more.items()}}
        return EvaluationSet((*self.queries, *more), grades, self.pool)

    def of_kind(self, kind: str) -> tuple[EvaluationQuery, ...]:
        """The queries of one kind, in their order."""
        return tuple(query for query in self.queries if query.kind == kind)

    def kinds(self) -> tuple[str, ...]:
        """The kinds that have a query, in the order of KINDS."""
        present = {query.kind for query in self.queries}
        return tuple(kind for kind in KINDS if kind in present)

    def grades(self, queries: Iterable[EvaluationQuery]) -> dict[str, Mapping[str, int]]:
        """The judgements of `queries` alone."""
        return {query.query_id: self.judgements[query.query_id] for query in queries}

    def write(self, folder: Path) -> None:
        """Write queries.parquet and judgements.parquet into `folder`; the pool is a judgement of no query."""
        rows = [{**asdict(query), "legs": _listed(query.legs), "slices": list(query.slices)} for query in self.queries]
        pl.DataFrame(rows, schema=_QUERY_SCHEMA).write_parquet(folder / QUERIES_FILE)
        graded = [
            {"query_id": query_id, "product_id": product_id, "grade": grade}
            for query_id, grades in self.judgements.items()
            for product_id, grade in grades.items()
        ]
        pooled = [{"query_id": None, "product_id": product_id, "grade": 0} for product_id in self.pool]
        pl.DataFrame(graded + pooled, schema=_JUDGEMENT_SCHEMA).write_parquet(folder / JUDGEMENTS_FILE)


def read_evaluation_set(folder: Path) -> EvaluationSet:
    """What EvaluationSet.write wrote into `folder`; the fingerprint is the same."""
    queries = tuple(
        EvaluationQuery(**{**row, "legs": _tupled(row["legs"]), "slices": tuple(row["slices"])})
        for row in pl.read_parquet(folder / QUERIES_FILE).iter_rows(named=True)
    )
    judgements: dict[str, dict[str, int]] = {query.query_id: {} for query in queries}
    pool = []
    for query_id, product_id, grade in pl.read_parquet(folder / JUDGEMENTS_FILE).iter_rows():
        if query_id is None:
            pool.append(product_id)
        else:
            judgements[query_id][product_id] = grade
    return EvaluationSet(queries, judgements, tuple(pool))


def _listed(legs: Legs | None) -> list[str] | None:
    return None if legs is None else list(legs)


def _tupled(legs: Sequence[str] | None) -> Legs | None:
    return None if legs is None else tuple(legs)
