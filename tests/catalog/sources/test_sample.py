"""The built-in sample is the same for one seed, varied enough to learn from, and has what real catalogues have."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from catalog import tables
from catalog.errors import InvalidMedia
from catalog.ingesting.ingest import IngestReport, ingest
from catalog.media import MediaStore, decode_image
from catalog.products import Product
from catalog.sources.sample import SampleSource
from catalog.sources.sample_words import COLOURS, GOODS, PATTERNS
from catalog.splits import SplitParams, split_products
from catalog.words.terms import TermIndex
from catalog.words.text import language_of, product_text

TOLD = SampleSource()


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> tuple[IngestReport, Path]:
    data = tmp_path_factory.mktemp("sample") / "data"
    return ingest(SampleSource(), data), data


@pytest.fixture(scope="module")
def products(ingested: tuple[IngestReport, Path]) -> list[Product]:
    return tables.read_products(ingested[1] / "products.parquet")


def test_it_has_480_products_and_five_rows_for_quarantine(ingested: tuple[IngestReport, Path]) -> None:
    report, _ = ingested
    assert (report.products, report.source_rows) == (480, 485)
    assert report.quarantined == {"bad_price": 1, "broken_picture": 2, "duplicate_id": 1, "no_title": 1}
    assert report.terms > 60 and report.judgements > 500 and report.interactions == 300
    assert 5 <= report.without_image <= 30


def test_it_has_twelve_categories_of_many_colours_and_patterns(products: list[Product]) -> None:
    categories = Counter(product.category[-1] for product in products)
    assert categories == dict.fromkeys(GOODS, 40)
    told = [product.attributes for product in products if product.attributes]
    assert {attributes["colour"] for attributes in told} == set(COLOURS)
    assert {attributes["pattern"] for attributes in told} == set(PATTERNS)
    assert 3 <= len(products) - len(told) <= 30


def test_its_variants_share_a_group_and_differ_in_colour(products: list[Product]) -> None:
    groups: dict[str, list[Product]] = {}
    for product in products:
        groups.setdefault(product.group_id, []).append(product)
    assert 120 <= len(groups) <= 180
    for members in groups.values():
        colours = [product.attributes["colour"] for product in members if product.attributes]
        assert len(set(colours)) == len(colours)


def test_its_titles_are_in_two_languages_and_leave_something_to_the_picture(products: list[Product]) -> None:
    languages = Counter(product.language for product in products)
    assert languages["zh"] > 60 and languages["en"] > 300 and set(languages) == {"en", "zh"}
    assert all((language_of(product.title) == "en") == (product.language == "en") for product in products)
    english = [product for product in products if product.language == "en" and product.attributes]
    tells_colour = sum(
        product.attributes["colour"].lower() in product_text(product, attributes=False).lower() for product in english
    )
    assert 0.3 < tells_colour / len(english) < 0.7


def test_every_facet_value_has_a_chinese_name(products: list[Product], ingested: tuple[IngestReport, Path]) -> None:
    terms = TermIndex(tables.read_terms(ingested[1] / "terms.parquet"))
    for product in products:
        for field, value in product.facets().items():
            assert terms.names(field, value, "zh"), (field, value)


def test_all_splits_have_something_to_find(products: list[Product]) -> None:
    splits = split_products(products, SplitParams())
    assert len(splits["test"]) >= 50 and len(splits["validation"]) >= 30
    assert len({product.category[-1] for product in splits["test"]}) >= 9


def test_its_judgements_are_in_both_languages_and_about_its_products(ingested: tuple[IngestReport, Path]) -> None:
    judgements = tables.read_judgements(ingested[1] / "judgements.parquet")
    assert {judgement.grade for judgement in judgements} == {0, 1, 3}
    assert {judgement.language for judgement in judgements} == {"en", "zh"}
    assert ingested[0].dropped == {}


def test_its_pictures_show_the_colour_they_are_sold_as(
    products: list[Product], ingested: tuple[IngestReport, Path]
) -> None:
    store = MediaStore(ingested[1] / "media")
    shown: dict[str, list[np.ndarray]] = {"Red": [], "Green": [], "Blue": []}
    for product in products:
        colour = product.attributes.get("colour", "")
        if colour in shown and product.attributes["pattern"] == "Plain" and product.images:
            image = decode_image(store.read(product.images[0]))
            assert image.size == (224, 224)
            shown[colour].append(np.asarray(image, float)[90:180, 60:164].reshape(-1, 3).mean(axis=0))
    means = {colour: np.mean(pixels, axis=0) for colour, pixels in shown.items() if pixels}
    assert {colour: int(np.argmax(mean)) for colour, mean in means.items()} == {"Red": 0, "Green": 1, "Blue": 2}


def test_a_seed_fixes_every_row_and_picture_and_another_seed_changes_them() -> None:
    again, other = SampleSource(), SampleSource(8)
    assert list(again.records()) == list(TOLD.records())
    assert list(other.records()) != list(TOLD.records())
    for record in list(TOLD.records())[:6]:
        for reference in record.images:
            assert again.media(reference) == TOLD.media(reference)


def test_no_two_pictures_are_the_same(ingested: tuple[IngestReport, Path]) -> None:
    pictures = sum(len(record.images) for record in TOLD.records() if record.values["id"].startswith("s"))
    repeated = 1  # the row with the id that comes twice
    assert ingested[0].media == pictures - repeated


def test_a_picture_it_does_not_have_is_refused() -> None:
    for reference in ("s9999-1.jpg", "../x.jpg", "", "s0001.jpg"):
        with pytest.raises(InvalidMedia):
            TOLD.media(reference)
