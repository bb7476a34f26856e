"""WooCommerce's export: a variation is a product with what its parent says, and the parent is their group."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from catalog.ingesting.checking import CheckedRow, checked_rows
from catalog.products import Product
from catalog.sources import Opening, choose_source, open_source
from tests.catalog.sources.shops import picture, write_csv

PARENT: Mapping[str, object] = {
    "ID": 11, "Type": "variable", "SKU": "HOOD", "Name": "Hoodie", "Published": 1, "Visibility in catalog": "visible",
    "Description": "<p>Warm</p>", "In stock?": 1, "Categories": "Clothing > Hoodies, Accessories", "Regular price": "",
    "Images": "https://shop.example/h.jpg", "Attribute 1 name": "Color", "Attribute 1 value(s)": "Red, Blue",
    "Attribute 2 name": "Material", "Attribute 2 value(s)": "Wool", "Parent": "", "Stock": "",
}  # fmt: skip
RED: Mapping[str, object] = {
    "ID": 12, "Type": "variation", "SKU": "HOOD-R", "Name": "Hoodie - Red", "Published": 1, "In stock?": 1, "Stock": 4,
    "Regular price": "29,00", "Images": "https://shop.example/r.jpg", "Parent": "HOOD", "Attribute 1 name": "Color",
    "Attribute 1 value(s)": "Red",
}  # fmt: skip
BLUE: Mapping[str, object] = {
    **RED, "ID": 13, "SKU": "", "Name": "Hoodie - Blue", "Stock": "", "In stock?": 0, "Parent": "id:11", "Images": "",
    "Attribute 1 value(s)": "Blue",
}  # fmt: skip


def rows(folder: Path, *lines: Mapping[str, object]) -> list[CheckedRow]:
    for name in ("h.jpg", "r.jpg"):
        (folder / name).write_bytes(picture(name))
    return list(checked_rows(open_source(write_csv(folder / "wc.csv", lines), media=folder)))


def products(folder: Path, *lines: Mapping[str, object]) -> list[Product]:
    return [row.product for row in rows(folder, *lines) if row.product]


def test_variations_take_what_they_do_not_say_from_their_parent_which_is_no_product(tmp_path: Path) -> None:
    found = rows(tmp_path, PARENT, RED, BLUE)
    red, blue = (row.product for row in found)
    assert red and blue
    assert (red.id, red.title, red.price, red.stock) == ("HOOD-R", "Hoodie - Red", 29.0, 4)
    assert (blue.id, blue.title, blue.price, blue.stock) == ("13", "Hoodie - Blue", 29.0, 0)
    assert red.group_id == blue.group_id == "HOOD"  # one names its parent by SKU, the other by id
    assert blue.description == "Warm" and blue.category == ("Clothing", "Hoodies")
    assert dict(blue.attributes) == {"colour": "Blue", "material": "Wool"}
    assert [list(row.pictures.values()) for row in found] == [[picture("r.jpg")], [picture("h.jpg")]]


def test_a_variation_may_stand_before_its_parent(tmp_path: Path) -> None:
    assert {p.id for p in products(tmp_path, RED, BLUE, PARENT)} == {"HOOD-R", "13"}


def test_a_variable_product_without_variations_is_a_product(tmp_path: Path) -> None:
    (product,) = products(tmp_path, {**PARENT, "Regular price": "5,00"})
    assert (product.id, product.title) == ("HOOD", "Hoodie")


def test_a_variation_of_a_parent_that_is_not_there_is_one_bad_row(tmp_path: Path) -> None:
    found = rows(tmp_path, PARENT, RED, {**BLUE, "Parent": "id:99"})
    (bad,) = [row.quarantined for row in found if row.quarantined]
    assert bad.detail == "The variation names the parent 'id:99', which the export does not hold."


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Published": -1}, "products: not published in the shop"),
        ({"Published": 0}, "products: not published in the shop"),
        ({"Visibility in catalog": "hidden"}, "products: hidden in the shop"),
    ],
)
def test_what_the_shop_does_not_show_is_left_out(tmp_path: Path, change: dict[str, object], why: str) -> None:
    assert [dict(row.dropped) for row in rows(tmp_path, {**PARENT, **change})] == [{why: 1}]


@pytest.mark.parametrize(("dates", "price"), [({}, 19.0), ({"Date sale price ends": "2026-12-31"}, 29.0)])
def test_a_sale_price_counts_where_it_has_no_dates(tmp_path: Path, dates: dict[str, object], price: float) -> None:
    (product,) = products(tmp_path, {**RED, "Type": "simple", "Parent": "", "Sale price": "19,00", **dates})
    assert product.price == price


HEADERS = {
    "de": (
        "ID", "Typ", "Artikelnummer", "Name", "Veröffentlicht", "Sichtbarkeit im Katalog", "Beschreibung", "Vorrätig?",
        "Bestand", "Angebotspreis", "Datum, an dem Angebotspreis endet", "Regulärer Preis", "Kategorien", "Bilder",
        "Übergeordnetes Produkt", "Marken", "Attribut 1 Name", "Attribut 1 Wert(e)", "Attribut 2 Name",
        "Attribut 2 Wert(e)",
    ),
    "fr": (
        "ID", "Type", "UGS", "Nom", "Publié", "Visibilité dans le catalogue", "Description", "En stock\u00a0?", "Stock",
        "Tarif promo", "Date de fin de promo", "Tarif régulier", "Catégories", "Images", "Parent", "Marques",
        "Nom de l’attribut 1", "Valeur(s) de l’attribut 1 ", "Nom de l’attribut 2", "Valeur(s) de l’attribut 2 ",
    ),
    "es": (
        "ID", "Tipo", "SKU", "Nombre", "Publicado", "Visibilidad en el catálogo", "Descripción", "¿Existencias?",
        "Inventario", "Precio rebajado", "Día en que termina el precio rebajado", "Precio normal", "Categorías",
        "Imágenes", "Superior", "Marcas", "Nombre del atributo 1", "Valor(es) del atributo 1", "Nombre del atributo 2",
        "Valor(es) del atributo 2",
    ),
    "zh": (
        "ID", "类型", "SKU", "名称", "已发布", "在列表页可见", "描述", "有货？", "库存", "促销价格", "促销截止日期",
        "常规售价", "分类", "图片", "父级", "品牌", "属性 1 名称", "属性 1 值", "属性 2 名称", "属性 2 值",
    ),
}  # fmt: skip
ENGLISH = (
    "ID", "Type", "SKU", "Name", "Published", "Visibility in catalog", "Description", "In stock?", "Stock",
    "Sale price", "Date sale price ends", "Regular price", "Categories", "Images", "Parent", "Brands",
    "Attribute 1 name", "Attribute 1 value(s)", "Attribute 2 name", "Attribute 2 value(s)",
)  # fmt: skip


@pytest.mark.parametrize("language", HEADERS)
def test_headers_in_another_language_give_the_same_products(tmp_path: Path, language: str) -> None:
    lines = [{**PARENT, "Brands": "Knit"}, {**RED, "Sale price": "19,00"}, {**BLUE, "Sale price": "5,00"}]
    lines[2]["Date sale price ends"] = "2026-12-31"
    (tmp_path / "en").mkdir()
    right = products(tmp_path / "en", *({name: line.get(name, "") for name in ENGLISH} for line in lines))
    names = dict(zip(ENGLISH, HEADERS[language], strict=True))
    translated = [{names[name]: line.get(name, "") for name in ENGLISH} for line in lines]
    assert products(tmp_path, *translated) == right and right[0].brand == "Knit" and right[0].price == 19.0
    choice = choose_source(Opening(str(tmp_path / "wc.csv")))
    assert choice.kind == "woocommerce" and f"columns {names['Type']}, {names['SKU']}" in choice.why
