"""Prices in the words of a query, and numbers that are none."""

import pytest

from search.understanding.prices import amount, read_prices


@pytest.mark.parametrize(
    ("text", "bounds", "currency"),
    [
        ("shirt under 500", {"lte": 500}, None),
        ("500以下的鞋", {"lte": 500}, None),
        ("shirts below rs 1500 for men", {"lte": 1500}, "INR"),
        ("不超过1,000元 皮鞋", {"lte": 1000}, "CNY"),
        ("预算三百块 手表", {"lte": 300}, "CNY"),
        ("up to 2k", {"lte": 2000}, None),
        ("at least 1,200 inr", {"gte": 1200}, "INR"),
        ("1千元以上", {"gte": 1000}, "CNY"),
        ("over $50", {"gte": 50}, "USD"),
        ("between 20 and 40 euros", {"gte": 20, "lte": 40}, "EUR"),
        ("裙子 200-300元", {"gte": 200, "lte": 300}, "CNY"),
        ("500-800", {"gte": 500, "lte": 800}, None),
        ("500到800之间", {"gte": 500, "lte": 800}, None),
        ("500左右的包", {"gte": 400, "lte": 600}, None),
        ("about 300 rupees", {"gte": 240, "lte": 360}, "INR"),
        ("watch €99.50", {"gte": 79.6, "lte": 119.4}, "EUR"),
        ("t-shirt for under £20 in black", {"lte": 20}, "GBP"),
    ],
)
def test_a_number_with_a_cue_is_a_price(text: str, bounds: dict[str, float], currency: str | None):
    (price,) = read_prices(text)
    assert dict(price.bounds) == pytest.approx(bounds)
    assert price.currency == currency
    assert text[price.start : price.end] == price.text


@pytest.mark.parametrize(
    "text",
    [
        "iphone 12", "pack of 3 socks", "size 42 shoes", "2012 shirt", "summer 2011-2012", "from 2012", "jeans 501",
        "100ml perfume", "under 10 cm heels", "more than 2 pockets", "32-34 waist", "12岁以下男童", "3件以上",
        "鞋码42以下", "over the knee boots", "under armour shirt", "5以下", "千鸟格大衣", "",
    ],
)  # fmt: skip
def test_sizes_years_quantities_and_models_are_no_prices(text: str):
    assert read_prices(text) == []


def test_two_prices_are_both_read_and_do_not_overlap():
    low, high = read_prices("over 100 and under 200")
    assert (low.bounds, high.bounds) == ((("gte", 100.0),), (("lte", 200.0),))
    assert low.end <= high.start


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,200", 1200), ("2k", 2000), ("3.5万", 35_000), ("五百", 500), ("三百五", 350), ("一千二百", 1200),
     ("两千零五十", 2050), ("十五", 15), ("一万二千", 12_000)],
)  # fmt: skip
def test_amounts_as_people_write_them(text: str, value: float):
    assert amount(text) == value
