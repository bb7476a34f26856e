"""A folder of pictures: folders are the category, or names that only differ in a number; counters are no titles."""

from pathlib import Path

import pytest

from catalog.errors import InvalidMedia, InvalidSource
from catalog.ingesting.checking import checked_rows
from catalog.media import media_id
from catalog.products import Product
from catalog.sources import Opening, choose_source, open_source
from tests.catalog.sources.shops import picture


def products(folder: Path, *names: str) -> dict[str, Product]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(picture(name))
    return {row.product.id: row.product for row in checked_rows(open_source(folder)) if row.product}


def test_folders_are_the_category_and_words_of_the_name_the_title(tmp_path: Path) -> None:
    found = products(tmp_path, "shoes/rain_boots/red-boot-1.jpg", "shoes/rain_boots/IMG_2041.JPG", "mugs/10023.png")
    boot = found["shoes/rain_boots/red-boot-1.jpg"]
    assert (boot.title, boot.category) == ("red boot 1", ("shoes", "rain boots"))
    assert boot.images == (media_id(picture("shoes/rain_boots/red-boot-1.jpg")),)
    assert found["shoes/rain_boots/IMG_2041.JPG"].title == found["mugs/10023.png"].title == ""
    assert found["mugs/10023.png"].category == ("mugs",)


def test_names_that_only_differ_in_their_number_are_a_category(tmp_path: Path) -> None:
    found = products(tmp_path, "mug_001.jpg", "mug_002.jpg", "red kettle (1).jpg", "红色杯子.jpg")
    assert [product.category for product in found.values()] == [("mug",), ("mug",), (), ()]
    assert found["红色杯子.jpg"].title == "红色杯子"


def test_a_folder_of_pictures_is_known_by_what_it_holds_and_a_broken_one_is_one_bad_row(tmp_path: Path) -> None:
    products(tmp_path, "a/1.jpg", "a/.hidden/2.jpg")
    (tmp_path / "a/2.jpg").write_text("no picture")
    assert choose_source(Opening(str(tmp_path))).kind == "pictures"
    good, bad = checked_rows(open_source(tmp_path))
    assert good.product and bad.quarantined and bad.quarantined.reason == "broken_picture"
    with pytest.raises(InvalidMedia):
        open_source(tmp_path).media("../secret.jpg")


def test_a_folder_with_nothing_in_it_says_what_could_be(tmp_path: Path) -> None:
    with pytest.raises(InvalidSource, match=r"has no mapping.yaml, no table \(.csv, .*\) and no pictures"):
        open_source(tmp_path)
