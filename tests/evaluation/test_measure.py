"""From answers to means, margins and slices, with the arithmetic written out."""

import polars as pl
import pytest

from evaluation.measure import margins, measurements, score, slice_scores
from evaluation.metrics import METRICS
from evaluation.queries.judgements import EvaluationQuery, EvaluationSet
from evaluation.results import Measured


def query(name: str, kind: str = "title_to_product", *slices: str) -> EvaluationQuery:
    return EvaluationQuery(name, kind, "en", "words", slices=slices)


QUESTIONS = EvaluationSet(
    (
        query("q1", "title_to_product", "language=en", "picture=present"),
        query("q2", "title_to_product", "language=en", "picture=missing"),
        query("q3", "title_to_product", "language=zh"),
        query("a1", "attribute_en", "language=en"),
    ),
    {"q1": {"a": 1}, "q2": {"b": 1}, "q3": {"c": 1}, "a1": {"a": 1, "b": 1}},
    ("a", "b", "c", "d"),
)
RUNS = {
    "engine": {
        "q1": [("a", 1.0)],
        "q2": [("a", 1.0), ("b", 0.5)],
        "q3": [("d", 1.0)],
        "a1": [("a", 1.0), ("b", 0.5)],
    },
    "bm25_titles": {"q1": [("d", 1.0), ("a", 0.5)], "q2": [], "a1": [("a", 1.0)]},
}
ASKED = {"engine": ("title_to_product", "attribute_en"), "bm25_titles": ("title_to_product", "attribute_en")}


def scores() -> pl.DataFrame:
    return score(QUESTIONS, RUNS, ASKED)


def found(rows: tuple[Measured, ...], kind: str, system: str, metric: str) -> Measured:
    (row,) = [row for row in rows if (row.kind, row.system, row.metric) == (kind, system, metric)]
    return row


def test_means_are_over_all_queries_of_a_kind_answered_or_not() -> None:
    rows = measurements(scores(), seed=1, rounds=200)
    assert found(rows, "title_to_product", "engine", "recall@10").mean == pytest.approx(2 / 3)
    assert found(rows, "title_to_product", "engine", "MRR@10").mean == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert found(rows, "title_to_product", "bm25_titles", "recall@10").mean == pytest.approx(1 / 3)
    assert found(rows, "title_to_product", "bm25_titles", "recall@10").n == 3
    assert len(rows) == 2 * 2 * len(METRICS)
    assert [row.kind for row in rows[: 2 * len(METRICS)]] == ["title_to_product"] * 2 * len(METRICS)


def test_a_margin_pairs_the_primary_metric_by_query() -> None:
    (known, attribute) = margins(scores(), seed=1, rounds=200)
    assert (known.kind, known.system, known.baseline, known.metric, known.n) == (
        "title_to_product", "engine", "bm25_titles", "recall@10", 3,
    )  # fmt: skip
    assert known.mean - known.baseline_mean == pytest.approx((0 + 1 + 0) / 3)
    assert known.lower_bound == 0.0  # a third of the resamples never draw q2
    assert attribute.metric == "nDCG@10"
    assert attribute.mean == 1.0


def test_a_slice_needs_its_minimum_of_queries() -> None:
    rows = slice_scores(scores(), "engine", minimum=2, seed=1, rounds=200)
    assert [(row.kind, row.slice, row.n) for row in rows] == [("title_to_product", "language=en", 2)]
    assert rows[0].mean == 1.0
    everything = slice_scores(scores(), "engine", minimum=1, seed=1, rounds=200)
    assert {row.slice for row in everything} == {"language=en", "language=zh", "picture=present", "picture=missing"}


def test_every_row_names_the_evaluation_set() -> None:
    table = scores()
    assert table["evaluation_set"].unique().to_list() == [QUESTIONS.fingerprint]
    assert len(table) == 2 * 4
