"""A price in any shop's writing is one amount and one currency; a text that is no price is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.rows.prices import Price, decimal_mark, parse_price


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("1.299,00 €", 1299.0, "EUR"),
        ("Rs. 599", 599.0, "INR"),
        ("599.00 INR", 599.0, "INR"),
        ("¥1,280", 1280.0, "JPY"),
        ("1 299,00 kr", 1299.0, "SEK"),
        ("1\u00a0299,00\u202fkr", 1299.0, "SEK"),
        ("1'299.00 CHF", 1299.0, "CHF"),
        ("CHF 12.-", 12.0, "CHF"),
        ("R$ 1.299,90", 1299.9, "BRL"),
        ("₹1,29,999", 129999.0, "INR"),
        ("US$12.50", 12.5, "USD"),
        ("999元", 999.0, "CNY"),
        ("1.299 €", 1299.0, "EUR"),
        ("1.299 KWD", 1.299, "KWD"),
        ("0.125 EUR", 0.125, "EUR"),
        ("1.299", 1.299, None),
        ("12,5", 12.5, None),
        ("1,299", 1299.0, None),
        ("1.000.000", 1_000_000.0, None),
    ],
)
def test_prices_are_read_as_shops_write_them(text: str, amount: float, currency: str | None) -> None:
    assert parse_price(text) == Price(amount, currency)


@pytest.mark.parametrize(
    "text",
    ["", "free", "-5", "12-15 EUR", "call 555 1234", "1,2,3", "1..2", "$", "12 USD EUR", "1.29.99", "from 5 EUR"],
)
def test_what_is_no_single_price_is_none(text: str) -> None:
    assert parse_price(text) is None


def test_the_shop_s_own_currency_decides_what_a_shared_sign_means() -> None:
    assert parse_price("¥88", "CNY") == Price(88.0, "CNY")
    assert parse_price("$5", "cad") == Price(5.0, "CAD")
    assert parse_price("€5", "USD") == Price(5.0, "EUR")  # no dollar is written as a euro


def test_the_mark_of_the_shop_decides_where_one_alone_could_be_either() -> None:
    assert decimal_mark(["12,50", "1.299", "7"]) == ","
    assert decimal_mark(["12.50", "1,299.00"]) == "."
    assert decimal_mark(["12,50", "12.50"]) is None and decimal_mark(["1.299", "7"]) is None
    assert parse_price("1.299", decimal=",") == Price(1299.0, None)
    assert parse_price("1,299", decimal=",") == Price(1.299, None)


@given(st.integers(0, 99_999_999), st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", ".")]))
def test_every_amount_survives_every_grouping(cents: int, marks: tuple[str, str]) -> None:
    group, decimal = marks
    written = f"{cents // 100:,}".replace(",", group) + f"{decimal}{cents % 100:02} EUR"
    assert parse_price(written) == Price(cents / 100, "EUR")
