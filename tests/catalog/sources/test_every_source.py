"""What every source owes: one catalogue, written in each of the shapes that shops export, gives the same products."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from catalog.errors import EtalageError, InvalidMedia
from catalog.ingesting.checking import checked_rows
from catalog.ingesting.ingest import ingest
from catalog.media import media_id
from catalog.products import Product
from catalog.rows.groups import group_key
from catalog.sources import SOURCES, Opening, Source, choose_source, open_source
from tests.catalog.sources.shops import GOODS, OTHERS, WRITERS, Good, picture, write_media

WHOLE = pytest.mark.parametrize("case", sorted(WRITERS), indirect=True)  # shapes that say all of a product
MAPPED = pytest.mark.parametrize("case", sorted(set(WRITERS) - {"folder"}), indirect=True)  # its mapping is no guess
ADDRESSED = pytest.mark.parametrize("case", ["shopify", "woocommerce", "merchant-tsv", "merchant-rss"], indirect=True)

# What a shape has no place for, and why: name -> fields.
CANNOT: Mapping[str, dict[str, Any]] = {
    "merchant-tsv": {"stock": "a feed says whether there is one, not how many"},
    "merchant-rss": {"stock": "a feed says whether there is one, not how many"},
    "merchant-atom": {"stock": "a feed says whether there is one, not how many"},
}


class Case(NamedTuple):
    """One shape of the catalogue, opened as a person would."""

    shape: str
    where: str
    folder: Path
    mapping: Path
    media: Path | None

    def open(self) -> Source:
        """As `etalage ingest WHERE --mapping --media` does."""
        return open_source(self.where, self.said, media=self.media)

    @property
    def said(self) -> Path | None:
        """The mapping file that is named."""
        return None if self.shape in ("folder", "sample") else self.mapping


@pytest.fixture(params=sorted(WRITERS | OTHERS))
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    folder = tmp_path / "shop"
    folder.mkdir()
    write_media(folder / "media")
    mapping = tmp_path / "said.yaml"
    mapping.write_text("defaults: {currency: EUR}\n")
    where = (WRITERS | OTHERS)[request.param](folder, GOODS)
    return Case(request.param, where, folder, mapping, folder / "media")


def expected(good: Good, shape: str) -> Product:
    """The product that a good is, as far as its shape can say."""
    stock = min(good.stock, 1) if good.stock and "stock" in CANNOT.get(shape, {}) else good.stock
    if shape == "woocommerce" and stock is None:
        stock = 1  # "In stock?" is never empty there
    return Product(
        id=good.id,
        group_id=group_key(good.title, good.attributes) or good.id,
        title=good.title,
        description=good.description,
        brand=good.brand,
        category=good.category,
        attributes=MappingProxyType(dict(good.attributes)),
        price=good.price,
        currency="EUR",
        stock=stock,
        images=tuple(media_id(picture(name)) for name in good.pictures),
    )


@WHOLE
def test_one_catalogue_gives_the_same_products_in_every_shape(case: Case) -> None:
    products = [row.product for row in checked_rows(case.open()) if row.product]
    products = [replace(product, currency="EUR") for product in products]  # of an item without a price none is stated
    assert products == [expected(good, case.shape) for good in GOODS if not good.broken]


@WHOLE
def test_a_bad_row_is_quarantined_with_one_sentence_and_the_others_stay(case: Case) -> None:
    rows = list(checked_rows(case.open()))
    (bad,) = [row.quarantined for row in rows if row.quarantined]
    assert (bad.id, bad.reason) == ("bad", "bad_price")
    assert bad.detail.startswith("The price 'ask us") and bad.detail.endswith(".") and "\n" not in bad.detail
    assert len(rows) == len(GOODS)


def test_rows_are_counted_in_order_and_read_alike_twice(case: Case) -> None:
    source = case.open()
    first, second = list(source.records()), list(source.records())
    numbers = [record.source_row for record in first]
    assert first == second
    assert numbers[0] == 1 and numbers == sorted(set(numbers))


def test_the_name_tells_the_kind_and_no_path(case: Case) -> None:
    kind = choose_source(Opening(case.where, case.said)).kind
    name = case.open().name
    assert name.startswith(f"{kind}:") and "/" not in name and str(case.folder) not in name


def test_the_source_is_found_by_what_it_is_and_says_so(case: Case) -> None:
    choice = choose_source(Opening(case.where))
    assert choice.kind == {"delta": "parquet"}.get(case.shape, case.shape.split("-")[0])
    assert choice.why.endswith(".")
    assert choice.kind in SOURCES


@pytest.mark.parametrize(
    "reference", ["none.jpg", "../secret.jpg", "/etc/hostname", "https://shop.example/none.jpg", "a\0b"]
)
def test_a_picture_that_is_not_there_or_outside_is_refused(case: Case, reference: str) -> None:
    (case.folder.parent / "secret.jpg").write_bytes(picture("secret.jpg"))
    with pytest.raises(InvalidMedia):
        case.open().media(reference)


@MAPPED
def test_a_mapping_file_changes_the_guess_and_a_wrong_one_names_what_is_there(case: Case) -> None:
    case.mapping.write_text("columns: {brand: null}\ndefaults: {language: de}\nattributes: {colour: null}\n")
    product = next(row.product for row in checked_rows(case.open()) if row.product)
    assert (product.brand, product.language) == (None, "de") and "colour" not in product.attributes
    case.mapping.write_text("columns: {brand: nonsense}\n")
    with pytest.raises(EtalageError, match=r"'nonsense' \(columns.brand\); its columns are: .*([Tt]itle|Name)"):
        case.open()


def test_ingesting_twice_gives_one_snapshot(case: Case, tmp_path: Path) -> None:
    one = ingest(case.open(), tmp_path / "data")
    two = ingest(case.open(), tmp_path / "data")
    assert one.changed and not two.changed and one.id == two.id
    assert one.products and one.quarantined and one.source_rows == one.products + sum(one.quarantined.values())
    if case.shape in WRITERS:
        assert (one.products, one.quarantined, one.without_image) == (4, {"bad_price": 1}, 1)


@ADDRESSED
def test_addresses_without_a_file_leave_a_product_without_pictures_and_are_counted(case: Case, tmp_path: Path) -> None:
    report = ingest(case._replace(media=None).open(), tmp_path / "data")
    assert (report.products, report.without_image) == (4, 4)
    assert report.dropped == {"pictures: an address that no file stands for and that was not fetched": 4}
