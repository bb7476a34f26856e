"""The worst queries of a release, out of the tables that are kept with it; titles and pictures out of its snapshot.

A release keeps every question, judgement, answer and score (reports/evaluation/), so nothing else has to be kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from catalog.errors import EtalageError, InvalidSnapshot
from catalog.media import MediaStore
from catalog.products import Product
from evaluation.answers import RUNS_FILE, read_run
from evaluation.metrics import Ranked
from evaluation.pages.shown import Thumbnails
from evaluation.pages.worst import METRIC, show, worst_queries
from evaluation.queries.judgements import EvaluationSet, read_evaluation_set
from evaluation.queries.kinds import ENGINE
from evaluation.scores import PER_QUERY_FILE, engine_values, read_scores
from flows.admin.reading import Known
from flows.releases import EVALUATION_FOLDER, REPORTS_FOLDER

MOST = 30
NO_TITLE = "not in the snapshots kept here"


@dataclass(frozen=True)
class Asked:
    """What a release was asked, what its engine answered, and how good that was (query id -> metric -> value)."""

    questions: EvaluationSet
    run: Mapping[str, Ranked]
    values: Mapping[str, Mapping[str, float]]


class Links(Thumbnails):
    """Addresses of pictures instead of the pictures; "" for media that are not here."""

    def __init__(self, media: MediaStore) -> None:
        super().__init__(media)
        self._here = frozenset(media.ids())

    def of(self, media_id: str) -> str:
        """The address of a medium."""
        return f"/pictures/{media_id}" if media_id in self._here else ""


class Products(dict[str, Product]):
    """Products by id; one that is not here has its id and a title that says so."""

    def __missing__(self, product_id: str) -> Product:
        return Product(id=product_id, group_id=product_id, title=NO_TITLE)


def read_asked(release: Known) -> Asked:
    """The tables. Raises InvalidSnapshot where they were not kept, or cannot be read."""
    folder = release.folder / REPORTS_FOLDER / EVALUATION_FOLDER
    try:
        questions, values = read_evaluation_set(folder), engine_values(read_scores(folder / PER_QUERY_FILE))
        run = read_run(folder / RUNS_FILE, ENGINE)
    except (EtalageError, OSError, pl.exceptions.PolarsError, KeyError, TypeError) as error:
        raise InvalidSnapshot(
            f"The questions and answers of release {release.id} were not kept with it, or cannot be read "
            f"({type(error).__name__}): its worst queries are not known."
        ) from error
    if any(query.query_id not in values for query in questions.queries):
        raise InvalidSnapshot(f"The scores kept with release {release.id} are not of the questions kept with it.")
    return Asked(questions, run, values)


def worst(
    asked: Asked, kind: str | None, products: Callable[[], Sequence[Product]], media: MediaStore, count: int = MOST
) -> tuple[Sequence[object], bool]:
    """The worst queries of `kind`, or of all in turns, as `evaluation.pages.worst.show` gives them.

    And whether their snapshot is gone, and the titles with it.
    """
    chosen = replace(asked.questions, queries=asked.questions.of_kind(kind)) if kind else asked.questions
    try:
        known, missing = Products({product.id: product for product in products()}), False
    except EtalageError:
        known, missing = Products(), True
    links = Links(media)
    told = []
    for query in worst_queries(chosen, asked.run, asked.values, count):
        grades, ranked = asked.questions.judgements[query.query_id], asked.run.get(query.query_id, ())
        one = show(query, None, grades, ranked, asked.values[query.query_id][METRIC], known, links)
        told.append(replace(one, picture=links.of(query.image) if query.image else ""))
    return told, missing
