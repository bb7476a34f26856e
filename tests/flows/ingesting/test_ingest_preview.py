"""`etalage ingest --dry-run`: what an ingest would do is told and shown, and nothing but the page is written."""

import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from catalog.ingesting.ingest import ingest
from catalog.sources import Opening, choose_source, open_choice
from catalog.sources.mapping import mapping_of
from catalog.tables import read_quarantine
from flows.ingesting.page import render
from flows.ingesting.preview import Preview, preview
from tests.catalog.sources.shops import GOODS, WRITERS, as_shopify, write_csv, write_media
from tests.flows.test_cli import etalage

MANY = [{"id": n, "title": f"Mug {n} <script>alert(1)</script>", "price": "$5" if n else "ask"} for n in range(40)]


def look(where: str, media: Path | None = None) -> Preview:
    choice = choose_source(Opening(where, media=media))
    return preview(open_choice(choice), choice)


@pytest.mark.parametrize("shape", sorted(WRITERS))
def test_a_dry_run_counts_what_an_ingest_then_does(shape: str, tmp_path: Path) -> None:
    media = write_media(tmp_path / "media")
    where = WRITERS[shape](tmp_path, GOODS)
    found = look(where, media)
    report = ingest(open_choice(choose_source(Opening(where, media=media))), tmp_path / "data")
    assert (found.products, found.rows, found.pictures) == (report.products, report.source_rows, report.media)
    assert (found.groups, found.without_picture) == (report.groups, report.without_image)
    assert {reason: count for reason, (count, _) in found.rejected.items()} == report.quarantined
    (told,) = [row for _, rows in found.rejected.values() for row in rows]
    assert [told] == read_quarantine(tmp_path / "data/quarantine.parquet")


def test_ten_products_are_shown_and_they_are_the_same_ten_again(tmp_path: Path) -> None:
    path = str(write_csv(tmp_path / "t.csv", MANY))
    one, two = look(path), look(path)
    assert len(one.samples) == 10 and one.samples == two.samples
    assert max(int(product.id) for product, _ in one.samples) > 10  # from the whole catalogue, not from its start


def test_the_page_stands_alone_and_escapes_what_it_shows(tmp_path: Path) -> None:
    media = write_media(tmp_path / "media")
    page = render(look(as_shopify(tmp_path, GOODS), media))
    assert page.count("data:image/jpeg;base64,") == 4 and "红色杯子" in page and "Variant SKU, else Handle" in page
    assert "The price &#39;ask us&#39;" in page
    loads = re.compile(r"""(?:src|href)=["'](?!data:)|@import|url\(""")
    assert not loads.search(page)
    hostile = render(look(str(write_csv(tmp_path / "t.csv", MANY))))
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append(tag)  # type: ignore[method-assign]
    parser.feed(hostile)
    assert "script" not in tags and tags.count("h3") == 10


@pytest.mark.parametrize("shape", ["table", "shopify", "merchant-rss"])
def test_the_mapping_on_the_page_is_a_mapping_file_that_gives_the_same_products(tmp_path: Path, shape: str) -> None:
    where = WRITERS[shape](tmp_path, GOODS)
    page = render(look(where))
    text = re.search(r"<pre[^>]*>(.*?)</pre>", page, flags=re.DOTALL)
    assert text
    document = yaml.safe_load(html.unescape(text[1]))
    (tmp_path / "m.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    source, again = (open_choice(choose_source(Opening(where, mapping))) for mapping in (None, tmp_path / "m.yaml"))
    assert list(source.records()) == list(again.records())
    mapping = open_choice(choose_source(Opening(where))).mapping  # type: ignore[attr-defined]
    assert mapping_of({"products": mapping.products, "encoding": mapping.encoding, **document}, "page") == mapping


def test_what_is_taken_for_granted_is_said(tmp_path: Path) -> None:
    found = look(
        str(write_csv(tmp_path / "t.csv", [{"id": 1, "title": "a", "price": "$5", "image": "https://x.example/a.jpg"}]))
    )
    assert [note.split(":")[0].split(";")[0] for note in found.notes] == [
        "'$' is taken for USD",
        "The rows name no language",
        "Pictures that have only an address, and no file of that name in a media folder",
    ]
    bare = look(str(write_csv(tmp_path / "t.csv", [{"id": 1, "title": "a", "price": "5", "url": "x"}])))
    assert bare.notes[0].startswith("The prices name no currency") and bare.unread == ("url",)


def test_the_command_says_what_it_took_the_source_for_and_writes_one_page(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    where, media = as_shopify(shop, GOODS), write_media(shop / "pictures")
    before = sorted(shop.rglob("*"))
    done = etalage("ingest", where, "--media", str(media), "--dry-run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "products_export.csv looks like Shopify's product export" in done.stdout
    assert "would be quarantined: bad_price" in done.stdout and "No snapshot was taken" in done.stdout
    written = [
        path.relative_to(tmp_path) for path in sorted(tmp_path.rglob("*")) if path.is_file() and path not in before
    ]
    assert written == [Path("reports/ingest.html")]
    forced = etalage("ingest", where, "--source", "merchant", "--dry-run", cwd=tmp_path)
    assert forced.returncode == 2 and "has no column 'id'" in forced.stderr and "Traceback" not in forced.stderr
