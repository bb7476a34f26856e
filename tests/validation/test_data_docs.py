"""Data Docs stand alone: no script, no outside resource, hostile values shown as text, the same bytes each time."""

import logging
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from catalog.products import Judgement
from tests.validation.worlds import World
from validation.checks import Checked, check_snapshot
from validation.data_docs import render_data_docs, write_data_docs

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> $value ${unknown} {count} {{ 7 * 7 }}"


class Loaded(HTMLParser):
    """Collects tags, and every attribute through which a page loads or runs something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "href" and tag == "a":
                self.links.append(value or "")
            elif name in ("src", "href", "srcset", "data", "action", "poster", "background"):
                self.loads.append(f"{tag} {name}={value}")
            elif name.startswith("on"):
                self.handlers.append(f"{tag} {name}={value}")


def spoiled() -> World:
    """Fails in every table, with hostile text wherever a value or a key is printed."""
    world = World()
    world.change(0, id=HOSTILE, title=HOSTILE)
    world.change(1, id=HOSTILE, currency=HOSTILE, language=HOSTILE, price=-1.0, images=("missing",))
    world.judgements += [Judgement(HOSTILE, "gone", 99), Judgement(HOSTILE, "gone", 99)]
    world.interactions = [world.interactions[0].__class__(HOSTILE, HOSTILE, HOSTILE, HOSTILE)]
    world.terms = [world.terms[0].__class__("colour", HOSTILE, HOSTILE, HOSTILE)] * 2
    return world


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    return check_snapshot(spoiled().write(tmp_path_factory.mktemp("spoiled") / "data"))


@pytest.fixture(scope="module")
def pages(checked: Checked) -> dict[str, str]:
    return render_data_docs(checked)


def read(page: str) -> Loaded:
    reader = Loaded()
    reader.feed(page)
    return reader


def test_there_is_an_index_and_a_page_for_each_table(pages: dict[str, str]) -> None:
    assert set(pages) == {
        f"{name}.html" for name in ("index", "snapshot", "products", "media", "terms", "judgements", "interactions")
    }


def test_no_page_loads_anything_or_runs_a_script(pages: dict[str, str]) -> None:
    for name, page in pages.items():
        reader = read(page)
        assert reader.loads == [], name
        assert reader.handlers == [], name
        assert not reader.tags & {"script", "link", "iframe", "object", "embed", "img", "base"}, name
        assert not re.search(r"url\(|@import|https?://", page), name
        assert "default-src 'none'" in page


def test_links_lead_to_pages_that_are_there(pages: dict[str, str]) -> None:
    for page in pages.values():
        for link in read(page).links:
            assert link in pages or link == "", link


def test_hostile_values_are_shown_as_text(pages: dict[str, str]) -> None:
    for name in ("products.html", "judgements.html", "interactions.html", "terms.html", "index.html"):
        assert "<script>alert" not in pages[name], name
        assert "<img src=x" not in pages[name], name
    assert "&lt;script&gt;" in pages["products.html"]
    assert "&lt;script&gt;" in pages["judgements.html"]


def test_pages_say_snapshot_verdict_reason_and_how_much(checked: Checked, pages: dict[str, str]) -> None:
    assert checked.report.snapshot is not None
    for name, page in pages.items():
        assert checked.report.snapshot in page, name
    assert "is not fit to train on" in pages["index.html"]
    assert "2 of 60 products share their id with another" in pages["products.html"]
    assert "The later of two would overwrite the earlier in the collection." in pages["products.html"]
    assert "min_products" in pages["index.html"]


def test_nothing_goes_wrong_while_rendering(checked: Checked, caplog: pytest.LogCaptureFixture) -> None:
    """Great Expectations logs an exception of a renderer and prints a page with a hole."""
    with caplog.at_level(logging.WARNING):
        render_data_docs(checked)
    assert [record.getMessage() for record in caplog.records] == []


def test_the_same_snapshot_gives_the_same_pages_in_place_of_older_ones(tmp_path: Path) -> None:
    data = World().write(tmp_path / "data")
    docs = tmp_path / "docs"
    write_data_docs(check_snapshot(data), docs)
    first = {path.name: path.read_bytes() for path in docs.iterdir()}
    (docs / "left-over.html").write_text("old", encoding="utf-8")
    index = write_data_docs(check_snapshot(data), docs)
    assert {path.name: path.read_bytes() for path in docs.iterdir()} == first
    assert index.read_bytes() == first["index.html"]


def test_a_snapshot_that_cannot_be_read_still_has_an_index(tmp_path: Path) -> None:
    pages = render_data_docs(check_snapshot(tmp_path))
    assert set(pages) == {"index.html"}
    assert "ingest a catalogue first" in pages["index.html"]
