"""Shopify's export: variants are one product group, what the first row says holds for all, drafts are left out."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from catalog.ingesting.checking import CheckedRow, checked_rows
from catalog.products import Product
from catalog.sources import open_source
from tests.catalog.sources.shops import picture, write_csv

HOODIE: Mapping[str, object] = {
    "Handle": "hoodie", "Title": "Hoodie", "Body (HTML)": "<p>Soft &amp; warm</p>", "Vendor": "Acme",
    "Product Category": "Apparel > Clothing", "Type": "Hoodies", "Published": "TRUE", "Status": "active",
    "Option1 Name": "Color", "Option1 Value": "Red", "Option2 Name": "Size", "Option2 Value": "S",
    "Variant SKU": "H-R-S", "Variant Inventory Tracker": "shopify", "Variant Inventory Qty": "4",
    "Variant Inventory Policy": "deny", "Variant Price": "29.00", "Image Src": "https://cdn.example/1.jpg?v=1",
    "Image Position": "1", "Variant Image": "https://cdn.example/red.jpg?v=1",
}  # fmt: skip
BLUE: Mapping[str, object] = {
    "Handle": "hoodie", "Option1 Value": "Blue", "Option2 Value": "M", "Variant SKU": "H-B-M",
    "Variant Inventory Qty": "-2", "Variant Inventory Policy": "deny", "Variant Price": "31.00",
    "Image Src": "https://cdn.example/2.jpg?v=1", "Image Position": "2",
}  # fmt: skip


def rows(folder: Path, *lines: Mapping[str, object]) -> list[CheckedRow]:
    for name in ("1.jpg", "2.jpg", "red.jpg"):
        (folder / name).write_bytes(picture(name))
    return list(checked_rows(open_source(write_csv(folder / "products_export.csv", lines), media=folder)))


def products(folder: Path, *lines: Mapping[str, object]) -> list[Product]:
    return [row.product for row in rows(folder, *lines) if row.product]


def test_variants_are_products_of_one_group_and_options_are_attributes(tmp_path: Path) -> None:
    red, blue = products(tmp_path, HOODIE, BLUE)
    assert (red.id, red.title, blue.id, blue.title) == ("H-R-S", "Hoodie - Red / S", "H-B-M", "Hoodie - Blue / M")
    assert red.group_id == blue.group_id == "hoodie"
    assert dict(blue.attributes) == {"colour": "Blue", "size": "M"}
    assert (blue.brand, blue.description, blue.category) == ("Acme", "Soft & warm", ("Apparel", "Clothing", "Hoodies"))
    assert (red.price, blue.price, red.stock, blue.stock) == (29.0, 31.0, 4, 0)


def test_a_variant_shows_its_own_picture_or_else_those_of_the_product_in_their_order(tmp_path: Path) -> None:
    red, blue = rows(tmp_path, {**HOODIE, "Image Position": "2"}, {**BLUE, "Image Position": "1"})
    assert list(red.pictures.values()) == [picture("red.jpg")]
    assert list(blue.pictures.values()) == [picture("2.jpg"), picture("1.jpg")]


def test_a_row_that_only_has_a_picture_is_no_product(tmp_path: Path) -> None:
    further = {"Handle": "hoodie", "Image Src": "https://cdn.example/2.jpg", "Image Position": "2"}
    only = {**HOODIE, "Variant Image": ""}
    (row,) = rows(tmp_path, only, further)
    assert list(row.pictures.values()) == [picture("1.jpg"), picture("2.jpg")]


def test_a_product_without_variants_keeps_its_title_and_is_grouped_by_it(tmp_path: Path) -> None:
    (product,) = products(tmp_path, {**HOODIE, "Option1 Name": "Title", "Option1 Value": "Default Title",
                                     "Option2 Name": "", "Option2 Value": ""})  # fmt: skip
    assert (product.title, dict(product.attributes), product.group_id) == ("Hoodie", {}, "hoodie")
    assert product.group_id != "Handle"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Status": "draft"}, "products: the shop has them as draft"),
        ({"Status": "archived"}, "products: the shop has them as archived"),
        ({"Published": "FALSE"}, "products: not published in the shop"),
    ],
)
def test_what_the_shop_does_not_show_is_left_out_with_all_its_variants(
    tmp_path: Path, change: dict[str, object], why: str
) -> None:
    found = rows(tmp_path, {**HOODIE, **change}, BLUE)
    assert [dict(row.dropped) for row in found] == [{why: 1}, {why: 1}]
    assert not any(row.product or row.quarantined for row in found)


def test_variants_without_a_number_of_their_own_are_named_by_handle_and_options(tmp_path: Path) -> None:
    red, blue = products(tmp_path, {**HOODIE, "Variant SKU": "SAME"}, {**BLUE, "Variant SKU": "SAME"})
    assert (red.id, blue.id) == ("SAME", "hoodie-Blue-M")
    red, blue = products(tmp_path, {**HOODIE, "Variant SKU": ""}, {**BLUE, "Variant SKU": ""})
    assert (red.id, blue.id) == ("hoodie-Red-S", "hoodie-Blue-M")


def test_what_sells_on_at_zero_is_not_counted(tmp_path: Path) -> None:
    red, _ = products(tmp_path, {**HOODIE, "Variant Inventory Qty": "0", "Variant Inventory Policy": "continue"}, BLUE)
    assert red.stock is None


def test_the_columns_of_today_are_read_as_those_of_before(tmp_path: Path) -> None:
    new = {
        "Handle": "URL handle", "Body (HTML)": "Description", "Product Category": "Product category",
        "Published": "Published on online store", "Option1 Name": "Option1 name", "Option1 Value": "Option1 value",
        "Option2 Name": "Option2 name", "Option2 Value": "Option2 value", "Variant SKU": "SKU",
        "Variant Price": "Price", "Variant Inventory Tracker": "Inventory tracker",
        "Variant Inventory Qty": "Inventory quantity",
        "Variant Inventory Policy": "Continue selling when out of stock", "Image Src": "Product image URL",
        "Image Position": "Image position", "Variant Image": "Variant image URL",
    }  # fmt: skip
    before = products(tmp_path, HOODIE, BLUE)
    renamed = [{new.get(name, name): value for name, value in row.items()} for row in (HOODIE, BLUE)]
    assert products(tmp_path, *renamed) == before


def test_a_line_that_cannot_be_read_costs_its_variant_and_not_the_others(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "products_export.csv", [HOODIE, BLUE, {**BLUE, "Option2 Value": "L", "Variant SKU": "L"}]
    )
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], "hoodie,torn", lines[3]]) + "\n")
    found = list(checked_rows(open_source(path, media=tmp_path)))
    assert [row.quarantined.source_row for row in found if row.quarantined] == [2]
    assert [row.product.title for row in found if row.product] == ["Hoodie - Red / S", "Hoodie - Blue / L"]
