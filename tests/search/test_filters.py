"""Filters: what is understood, what is refused, and that nothing a caller writes can leave its string literal."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import InvalidQuery
from catalog.products import Product
from search.collection import Collection
from search.filters import (
    AnyOf,
    Filter,
    FilterFields,
    Flag,
    Range,
    Without,
    decode,
    encode,
    facet_tag,
    parse_filters,
    to_milvus,
)
from search.memory import MemoryCollection
from search.milvus.store import MilvusStore
from tests.search.worlds import WordEncoder, rows_of, store_path

FIELDS = FilterFields(facets=("category", "colour", "size"))

HOSTILE = [
    'Red" or 1==1 or "a"=="a',
    "Red' or '1'=='1",
    "back\\slash",
    'end with \\"',
    '"]) or true or array_contains_any(facets, ["',
    "line\nbreak\r\ttab",
    "nul\x00 bell\x07 escape\x1b",
    "100% cotton",
    "%22 or %s {0} $meta {x}",
    "红色 “引号”",
    "ñ é ü ﬁ İ ß ǅ",
    "\U0001f457 \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\u202eright to left\u2028next",
    "half \ud83d pair",
    "a/b;c--d#e",
    "",
    " ",
    "true",
    "null",
    "1e5",
    "x" * 700,
    "x" * 699 + "y",
    "=",
    "colour=red",
]


def parsed(raw: dict[str, Any]) -> Filter:
    return parse_filters(raw, FIELDS)


def test_each_kind_of_field_takes_its_kind_of_value():
    assert parsed({}).clauses == ()
    assert parsed({"colour": "Red"}).clauses == (AnyOf("colour", ("Red",)),)
    assert parsed({"size": [38, 38.5, "40"]}).clauses == (AnyOf("size", ("38", "38.5", "40")),)
    assert parsed({"price": 10}).clauses == (Range("price", (("gte", 10.0), ("lte", 10.0))),)
    assert parsed({"price": {"gte": 1, "lt": 9.5}}).clauses == (Range("price", (("gte", 1.0), ("lt", 9.5))),)
    assert parsed({"in_stock": True}).clauses == (Flag("in_stock", True),)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"smell": "x"}, "There is no filter 'smell': known are category, colour, in_stock, price"),
        ({"group_key": "x"}, "There is no filter 'group_key'"),
        ({"colour": {"gte": 1}}, "'colour' takes a text or a list of texts"),
        ({"colour": None}, "'colour' takes a text"),
        ({"colour": []}, "'colour' takes 1 to 200 values"),
        ({"colour": ["x"] * 201}, "'colour' takes 1 to 200 values"),
        ({"colour": [["x"]]}, "'colour' takes a text"),
        ({"colour": "x" * 1_001}, "over 1,000 characters"),
        ({"colour": 10**50}, "too large"),
        ({"colour": float("nan")}, "'colour' takes a text"),
        ({"price": "cheap"}, "'price' takes a number"),
        ({"price": {"lt": "9"}}, "'price' takes a number"),
        ({"price": {}}, "gte, gt, lte, lt"),
        ({"price": {"below": 9}}, "gte, gt, lte, lt"),
        ({"price": {"lt": float("inf")}}, "'price' takes a number"),
        ({"price": {"lt": float("nan")}}, "'price' takes a number"),
        ({"price": {"lt": 10**400}}, "'price' takes a number"),
        ({"price": True}, "'price' takes a number"),
        ({"in_stock": "true"}, "'in_stock' takes true or false"),
        ({"in_stock": 1}, "'in_stock' takes true or false"),
        ({str(number): "x" for number in range(21)}, "at most 20 filters"),
        (["colour"], "not an object"),
    ],
)
def test_anything_else_is_refused_with_one_sentence(raw: Any, sentence: str):
    with pytest.raises(InvalidQuery, match=sentence.replace("(", r"\(")):
        parse_filters(raw, FIELDS)


def test_an_expression_holds_no_character_that_a_caller_chose_but_letters_digits_and_signs():
    assert to_milvus(parsed({"colour": 'Red" or 1==1'})) == 'array_contains_any(facets, ["colour=red%22 or 1%3D%3D1"])'
    assert to_milvus(parsed({"price": {"gte": 1, "lt": 9}, "in_stock": False})) == (
        "price >= 1.0 and price < 9.0 and in_stock == false"
    )
    assert to_milvus(Filter((Without('a"b', "g\\"),))) == 'key != "a%22b" and group_key != "g%5C"'


def test_values_meet_without_regard_to_case_width_and_spaces():
    assert (
        facet_tag("colour", "Navy  Blue ") == facet_tag("colour", "navy blue") == facet_tag("colour", "ＮＡＶＹ Blue")
    )
    assert facet_tag("colour", "a") != facet_tag("color", "a")
    assert facet_tag("a=b", "c") != facet_tag("a", "b=c")


@given(st.text(st.characters(), max_size=60))
def test_encoding_is_one_to_one_and_harmless(text: str):
    code = encode(text)
    assert decode(code) == text
    assert all(character.isalnum() or character in " -_.%" for character in code)


# Lite and memory under the same filter.


def hostile_products() -> list[Product]:
    products = []
    for number, value in enumerate(HOSTILE):
        safe = value.encode("utf-8", "replace").decode()  # a snapshot is UTF-8: half a pair never gets there
        products.append(
            Product(
                id=f"{number}{safe}"[:90],
                group_id=f"g{number % 5}{safe}"[:90],
                title=f"thing {number}",
                category=("Things", safe or "none"),
                attributes={"colour": safe, "odd name": safe[::-1], 'quo"te': "yes"},
                price=None if number % 4 == 0 else number * 1.1,
                stock=None if number % 3 == 0 else number % 2,
                rating=number / 7,
            )
        )
    return products


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collection, Collection]]:
    """The hostile products, searched in process and by Milvus Lite."""
    rows = rows_of(hostile_products())
    store = MilvusStore(store_path(tmp_path_factory.mktemp("hostile")))
    store.write(rows, "hostile")
    with store.asked("hostile") as lite:
        yield MemoryCollection(rows, name="products_hostile", release="hostile"), lite


def found(collection: Collection, narrow: Filter) -> set[str]:
    query = np.ones(WordEncoder.dim, dtype=np.float32)
    return {product_id for product_id, _ in collection.search("text", query, 100, narrow)}


words = st.one_of(st.sampled_from(HOSTILE), st.sampled_from([value[::-1] for value in HOSTILE]), st.text(max_size=20))
numbers = st.one_of(st.integers(-5, 30), st.floats(-5, 30), st.sampled_from([1.1, 2.2, 0.0, -0.0, 1e-300, 1e300]))
raw_filters = st.fixed_dictionaries(
    {},
    optional={
        "colour": st.one_of(words, st.lists(words, min_size=1, max_size=4)),
        "odd name": words,
        'quo"te': st.sampled_from(["yes", "no"]),
        "category": words,
        "in_stock": st.booleans(),
        "price": st.one_of(numbers, st.dictionaries(st.sampled_from(["gte", "gt", "lte", "lt"]), numbers, min_size=1)),
        "rating": numbers,
        "stock": st.dictionaries(st.sampled_from(["gte", "lt"]), st.integers(-1, 2), min_size=1),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=raw_filters)
def test_milvus_and_memory_let_the_same_products_through(both: tuple[Collection, Collection], raw: dict[str, Any]):
    memory, lite = both
    narrow = parse_filters(raw, memory.fields)
    assert parse_filters(raw, lite.fields) == narrow
    assert found(lite, narrow) == found(memory, narrow)


@pytest.mark.parametrize(("bound", "numbers"), [("gte", {2, 3}), ("gt", {3}), ("lte", {1, 2}), ("lt", {1})])
def test_bounds_include_the_limit_or_not(both: tuple[Collection, Collection], bound: str, numbers: set[int]):
    memory, lite = both
    limit = hostile_products()[2].price
    expected = {hostile_products()[number].id for number in numbers}
    near = {hostile_products()[number].id for number in (1, 2, 3)}
    narrow = parse_filters({"price": {bound: limit}}, memory.fields)
    assert found(memory, narrow) & near == found(lite, narrow) & near == expected


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_finds_exactly_the_products_that_carry_it(both: tuple[Collection, Collection], value: str):
    memory, lite = both
    safe = value.encode("utf-8", "replace").decode()
    tag = facet_tag("colour", safe)
    carriers = {p.id for p in hostile_products() if facet_tag("colour", p.attributes["colour"]) == tag}
    narrow = parse_filters({"colour": safe}, memory.fields)
    assert found(memory, narrow) == found(lite, narrow) == carriers


def test_hostile_ids_are_left_out_and_looked_up_by_both(both: tuple[Collection, Collection]):
    memory, lite = both
    for product in hostile_products():
        without = Filter((Without(product.id, product.group_id),))
        left = found(memory, without)
        assert product.id not in left and found(lite, without) == left
    ids = [product.id for product in hostile_products()]
    assert lite.products(ids) == memory.products(ids)


def test_stock_that_is_not_counted_is_for_sale():
    base = Product("a", "a", "hat", stock=3)
    rows = rows_of([base, replace(base, id="b", stock=0), replace(base, id="c", stock=None)])
    for_sale = rows.mask(Filter((Flag("in_stock", True),)))
    assert dict(zip(rows.ids, for_sale.tolist(), strict=True)) == {"a": True, "b": False, "c": True}


def test_an_unknown_price_is_within_no_range():
    rows = rows_of([Product("a", "a", "hat", price=5.0), Product("b", "b", "hat")])
    assert rows.mask(parse_filters({"price": {"lt": 100}}, rows.fields)).tolist() == [True, False]
    assert rows.mask(parse_filters({"price": {"gte": -100}}, rows.fields)).tolist() == [True, False]
