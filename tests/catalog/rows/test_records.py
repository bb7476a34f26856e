"""One raw row becomes a product or is told why not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.rows.records import BadRow, Record, product_of


def row(**values: str) -> Record:
    return Record(1, {"id": "1", "title": "Mug", **values})


def reason(record: Record, images: tuple[str, ...] = ()) -> str:
    with pytest.raises(BadRow) as bad:
        product_of(record, images)
    assert bad.value.detail.endswith(".") and "\n" not in bad.value.detail
    return bad.value.reason


def test_a_bare_row_is_a_product() -> None:
    product = product_of(row(), ())
    assert (product.id, product.title, product.group_id, product.price, product.stock) == (
        "1",
        "Mug",
        "mug",
        None,
        None,
    )


def test_spaces_and_control_characters_are_tidied() -> None:
    product = product_of(row(title="  Big\t\x00 Mug\u00a0 ", brand=" "), ())
    assert (product.title, product.brand) == ("Big Mug", None)


def test_a_product_of_one_picture_needs_no_title_and_is_its_own_group() -> None:
    product = product_of(Record(1, {"id": "7", "title": " "}), ("m1",))
    assert (product.title, product.group_id, product.images) == ("", "7", ("m1",))


def test_the_group_of_the_source_wins_over_the_title() -> None:
    assert product_of(row(group_id="line-3"), ()).group_id == "line-3"


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12", 12.0),
        ("12.50", 12.5),
        ("1,299.00", 1299.0),
        ("1,234,567", 1234567.0),
        ("0", 0.0),
        ("", None),
        ("12,5", 12.5),
    ],
)
def test_prices_are_read(text: str, amount: float | None) -> None:
    assert product_of(row(price=text), ()).price == amount


@pytest.mark.parametrize("text", ["free", "-1", "1.2.3", "nan", "inf", "1e400", "12 EURO", "1 2", "5-9 EUR"])
def test_what_is_no_price_is_refused(text: str) -> None:
    assert reason(row(price=text)) == "bad_price"


def test_a_currency_may_stand_in_the_price() -> None:
    product = product_of(row(price="12.50 eur", currency="USD"), ())
    assert (product.price, product.currency) == (12.5, "EUR")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"id": " "}, "no_id"),
        ({"id": "a\x07b"}, "bad_id"),
        ({"id": "x" * 129}, "bad_id"),
        ({"title": ""}, "no_title"),
        ({"title": "x" * 1001}, "too_long"),
        ({"description": "x" * 20_001}, "too_long"),
        ({"brand": "x" * 257}, "too_long"),
        ({"currency": "euro"}, "bad_currency"),
        ({"stock": "-1"}, "bad_stock"),
        ({"stock": "many"}, "bad_stock"),
        ({"stock": "1.5"}, "bad_stock"),
        ({"rating": "good"}, "bad_rating"),
        ({"rating": "nan"}, "bad_rating"),
        ({"updated_at": "yesterday"}, "bad_time"),
    ],
)
def test_a_bad_value_is_refused_with_its_reason(values: dict[str, str], expected: str) -> None:
    assert reason(row(**values)) == expected


def test_long_values_are_found_in_lists_too() -> None:
    assert reason(Record(1, {"id": "1", "title": "x"}, category=("y" * 257,))) == "too_long"
    assert reason(Record(1, {"id": "1", "title": "x"}, attributes={"colour": "y" * 257})) == "too_long"
    assert reason(Record(1, {"id": "1", "title": "x"}, reviews=("y" * 20_001,))) == "too_long"


def test_a_row_that_could_not_be_read_keeps_its_problem() -> None:
    with pytest.raises(BadRow, match="torn"):
        product_of(Record(3, problem="The row is torn."), ())


def test_a_time_has_a_zone() -> None:
    assert product_of(row(updated_at="2026-05-01"), ()).updated_at == "2026-05-01T00:00:00+00:00"
    assert product_of(row(updated_at="2026-05-01T10:00:00+08:00"), ()).updated_at == "2026-05-01T10:00:00+08:00"
    assert product_of(row(updated_at="2026-05-01T10:00:00Z"), ()).updated_at == "2026-05-01T10:00:00+00:00"


def test_empty_attributes_and_levels_are_left_out() -> None:
    product = product_of(Record(1, {"id": "1", "title": "x"}, ("Home", " ", "Mugs"), {"colour": " ", "size": "M"}), ())
    assert product.category == ("Home", "Mugs")
    assert dict(product.attributes) == {"size": "M"}
    assert product.facets() == {"size": "M", "category": "Mugs"}


FIELDS = ["id", "title", "description", "brand", "price", "currency", "stock", "rating", "updated_at", "group_id"]


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=30)))
def test_any_values_give_a_product_or_a_reason(values: dict[str, str]) -> None:
    try:
        product = product_of(Record(1, values), ())
    except BadRow as bad:
        assert bad.detail
    else:
        assert product.id and product.group_id and product.title
