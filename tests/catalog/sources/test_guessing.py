"""Which column is what, guessed from names and rows as shops in several countries have them."""

from pathlib import Path

import pytest

from catalog.errors import InvalidSource
from catalog.ingesting.checking import checked_rows
from catalog.products import Product
from catalog.sources import open_source
from catalog.sources.guessing import attribute_name, guess_mapping
from catalog.sources.rows import Row
from tests.catalog.sources.shops import picture, write_csv


def guess(columns: str, *rows: str) -> dict[str, object]:
    names = columns.split("|")
    found = guess_mapping(
        "t.csv", names, [Row(n, dict(zip(names, row.split("|"), strict=True))) for n, row in enumerate(rows, start=1)]
    )
    return {name: value for name, value in found.columns if value} | {"attributes": found.attributes}


def products(path: Path) -> list[Product]:
    return [row.product for row in checked_rows(open_source(path)) if row.product]


def test_the_columns_of_the_public_fashion_set_are_understood() -> None:
    found = guess(
        "id|gender|masterCategory|subCategory|articleType|baseColour|season|year|usage|productDisplayName|image",
        "1|Men|Apparel|Topwear|Tshirts|Red|Fall|2011|Casual|Acme shirt|images/1.jpg",
    )
    assert found == {
        "id": "id",
        "title": "productDisplayName",
        "category": ("masterCategory", "subCategory", "articleType"),
        "images": ("image",),
        "attributes": {
            "gender": "gender",
            "colour": "baseColour",
            "season": "season",
            "year": "year",
            "usage": "usage",
        },
    }


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        ("Artikelnummer|Bezeichnung|Preis|Marke|Kategorie|Farbe|Bild", "1|Tasse|12,50 €|Acme|Haus > Tassen|Rot|t.jpg"),
        ("商品编号|商品名称|价格|品牌|分类|颜色|图片", "1|杯子|¥12|某牌|家居 > 杯子|红色|t.jpg"),
        ("ref|nom|prix|marque|catégorie|couleur|photo", "1|tasse|12,50|Acme|maison > tasses|rouge|t.jpg"),
        (
            "SKU|Product Name|Unit-Price|manufacturer|category_path|Color|Image URL",
            "1|Mug|12|Acme|Home > Mugs|Red|t.jpg",
        ),
    ],
)
def test_names_in_several_languages_are_the_same_fields(columns: str, row: str) -> None:
    names = columns.split("|")
    assert guess(columns, row) == {
        "id": names[0], "title": names[1], "price": names[2], "brand": names[3], "category": (names[4],),
        "images": (names[6],), "attributes": {"colour": names[5]},
    }  # fmt: skip


def test_of_two_columns_for_one_field_the_usual_name_wins_wherever_it_stands() -> None:
    assert guess("short description|description|sku|id|name", "a|b|c|d|e")["description"] == "description"
    assert guess("short description|description|sku|id|name", "a|b|c|d|e")["id"] == "id"


def test_what_comes_again_and_again_is_an_attribute_and_what_runs_the_shop_is_none() -> None:
    rows = [f"{n}|mug {n}|{('oak', 'ash')[n % 2]}|yes|active|{n}|remark number {n}" for n in range(20)]
    assert guess("id|title|wood|gift|status|bin|remark", *rows)["attributes"] == {"wood": "wood"}


def test_titles_in_several_languages_stay_with_their_product(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "t.csv",
        [
            {"id": 1, "title_en": "Red mug", "title_zh": "红色杯子", "description_en": "Stoneware"},
            {"id": 2, "title_en": "", "title_zh": "蓝色杯子", "description_en": ""},
        ],
    )
    one, two = products(path)
    assert (one.title, one.language, one.description) == ("Red mug", "en", "Stoneware 红色杯子")
    assert (two.title, two.language, two.description) == ("蓝色杯子", "zh", "")


def test_yen_is_yuan_where_titles_are_chinese(tmp_path: Path) -> None:
    chinese = write_csv(tmp_path / "zh.csv", [{"id": 1, "title": "红色杯子", "price": "¥1,280"}])
    other = write_csv(tmp_path / "ja.csv", [{"id": 1, "title": "Mug", "price": "¥1,280"}])
    assert [(p.price, p.currency) for p in (*products(chinese), *products(other))] == [(1280.0, "CNY"), (1280.0, "JPY")]


def test_the_decimal_mark_of_a_shop_is_learnt_from_its_other_prices(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "t.csv", [{"id": 1, "title": "a", "price": "12,50"}, {"id": 2, "title": "b", "price": "1.299"}]
    )
    assert [product.price for product in products(path)] == [12.5, 1299.0]


def test_several_pictures_in_one_cell_are_parted_by_what_parts_them(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(picture(name))
    for mark in "|;, ":
        path = write_csv(tmp_path / "t.csv", [{"id": 1, "title": "mug", "photos": f"a.jpg{mark}b.jpg"}], "\t")
        assert len(products(path)[0].images) == 2, mark


def test_without_a_known_name_the_id_is_a_column_that_tells_rows_apart_or_is_asked_for() -> None:
    assert guess("kind|number|name", "a|1|x", "a|2|y")["id"] == "number"
    with pytest.raises(InvalidSource, match=r"columns: {id: NAME}.*its columns are: kind, name"):
        guess("kind|name", "a|x", "a|x")


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("Base Color", "colour"),
        ("尺码", "size"),
        ("Heel height", "heel_height"),
        ("Price", ""),
        ("款式", ""),
        ("2nd", ""),
    ],
)
def test_the_name_of_an_attribute_is_one_that_filters_can_say(column: str, name: str) -> None:
    assert attribute_name(column) == name
