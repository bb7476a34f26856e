"""What a ranker sees of a candidate, number by number."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from catalog.products import Product
from search.query import Query
from search.ranking.features import FEATURES, ShopFacts, features_of, seconds_of
from search.rows import payload_of
from search.understanding.understood import Meaning, Mention, Understood

FOUND = {"dense": [("a", 0.9), ("b", 0.5), ("c", 0.4)], "lexical": [("b", 8.0), ("a", 2.0)]}
ABLE = {"a": frozenset({"dense", "lexical"}), "b": frozenset({"dense", "lexical"}), "c": frozenset({"dense"})}
RANKED = [("b", 0.8), ("a", 0.6), ("c", 0.1)]
PRODUCTS = {
    "a": Product("a", "a", "Red mug", price=5.0, rating=4.5, stock=3, language="en", updated_at="2026-03-01T00:00:00Z"),
    "b": Product("b", "b", "红色杯子", "a gift", price=7.5, language="zh-CN", updated_at="2026-03-09T12:00:00+00:00"),
    "c": Product("c", "c", "", images=("picture", "other")),
}


def seen(
    name: str, query: Query | None = None, facts: ShopFacts | None = None, found: Mapping[str, Any] = FOUND
) -> Sequence[float]:
    """One feature of b, a and c, in that order."""
    payloads = [payload_of(PRODUCTS[product_id]) for product_id, _ in RANKED]
    rows = features_of(query or Query(text="red mug"), found, ABLE, RANKED, payloads, facts or ShopFacts())
    assert rows.shape == (3, len(FEATURES))
    column: list[float] = rows[:, FEATURES.index(name)].tolist()
    return column


def same(values: Sequence[float]) -> Any:
    return pytest.approx(values, nan_ok=True)


NAN = float("nan")


def test_a_leg_tells_its_score_its_rank_and_the_distance_to_its_best():
    assert seen("dense.score") == same([0.5, 0.9, 0.4])
    assert seen("dense.rank") == same([2, 1, 3])
    assert seen("dense.behind") == same([0.4, 0.0, 0.5])
    assert seen("dense.scaled") == same([0.2, 1.0, 0.0])  # from the last at 0 to the best at 1
    assert seen("dense.able") == same([1, 1, 1])


def test_what_a_leg_cannot_find_is_not_known_and_what_it_did_not_find_has_no_score():
    assert seen("lexical.scaled") == same([1.0, 0.25, NAN])  # c has no words: nothing to be held against it
    assert seen("lexical.score") == same([8.0, 2.0, NAN])
    assert seen("lexical.able") == same([1, 1, 0])
    fewer = {"dense": [("b", 0.5)], "lexical": FOUND["lexical"]}
    assert seen("dense.scaled", found=fewer) == same([1.0, 0.0, 0.0])
    assert seen("dense.rank", found=fewer) == same([1, NAN, NAN])
    assert seen("legs.found", found=fewer) == same([2, 1, 0])


def test_a_leg_that_was_not_asked_is_not_known():
    assert seen("image.score") == same([NAN] * 3)
    assert seen("image.able") == same([NAN] * 3)


def test_a_leg_that_found_nothing_has_been_asked():
    assert seen("lexical.scaled", found={**FOUND, "lexical": []}) == same([0.0, 0.0, NAN])


def test_the_fused_list_tells_score_rank_and_distance():
    assert seen("fused.score") == same([0.8, 0.6, 0.1])
    assert seen("fused.rank") == same([1, 2, 3])
    assert seen("fused.behind") == same([0.0, 0.2, 0.7])


def test_products_tell_what_is_written_down():
    assert seen("product.price") == same([7.5, 5.0, NAN])
    assert seen("product.rating") == same([NAN, 4.5, NAN])
    assert seen("product.stock") == same([NAN, 3, NAN])
    assert seen("product.pictures") == same([0, 0, 2])
    assert seen("product.title_length") == same([4, 7, 0])
    assert seen("product.description_length") == same([6, 0, 0])


def test_freshness_counts_from_the_newest_product_and_not_from_today():
    newest = seconds_of("2026-03-11T00:00:00+00:00")
    assert seen("product.age_days", facts=ShopFacts(newest=newest)) == same([1.5, 10.0, NAN])
    assert seen("product.age_days") == same([NAN] * 3)
    # a product that came after the ranker was trained is as new as can be
    assert seen("product.age_days", facts=ShopFacts(newest=newest - 7 * 86_400)) == same([0.0, 3.0, NAN])


def test_popularity_is_the_logarithm_of_actions_and_unknown_where_nobody_counts():
    assert seen("product.popularity", facts=ShopFacts(actions={"a": 7})) == same([0.0, np.log(8), 0.0])
    assert seen("product.popularity") == same([NAN] * 3)


def test_the_language_of_the_query_meets_that_of_the_product():
    assert seen("product.same_language") == same([0, 1, NAN])
    assert seen("product.same_language", Query(text="红色杯子")) == same([1, 0, NAN])
    assert seen("product.same_language", Query(text="红色 nike 杯子")) == same([NAN] * 3)
    assert seen("product.same_language", Query(images=(b"photo",))) == same([NAN] * 3)


def test_the_query_is_told_alike_to_all_its_candidates():
    assert seen("query.words") == same([2] * 3)
    assert seen("query.chinese") == same([0.0] * 3)
    assert seen("query.chinese", Query(text="红色 nike 杯子")) == same([0.5] * 3)
    both = Query(text="红色", images=(b"one", b"other"))
    assert seen("query.photos", both) == same([2] * 3)
    assert seen("query.words", Query(images=(b"photo",))) == same([NAN] * 3)


def test_a_query_that_was_read_tells_how_much_was_understood_and_its_leg_how_well_it_fits():
    payloads = [payload_of(PRODUCTS[product_id]) for product_id, _ in RANKED]
    red = Mention("red", 0, 3, "name", (Meaning("colour", "Red", 1.0),))
    read = Understood("red mug", "red mug", (red,))
    found = {**FOUND, "attributes": [("a", 1.0), ("c", 0.5)]}
    able = {**ABLE, "a": ABLE["a"] | {"attributes"}, "c": ABLE["c"] | {"attributes"}}
    rows = features_of(Query(text="red mug"), found, able, RANKED, payloads, ShopFacts(), read)
    assert rows[:, FEATURES.index("query.mentions")].tolist() == [1, 1, 1]
    assert rows[:, FEATURES.index("attributes.score")].tolist() == same([NAN, 1.0, 0.5])
    assert rows[:, FEATURES.index("attributes.scaled")].tolist() == same([NAN, 1.0, 0.5])
    assert seen("query.mentions") == same([NAN] * 3)
    assert seen("attributes.score") == same([NAN] * 3)


def test_no_candidates_are_no_rows():
    assert features_of(Query(text="x"), {"dense": []}, {}, [], [], ShopFacts()).shape == (0, len(FEATURES))
