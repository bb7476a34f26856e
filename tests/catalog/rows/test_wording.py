"""What an export did to text is undone; what a person wrote stays."""

import pytest

from catalog.rows.records import Record, product_of
from catalog.rows.wording import measure, plain_text, stock_in_words


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<p>Soft &amp; <b>w</b>arm</p><ul><li>one</li><li>two</li></ul>", "Soft & warm one two"),
        ("&lt;p&gt;Nice &amp;amp; soft&lt;/p&gt;", "Nice & soft"),
        ("<style>p {color: red}</style>Mug<script>alert(1)</script>", "Mug"),
        ("Size &lt; 5 &amp; &gt; 2", "Size < 5 & > 2"),
        ("5 < 6 & 7 > 2", "5 < 6 & 7 > 2"),
        ("AT&T; Q&A", "AT&T; Q&A"),
        ("I <3 you", "I <3 you"),
        ("MÃ¼nchen çº¢è‰²", "München 红色"),
        ("Größe „M“ 红色", "Größe „M“ 红色"),
    ],
)
def test_html_entities_and_mojibake_are_put_right_and_the_rest_stays(text: str, plain: str) -> None:
    assert " ".join(plain_text(text).split()) == plain


@pytest.mark.parametrize(
    ("text", "column", "measured"),
    [
        ("20CM", "", "20 cm"),
        ("500 Grams", "", "500 g"),
        ("0.5", "Weight (kg)", "0.5 kg"),
        ("12", "Length [in]", "12 in"),
        ("38", "Size", "38"),
        ("10 M", "", "10 M"),
        ("XL", "", "XL"),
        ("5 years", "", "5 years"),
    ],
)
def test_a_unit_has_one_spelling_and_sizes_are_no_units(text: str, column: str, measured: str) -> None:
    assert measure(text, column) == measured


@pytest.mark.parametrize(
    ("text", "stock"),
    [("in_stock", 1), ("https://schema.org/OutOfStock", 0), ("Sold out", 0), ("有货", 1), ("preorder", 0), ("7", None)],
)
def test_words_about_stock_are_one_or_none(text: str, stock: int | None) -> None:
    assert stock_in_words(text) == stock


def test_a_product_is_read_in_plain_words_and_its_id_is_left_as_it_is() -> None:
    record = Record(
        1,
        {"id": "a&amp;b", "title": "Caf&eacute; <b>mug</b>", "stock": "in stock", "price": "1.299,00 €"},
        category=("Home &amp; Living",),
        attributes={"volume": "250ML"},
    )
    product = product_of(record, ())
    assert (product.id, product.title, product.category) == ("a&amp;b", "Café mug", ("Home & Living",))
    assert (product.stock, product.price, product.currency) == (1, 1299.0, "EUR")
    assert dict(product.attributes) == {"volume": "250 ml"}
