"""Metrics of hand-made runs, with the arithmetic written out."""

from math import log2

import pytest

from evaluation.metrics import METRICS, mean, per_query

JUDGEMENTS = {"one": {"a": 1}, "many": {"a": 1, "b": 1, "c": 1, "d": 0}}


def test_a_known_item_at_rank_two_has_half_the_reciprocal_rank_and_no_recall_at_one() -> None:
    values = per_query({"one": [("x", 0.9), ("a", 0.8)]}, {"one": {"a": 1}})["one"]
    assert values == pytest.approx(
        {"recall@1": 0.0, "recall@10": 1.0, "MRR@10": 1 / 2, "nDCG@10": 1 / log2(3), "success@1": 0.0}
    )


def test_recall_at_one_divides_by_all_relevant_products_and_success_does_not() -> None:
    values = per_query({"many": [("a", 3.0), ("d", 2.0), ("b", 1.0)]}, {"many": JUDGEMENTS["many"]})["many"]
    ideal = 1 / log2(2) + 1 / log2(3) + 1 / log2(4)
    assert values["recall@1"] == pytest.approx(1 / 3)
    assert values["recall@10"] == pytest.approx(2 / 3)
    assert values["success@1"] == 1.0
    assert values["nDCG@10"] == pytest.approx((1 / log2(2) + 1 / log2(4)) / ideal)


def test_grades_are_gains() -> None:
    values = per_query({"q": [("good", 2.0), ("best", 1.0)]}, {"q": {"good": 1, "best": 3}})["q"]
    assert values["nDCG@10"] == pytest.approx((1 + 7 / log2(3)) / (7 + 1 / log2(3)))


def test_equal_scores_keep_the_order_of_the_run() -> None:
    first = per_query({"q": [("a", 0.5), ("z", 0.5)]}, {"q": {"a": 1}})["q"]
    second = per_query({"q": [("z", 0.5), ("a", 0.5)]}, {"q": {"a": 1}})["q"]
    assert (first["MRR@10"], second["MRR@10"]) == (1.0, 0.5)


def test_what_comes_after_rank_ten_does_not_count() -> None:
    ranked = [(f"x{place}", 1.0 - place / 100) for place in range(10)] + [("a", 0.1)]
    assert set(per_query({"one": ranked}, {"one": {"a": 1}})["one"].values()) == {0.0}


def test_a_query_without_an_answer_scores_zero_and_counts_in_the_mean() -> None:
    values = per_query({"one": [("a", 1.0)], "other": []}, {"one": {"a": 1}, "other": {"b": 1}, "third": {"c": 1}})
    assert values["other"] == values["third"] == dict.fromkeys(METRICS, 0.0)
    assert mean(values)["recall@10"] == pytest.approx(1 / 3)
    assert mean(values, ["one", "third"])["recall@10"] == pytest.approx(1 / 2)


def test_a_run_over_unjudged_queries_is_refused() -> None:
    with pytest.raises(ValueError, match="no judgements"):
        per_query({"unknown": [("a", 1.0)]}, JUDGEMENTS)


def test_a_product_named_twice_in_one_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        per_query({"one": [("a", 1.0), ("a", 0.5)]}, {"one": {"a": 1}})


def test_the_mean_of_no_query_is_an_error() -> None:
    with pytest.raises(ValueError, match="no query"):
        mean({})
