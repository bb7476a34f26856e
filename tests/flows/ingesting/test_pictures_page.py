"""The page of an ingest's pictures shows what was found, escaped, with nothing from elsewhere."""

import re
from dataclasses import replace
from pathlib import Path

from catalog.ingesting.ingest import ingest
from catalog.media import MediaStore
from catalog.pictures.lookalikes import PictureFindings
from catalog.sources.folder import FolderSource
from catalog.tables import read_products
from flows.ingesting.pictures_page import render
from tests.catalog.conftest import Picture, Shop, picture, shop

__all__ = ["picture", "shop"]  # fixtures


def test_findings_are_shown_with_their_pictures_and_nothing_is_loaded(
    shop: Shop, picture: Picture, tmp_path: Path
) -> None:
    rows = [f"{n},Thing {n},red.jpg,Home,Kind {n},1,," for n in range(6)]
    for drop in (False, True):
        data = tmp_path / f"data-{drop}"
        report = ingest(FolderSource(shop(*rows, "6,Mug,blue.png,Home,Mugs,1,,")), data, drop_placeholders=drop)
        products = [replace(each, title=f"<script>{each.id}") for each in read_products(data / "products.parquet")]
        page = render(report.snapshot, report.findings, products, MediaStore(data / "media"))
        assert report.findings.placeholders and "Placeholders" in page
        assert ("data:image/jpeg;base64," in page) is not drop and ("left out of the snapshot" in page) is drop
        assert "&lt;script&gt;0" in page and "<script" not in page
        assert not re.search(r"""(?:src|href)=["'](?!data:)|@import|url\(|https?://""", page)


def test_products_listed_twice_stand_beside_each_other(shop: Shop, tmp_path: Path) -> None:
    ingest(FolderSource(shop("1,Mug,red.jpg,,,1,,", "2,Mug,red.jpg,,,1,,")), tmp_path / "data")
    products, media = read_products(tmp_path / "data/products.parquet"), MediaStore(tmp_path / "data/media")
    page = render("s", PictureFindings(twice=(("1", "2"),)), products, media)
    assert "1 products listed twice." in page and page.count("<figure") == 2
    assert "<figure" not in render("s", PictureFindings(), [], media)
