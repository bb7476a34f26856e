"""The stage misfiled: which products look like another category than the one that they are filed under?

    python -m evaluation.audits.misfiled          (from the root of a workspace; `dvc repro misfiled`)

Reads data/ and artifacts/embeddings; writes artifacts/misfiled/misfiled.csv (all of them, to be mended in the shop),
reports/misfiled.json and reports/misfiled.html (the surest ones, with pictures). It refuses nothing.
"""

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.media import MediaStore
from catalog.params import load_section
from catalog.products import Product
from catalog.tables import read_products, snapshot_id
from catalog.workspace import MISFILED, MISFILED_PAGE, MISFILED_REPORT
from evaluation.audits.suspects import Suspect, common, suspects
from evaluation.pages.shown import Shown, Thumbnails, show_product
from evaluation.pages.template import template
from evaluation.params import MisfiledParams
from models.embeddings import ProductEmbeddings, load_embeddings

TEMPLATE = Path(__file__).with_name("misfiled.html.j2")
TABLE = "misfiled.csv"
PAIRS = 12  # pairs of categories that the report counts
LEVELS = " > "


@dataclass(frozen=True)
class Filed:
    """`judged` are the products with a picture and a category that others share; `suspects` are rows of them."""

    judged: Sequence[Product]
    suspects: Sequence[Suspect]


@dataclass(frozen=True, slots=True)
class ShownSuspect:
    """One of them, and the products that it looks like."""

    suspect: Suspect
    product: Shown
    like: tuple[Shown, ...]


def main() -> None:
    """Find them in this workspace."""
    params, products = load_section("misfiled", MisfiledParams), read_products()
    embeddings = load_embeddings()
    filed = file_anew(products, embeddings, params)
    report = {
        "inputs": {"snapshot": snapshot_id(), "encoder": embeddings.encoder},
        "products": len(products),
        "judged": len(filed.judged),
        "misfiled": len(filed.suspects),
        "pairs": _pairs(filed.suspects),
    }
    MISFILED.mkdir(parents=True, exist_ok=True)
    write_table(filed, MISFILED / TABLE)
    MISFILED_REPORT.parent.mkdir(exist_ok=True)
    page = render(report, filed, MediaStore(), params.shown)
    MISFILED_PAGE.write_text(page, encoding="utf-8")
    MISFILED_REPORT.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"misfiled: {sentence(report)}", flush=True)


def file_anew(products: Sequence[Product], embeddings: ProductEmbeddings, params: MisfiledParams) -> Filed:
    """Compare every picture with those of all other products."""
    at = {product_id: row for row, product_id in enumerate(embeddings.ids) if embeddings.has_image[row]}
    seen = [product for product in products if product.id in at]
    judged = [
        product
        for product, enough in zip(seen, common([path(product) for product in seen], params.least), strict=True)
        if enough
    ]
    if not judged:
        return Filed((), ())
    found = suspects(
        embeddings.image[np.array([at[product.id] for product in judged])],
        [path(product) for product in judged],
        [product.group_id for product in judged],
        params.neighbours,
        params.like,
    )
    return Filed(judged, found)


def path(product: Product) -> str:
    """The category it is filed under, all levels; "" without one."""
    return LEVELS.join(product.category)


def write_table(filed: Filed, table: Path) -> None:
    """One line each, the surest first."""
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("id", "title", "category", "looks_like", "share_own", "share_other"))
        for each in filed.suspects:
            product = filed.judged[each.row]
            shares = (f"{each.own:.2f}", f"{each.other:.2f}")
            writer.writerow((product.id, product.title, each.category, each.looks_like, *shares))


def sentence(report: Mapping[str, object]) -> str:
    """For the log."""
    return f"{report['misfiled']} of {report['judged']} products with a picture look like another category."


def render(report: Mapping[str, object], filed: Filed, media: MediaStore, shown: int) -> str:
    """The page: everything is inside."""
    thumbnails = Thumbnails(media)
    items = [
        ShownSuspect(
            each,
            show_product(filed.judged[each.row], thumbnails),
            tuple(show_product(filed.judged[row], thumbnails) for row in each.like),
        )
        for each in filed.suspects[:shown]
    ]
    return template(TEMPLATE).render(report=report, items=items, sentence=sentence(report), table=MISFILED / TABLE)


def _pairs(found: Sequence[Suspect]) -> list[dict[str, object]]:
    counts = Counter((each.category, each.looks_like) for each in found)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:PAIRS]
    return [{"category": own, "looks_like": other, "products": count} for (own, other), count in ordered]


if __name__ == "__main__":
    main()
