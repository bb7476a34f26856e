"""A catalogue as it is, as a Shopify export and as a Merchant feed: the same products, to the hash of the table.

`python -m tests.catalog.sources.same_products FOLDER` compares the public set; here are rows drawn in its columns.
"""

import csv
import random
from pathlib import Path

import pytest

from tests.catalog.sources.same_products import SHAPES, three_ways
from tests.catalog.sources.shops import picture

KINDS = (
    ("Apparel", "Topwear", "Tshirts"), ("Apparel", "Topwear", "Men's Shirts & Polos"),
    ("Footwear", "Shoes", "Casual Shoes"), ("Accessories", "Bags", "Handbags"),
    ("Personal Care", "Eyes", "Kajal and Eyeliner"),
)  # fmt: skip
COLOURS = ("Red", "Navy Blue", "Grey Melange", "")
WORDS = ("Sp Jace", '6" Heel', "Été", "Rock & Roll", "D'Or", "100%", "T-Shirt, V-Neck", "<3 You", "裙")


@pytest.fixture(scope="module")
def fashion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 rows in the columns of the public fashion set, with forty pictures that they share."""
    folder = tmp_path_factory.mktemp("fashion")
    (folder / "images").mkdir()
    for number in range(40):
        (folder / f"images/{number}.jpg").write_bytes(picture(f"{number}.jpg"))
    draw = random.Random(7)
    columns = ["id", "gender", "masterCategory", "subCategory", "articleType", "baseColour", "season", "year", "usage"]
    with (folder / "products.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*columns, "productDisplayName", "image"])
        for number in range(300):
            gender, colour = draw.choice(("Men", "Women", "Unisex")), draw.choice(COLOURS)
            kind = draw.choice(KINDS)
            title = f"{draw.choice(('Acme', 'Maison Ü'))} {gender} {colour} {draw.choice(WORDS)} {kind[2]}"
            season, year = draw.choice(("Summer", "Fall")), draw.choice(("2011", "2012"))
            row = [10_000 + number, gender, *kind, colour, season, year, draw.choice(("Casual", "Smart Casual", ""))]
            writer.writerow([*row, " ".join(title.split()), f"images/{number % 40}.jpg"])
    (folder / "terms_zh.csv").write_text("field,value,zh\narticleType,Tshirts,T恤\n", encoding="utf-8")
    return folder


def test_three_shapes_of_one_catalogue_give_one_table_of_products(fashion: Path, tmp_path: Path) -> None:
    found = three_ways(fashion, "fashion_product_images", fashion / "images", tmp_path)
    assert set(found) == {"as it is", *SHAPES}
    assert found["as it is"][0] == 300
    assert len(set(found.values())) == 1, found


def test_one_changed_word_changes_the_hash(fashion: Path, tmp_path: Path) -> None:
    before = three_ways(fashion, "fashion_product_images", fashion / "images", tmp_path)["as it is"]
    table = fashion / "products.csv"
    text = table.read_text(encoding="utf-8")
    try:
        table.write_text(text.replace("Navy Blue", "Teal", 1), encoding="utf-8")
        (tmp_path / "again").mkdir()
        after = three_ways(fashion, "fashion_product_images", fashion / "images", tmp_path / "again")
    finally:
        table.write_text(text, encoding="utf-8")
    assert after["as it is"] != before and len(set(after.values())) == 1
