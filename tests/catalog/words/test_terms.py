"""A facet value has names, and a text names facet values."""

import pytest

from catalog.products import Product, Term
from catalog.words.terms import TermIndex

TERMS = TermIndex(
    [
        Term("colour", "Blue", "zh", "蓝色"),
        Term("colour", "Navy Blue", "zh", "藏青色"),
        Term("colour", "Navy Blue", "zh", "深蓝色"),
        Term("colour", "Red", "zh", "红"),
        Term("gender", "Women", "zh", "女士"),
        Term("category", "Tshirts", "zh", "T恤"),
        Term("category", "Casual Shoes", "zh-CN", "休闲鞋"),
        Term("usage", "Casual", "zh", "休闲"),
        Term("category", "Shoe", "en", "trainers"),
    ]
)


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("Dresses", ("dress", "dresses")),
        ("Tshirts", ("t-shirt", "t-shirts", "tshirt", "tshirts")),
        ("T-Shirts", ("t-shirt", "t-shirts", "tshirt", "tshirts")),
        ("Flip Flops", ("flip flops", "flip flop")),
        ("Jeans", ("jeans",)),
        ("Handbag", ("handbag", "handbags")),
        ("Scarves", ("scarf", "scarves")),
        ("laptopBag", ("laptop bag", "laptop bags")),
        ("home_decor", ("home decor", "home decors")),
        ("Perfume and Body Mist", ("perfume and body mist",)),
    ],
)
def test_an_english_category_without_a_term_is_named_as_people_say_it(value: str, names: tuple[str, ...]) -> None:
    assert TermIndex([]).names("category", value, "en") == names


def test_other_values_are_named_as_they_are_in_lower_case() -> None:
    assert TERMS.names("colour", "Navy Blue", "en") == ("navy blue",)
    assert TERMS.names("usage", "Sports", "en") == ("sports",)


def test_the_shops_own_names_come_first_and_a_region_does_not_matter() -> None:
    assert TERMS.names("category", "Shoe", "en") == ("trainers",)
    assert TERMS.names("colour", "Navy Blue", "zh") == ("藏青色", "深蓝色")
    assert TERMS.names("category", "Casual Shoes", "zh_Hans_CN") == ("休闲鞋",)


def test_a_value_is_not_passed_off_as_a_word_of_another_language() -> None:
    assert TERMS.names("colour", "Green", "zh") == ()
    assert TermIndex([]).names("colour", "红色", "zh") == ("红色",)
    assert TermIndex([]).names("colour", "红色", "en") == ()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("navy blue women's T-Shirts", {"Navy Blue", "Women", "Tshirts"}),
        ("blue shoes", {"Blue", "Shoe"}),
        ("blue shoelaces", {"Blue"}),
        ("藏青色女士T恤", {"Navy Blue", "Women", "Tshirts"}),
        ("深蓝色休闲鞋", {"Navy Blue", "Casual Shoes"}),
        ("蓝色 casual t shirt", {"Blue", "Casual", "Tshirts"}),
        ("口红", set()),
        ("trainers", {"Shoe"}),
        ("", set()),
    ],
)
def test_a_text_names_values_by_their_longest_name(text: str, values: set[str]) -> None:
    assert {value for _, value in TERMS.values_named(text)} == values


def test_products_add_values_that_have_no_term() -> None:
    product = Product("1", "g", "x", category=("Home", "Mugs"), attributes={"pattern": "Dotted"})
    index = TermIndex([], [product])
    assert index.values_named("a dotted mug") == (("pattern", "Dotted"), ("category", "Mugs"))
    assert index.fields() == ("category", "pattern")
    assert index.values("pattern") == ("Dotted",)


def test_only_a_whole_name_is_the_name_of_a_value() -> None:
    assert TERMS.is_name_of("Blues") == (("colour", "Blue"),)
    assert TERMS.is_name_of("dark blue") == ()
    assert TERMS.is_name_of("蓝色") == (("colour", "Blue"),)
    assert TERMS.is_name_of("浅蓝色") == ()
