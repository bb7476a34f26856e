"""One catalogue in three shapes, as it is, as a Shopify export and as a Merchant feed: are the products the same?

python -m tests.catalog.sources.same_products ../shared/data/fashion --mapping fashion_product_images

Compared are the hashes of the products over all fields, with attributes in the order of their names. What a shape has
no place for is said beside it, in a mapping file: neither of the two names the language of its texts.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from catalog.ingesting.ingest import ingest
from catalog.products import Product
from catalog.sources import open_source
from catalog.tables import read_products
from catalog.workspace import DATA, PRODUCTS
from tests.catalog.sources.shops import Good, as_merchant_rss, as_merchant_tsv, as_shopify

SAID = "defaults: {language: en}\n"
SHAPES = {
    "a Shopify export": as_shopify,
    "a Merchant feed, RSS": as_merchant_rss,
    "a Merchant feed, TSV": as_merchant_tsv,
}


def hash_of(products: Sequence[Product]) -> str:
    """One hash of a whole table of products."""
    digest = hashlib.sha256()
    for product in products:
        row = {field.name: getattr(product, field.name) for field in fields(Product)}
        row["attributes"] = sorted(product.attributes.items())
        digest.update(json.dumps(row, ensure_ascii=False).encode())
    return digest.hexdigest()


def three_ways(folder: Path, mapping: str, media: Path, work: Path) -> dict[str, tuple[int, str]]:
    """Shape -> number and hash of its products, for the catalogue in `folder` with its pictures in `media`.

    The other shapes are written from what the source itself says, picture by picture under the file name it has.
    """
    source = open_source(folder, mapping)
    goods = [
        Good(
            record.values["id"],
            record.values["title"],
            category=record.category,
            attributes={name: value for name, value in record.attributes.items() if value},
            pictures=tuple(Path(str(reference)).name for reference in record.images),
        )
        for record in source.records()
    ]
    (work / "said.yaml").write_text(SAID)
    found = {"as it is": _ingested(work / "as_it_is", folder, mapping, None)}
    for shape, write in SHAPES.items():
        place = work / write.__name__
        place.mkdir()
        found[shape] = _ingested(place, Path(write(place, goods)), str(work / "said.yaml"), media)
    return found


def _ingested(place: Path, where: Path, mapping: str, media: Path | None) -> tuple[int, str]:
    data = place / "workspace" / DATA
    ingest(open_source(where, mapping, media=media), data)
    products = read_products(data / PRODUCTS.relative_to(DATA))
    return len(products), hash_of(products)


def main() -> int:
    """Print number and hash for each shape; 1 when they differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mapping", default="fashion_product_images")
    parser.add_argument("--media", default="images", help="folder of the pictures in it")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        found: Mapping[str, tuple[int, str]] = three_ways(
            said.folder, said.mapping, said.folder / said.media, Path(work)
        )
    for shape, (count, digest) in found.items():
        print(f"{shape:<22} {count:>7,} products  {digest[:24]}")
    return int(len(set(found.values())) > 1)


if __name__ == "__main__":
    sys.exit(main())
