"""A Merchant feed, as text or as XML: what its fields mean, and what is done with one that is broken."""

from pathlib import Path

import pytest

from catalog.errors import InvalidSource
from catalog.ingesting.checking import checked_rows
from catalog.products import Product
from catalog.sources import open_source

RSS = '<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>{}</channel></rss>'


def product(folder: Path, fields: str, head: str = "") -> Product:
    path = folder / "feed.xml"
    path.write_text(head + RSS.format(f"<item><g:id>1</g:id><g:title>Mug</g:title>{fields}</item>"), encoding="utf-8")
    (row,) = checked_rows(open_source(path))
    assert row.product, row.quarantined
    return row.product


@pytest.mark.parametrize(
    ("fields", "price"),
    [
        ("<g:price>1299.00 INR</g:price>", 1299.0),
        ("<g:price>1299.00 INR</g:price><g:sale_price>999.00 INR</g:sale_price>", 999.0),
        (
            "<g:price>1299.00 INR</g:price><g:sale_price>999.00 INR</g:sale_price>"
            "<g:sale_price_effective_date>2026-01-01T00:00Z/2026-02-01T00:00Z</g:sale_price_effective_date>",
            1299.0,
        ),
    ],
)
def test_a_sale_price_counts_where_it_has_no_dates(tmp_path: Path, fields: str, price: float) -> None:
    found = product(tmp_path, fields)
    assert (found.price, found.currency) == (price, "INR")


@pytest.mark.parametrize(
    ("fields", "category"),
    [
        ("<g:product_type>Home &gt; Mugs</g:product_type><g:product_type>Gifts</g:product_type>", ("Home", "Mugs")),
        (
            "<g:google_product_category>Home &amp; Garden &gt; Mugs</g:google_product_category>",
            ("Home & Garden", "Mugs"),
        ),
        ("<g:google_product_category>2169</g:google_product_category>", ()),
    ],
)
def test_the_shop_s_own_category_comes_before_google_s_and_a_number_is_none(
    tmp_path: Path, fields: str, category: tuple[str, ...]
) -> None:
    assert product(tmp_path, fields).category == category


def test_a_field_of_google_s_namespace_comes_before_one_of_the_same_name(tmp_path: Path) -> None:
    assert product(tmp_path, "<title>Other</title><description>Plain</description>").title == "Mug"


def test_apparel_fields_and_product_details_are_attributes_and_the_group_is_one(tmp_path: Path) -> None:
    found = product(
        tmp_path,
        "<g:color>Red</g:color><g:age_group>adult</g:age_group><g:item_group_id>G</g:item_group_id>"
        "<g:product_detail><g:attribute_name>Heel: height</g:attribute_name><g:attribute_value>5 cm</g:attribute_value>"
        "</g:product_detail>",
    )
    assert (found.group_id, dict(found.attributes)) == (
        "G",
        {"colour": "Red", "age_group": "adult", "heel_height": "5 cm"},
    )


@pytest.mark.parametrize(
    ("text", "stock"), [("in_stock", 1), ("in stock", 1), ("out_of_stock", 0), ("preorder", 0), ("backorder", 0)]
)
def test_availability_is_at_least_one_or_none(tmp_path: Path, text: str, stock: int) -> None:
    assert product(tmp_path, f"<g:availability>{text}</g:availability>").stock == stock


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030", "iso-8859-1"])
def test_a_feed_is_read_in_the_encoding_that_it_declares(tmp_path: Path, encoding: str) -> None:
    title = "Café" if encoding == "iso-8859-1" else "红色杯子"
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + RSS.format(
        f"<item><g:id>1</g:id><g:title>{title}</g:title></item>"
    )
    (tmp_path / "feed.xml").write_bytes(text.encode(encoding))
    (row,) = checked_rows(open_source(tmp_path / "feed.xml"))
    assert row.product and row.product.title == title


def test_a_feed_that_breaks_off_is_refused_whole(tmp_path: Path) -> None:
    text = RSS.format("<item><g:id>1</g:id><g:title>Mug</g:title></item>" * 3)
    (tmp_path / "feed.xml").write_text(text[: len(text) * 2 // 3])
    with pytest.raises(InvalidSource, match="is not XML to its end; after item 1"):
        open_source(tmp_path / "feed.xml", kind="merchant")


def test_entities_of_a_feed_s_own_are_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    (tmp_path / "feed.xml").write_text(bomb + RSS.format("<item><g:id>1</g:id><g:title>&b;</g:title></item>"))
    with pytest.raises(InvalidSource, match="declares entities"):
        open_source(tmp_path / "feed.xml", kind="merchant")


def test_bytes_that_are_no_text_cost_one_item(tmp_path: Path) -> None:
    good = b"<item><g:id>1</g:id><g:title>Mug</g:title></item>"
    (tmp_path / "feed.xml").write_bytes(
        b'<?xml version="1.0" encoding="utf-8"?>'
        + RSS.encode().replace(b"{}", good + good.replace(b"Mug", b"M\xffg").replace(b"1", b"2"))
    )
    one, two = checked_rows(open_source(tmp_path / "feed.xml", kind="merchant"))
    assert one.product and two.quarantined and two.quarantined.reason == "unreadable_row"


def test_columns_of_a_text_feed_may_be_written_in_words_and_hold_several(tmp_path: Path) -> None:
    (tmp_path / "feed.txt").write_text(
        "id\ttitle\timage link\tadditional image link\tavailability\tprice\tproduct type\n"
        "1\tMug\thttps://a.example/1.jpg\thttps://a.example/2.jpg,https://a.example/3,5.jpg\t"
        "in stock\t5 EUR\tHome > Mugs\n"
    )
    source = open_source(tmp_path / "feed.txt")
    (record,) = source.records()
    assert source.name == "merchant:feed.txt"
    assert record.images == ("https://a.example/1.jpg", "https://a.example/2.jpg", "https://a.example/3,5.jpg")
    assert record.category == ("Home", "Mugs")
