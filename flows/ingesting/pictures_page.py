"""reports/pictures.html: what an ingest found about the pictures, shown with them, and with nothing from elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.media import MediaStore
from catalog.pictures.lookalikes import Lookalikes, PictureFindings
from catalog.products import Product
from catalog.tables import read_products
from catalog.workspace import MEDIA, PICTURES_PAGE
from evaluation.pages.shown import Shown, Thumbnails, show_product
from evaluation.pages.template import template

TEMPLATE = Path(__file__).with_name("pictures.html.j2")
SHOWN = 40
"""Findings of a kind; reports/pictures.json has more."""
PICTURES = 3
PRODUCTS = 6


@dataclass(frozen=True)
class Shared:
    """Pictures that look the same, as data URIs, and the first products that show them."""

    found: Lookalikes
    pictures: Sequence[str]
    products: Sequence[Shown]


def write_pictures_page(snapshot: str, findings: PictureFindings, path: Path = PICTURES_PAGE) -> None:
    """Write the page of the snapshot that is in place; without any finding it says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    products = read_products() if any(findings.by_kind().values()) else []
    path.write_text(render(snapshot, findings, products, MediaStore(MEDIA)), encoding="utf-8")


def render(snapshot: str, findings: PictureFindings, products: Sequence[Product], media: MediaStore) -> str:
    """The page, pictures included."""
    by_id, thumbnails = {product.id: product for product in products}, Thumbnails(media)
    known = set(media.ids())  # a placeholder that was dropped is in no shard
    return template(TEMPLATE).render(
        snapshot=snapshot,
        counts={name: len(found) for name, found in findings.by_kind().items()},
        placeholders=[_shared(found, by_id, thumbnails, known) for found in findings.placeholders[:SHOWN]],
        repeated=[_shared(found, by_id, thumbnails, known) for found in findings.repeated[:SHOWN]],
        twice=[[show_product(by_id[each], thumbnails) for each in ids[:PRODUCTS]] for ids in findings.twice[:SHOWN]],
    )


def _shared(found: Lookalikes, by_id: Mapping[str, Product], thumbnails: Thumbnails, known: set[str]) -> Shared:
    pictures = [thumbnails.of(picture) for picture in found.pictures if picture in known][:PICTURES]
    return Shared(found, pictures, [show_product(by_id[each], thumbnails) for each in found.products[:PRODUCTS]])
