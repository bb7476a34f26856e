"""Search in process is a sort by rounded score and id, and what filters need is made when it opens."""

from dataclasses import replace

import numpy as np
import pytest

import search.rows
from search.collection import DECIMALS, DENSE, Scored
from search.filters import parse_filters
from search.matching import METRICS, MetricName
from search.memory import MemoryCollection
from search.rows import Rows
from tests.search.worlds import D, WordEncoder, many_rows, rows_of


def nearly_tied(metric: MetricName, step: float) -> Rows:
    """300 products whose scores for the first axis are `step` apart, in an order that is not that of their ids."""
    rows = many_rows(300)
    height = 0.5 + step * np.random.default_rng(3).permutation(300)
    vectors = np.zeros((300, D))
    vectors[:, 0], vectors[:, 1] = height, np.sqrt(1 - height**2)
    everything = np.ones(300, dtype=bool)
    return replace(
        rows,
        vectors={**rows.vectors, "fused": vectors.astype(np.float32)},
        present={**rows.present, "fused": everything},
        metric=metric,
    )


def by_definition(rows: Rows, query: np.ndarray, limit: int) -> Scored:
    scores = METRICS[rows.metric].scores(rows.vectors["fused"], query)
    rounded = [round(float(score), DECIMALS) for score in np.round(scores.astype(np.float64), DECIMALS)]
    return sorted(zip(rows.ids, rounded, strict=True), key=lambda pair: (-pair[1], pair[0]))[:limit]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("step", [0.0, 1e-7, 4e-7, 1e-6, 1e-3])
def test_the_best_are_cut_by_rounded_score_and_then_by_id_wherever_the_cut_falls(metric: MetricName, step: float):
    rows, query = nearly_tied(metric, step), np.eye(D, dtype=np.float32)[0]
    collection = MemoryCollection(rows, name="c", release="r")
    for limit in (1, 2, 9, 10, 150, 299, 300, 1000):
        assert collection.search(DENSE, query, limit) == by_definition(rows, query, limit)


def test_large_scores_of_the_lexical_leg_are_cut_the_same_way():
    rows = many_rows(300)
    rows = replace(rows, words=tuple("silk " * (1 + number % 7) + "rare" * (number % 50 == 0) for number in range(300)))
    collection = MemoryCollection(rows, name="c", release="r")
    question = " ".join(["silk"] * 40 + ["rare"] * 40)
    whole = collection.search("lexical", question, 300)
    assert whole == sorted(whole, key=lambda pair: (-pair[1], pair[0])) and whole[0][1] > 64
    for limit in (1, 5, 6, 7, 100):
        assert collection.search("lexical", question, limit) == whole[:limit]


def test_the_first_filtered_query_makes_no_tags(monkeypatch: pytest.MonkeyPatch):
    collection = MemoryCollection(rows_of(), name="c", release="r")

    def too_late(*_: object) -> None:
        raise AssertionError("a caller waits for the tags of the whole catalogue")

    monkeypatch.setattr(search.rows, "tags_of", too_late)
    query = WordEncoder().encode_text(["red"])[0]
    narrow = parse_filters({"colour": "red", "price": {"gt": 1}, "in_stock": True}, collection.fields)
    assert {product_id for product_id, _ in collection.search(DENSE, query, 10, narrow)} == {"d1", "s1", "z1"}


def test_products_with_the_same_value_share_its_tag():
    rows = rows_of()
    first, second = (rows.tags[rows.position[name]] for name in ("d1", "s1"))
    (mine,), (theirs,) = ([tag for tag in tags if tag == "colour=red"] for tags in (first, second))
    assert mine is theirs
