"""Pictures by URL in an ingest: the snapshot that files give; what cannot be had is counted, and the product stays."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalog import tables
from catalog.fetching.downloads import Downloads
from catalog.fetching.settings import MediaSettings
from catalog.ingesting.ingest import IngestReport, ingest
from catalog.pictures import reading
from catalog.pictures.reading import NOT_DOWNLOADED, PictureReader
from catalog.rows.records import Record
from catalog.snapshot import snapshot_id
from catalog.sources.folder import FolderSource
from tests.catalog.conftest import Shop
from tests.catalog.fetching.picture_server import Shelved, Site, pictures

Picture = Callable[..., bytes]


@pytest.fixture
def site(picture: Picture) -> Iterator[Site]:
    with pictures(picture()) as running:
        yield running


def local(site: Site, path: str) -> str:
    return f"http://127.0.0.1:{site.port}{path}"


def taken(folder: Path, data: Path, cache: Path, **changes: object) -> IngestReport:
    """An ingest that may ask this machine."""
    usual = {"networks": "127.0.0.0/8", "retries": 0, "timeout": 5.0}
    with Downloads(MediaSettings.model_validate({**usual, **changes}), cache) as downloads:
        return ingest(FolderSource(folder), data, fetcher=downloads)


def test_urls_and_files_of_the_same_pictures_give_the_same_snapshot(
    shop: Shop, tmp_path: Path, site: Site, picture: Picture
) -> None:
    rows = [f"{n},Thing {n},{{}}/{n % 40}.jpg,Shop,Kind,5,,".replace("{}/", "{}") for n in range(150)]
    for number in range(40):
        site.shelf[f"/{number}.jpg"] = Shelved(picture((number * 6, 90, 255 - number * 5)))
    folder = shop(*(row.format("") for row in rows))
    for path, shelved in site.shelf.items():
        (folder / "photos" / path[1:]).write_bytes(shelved.data)
    by_file = ingest(FolderSource(folder), tmp_path / "files/data")
    shutil.rmtree(folder)
    folder = shop(*(row.format(local(site, "/")) for row in rows))
    by_url = taken(folder, tmp_path / "urls/data", tmp_path / "cache")
    assert (by_url.id, by_url.media, by_url.dropped) == (by_file.id, 40, {})
    assert sorted(site.paths()) == sorted(site.shelf)  # each once
    assert not (tmp_path / "urls/data/missing_pictures.parquet").exists()


def test_a_picture_that_cannot_be_had_is_told_with_its_reason_and_the_product_stays(
    shop: Shop, tmp_path: Path, site: Site
) -> None:
    paths = ["/red.jpg", "/none.jpg", "/words.jpg", "/cut", "/loopback", "/gzip", "/empty", "/short"]
    urls = [*(local(site, path) for path in paths), "https://user@cdn.example/a.jpg", "http://10.1.2.3/a.jpg"]
    mapping = "products: products.csv\ncolumns: {id: sku, title: name, images: [photo]}\nmedia: photos\n"
    folder = shop(
        *(f"{n},Thing {n},{url},,,,," for n, url in enumerate(urls)),
        f"20,Two pictures,red.jpg|{local(site, '/none.jpg')},,,,,",
        f"21,,{local(site, '/none.jpg')},,,,,",
        "22,No such file,none.jpg,,,,,",
        mapping=mapping,
    )
    report = taken(folder, tmp_path / "data", tmp_path / "cache")
    assert (report.products, report.quarantined) == (11, {"broken_picture": 1, "no_title": 1})
    assert report.dropped == {
        "pictures: URL refused": 2, "pictures: no answer": 2, "pictures: not a picture": 3,
        "pictures: status 404": 2, "pictures: wrong answer": 1,
    }  # fmt: skip
    assert report.without_image == 9
    missing = tables.read_missing_pictures(tmp_path / "data/missing_pictures.parquet")
    assert [(row.source_row, row.product_id, row.reason) for row in missing][:3] == [
        (2, "1", "status 404"), (3, "2", "not a picture"), (4, "3", "not a picture"),
    ]  # fmt: skip
    assert {row.url for row in missing} == {*urls[1:], local(site, "/none.jpg")}
    assert all(row.detail.endswith(".") and "\n" not in row.detail for row in missing)
    assert "21" not in {row.product_id for row in missing}  # its row is in quarantine, which says why


def test_with_downloads_switched_off_nobody_is_asked(shop: Shop, tmp_path: Path, site: Site) -> None:
    report = ingest(FolderSource(shop(f"1,Mug,{local(site, '/a.jpg')},,,,,")), tmp_path / "data")
    assert (report.products, report.media, report.dropped) == (1, 0, {f"pictures: {NOT_DOWNLOADED}": 1})
    assert site.asked == []


def test_a_second_ingest_of_an_unchanged_shop_gets_no_picture_again(shop: Shop, tmp_path: Path, site: Site) -> None:
    site.shelf["/a.jpg"] = Shelved(site.red, etag='"1"')
    folder = shop(f"1,Mug,{local(site, '/a.jpg')},,,,,")
    first = taken(folder, tmp_path / "data", tmp_path / "cache")
    second = taken(folder, tmp_path / "data", tmp_path / "cache")
    assert (second.changed, second.id) == (False, first.id)
    assert [headers.get("if-none-match") for _, _, headers in site.asked] == [None, '"1"']


def test_the_downloads_of_the_next_records_begin_before_they_are_wanted(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "AHEAD", 4)
    asked: list[str] = []

    class Noting:
        def ask(self, url: str) -> None:
            asked.append(url)

        def fetch(self, url: str) -> bytes:
            raise AssertionError(url)

    def records() -> Iterator[Record]:
        for number in range(10):
            yield Record(number, images=(f"https://cdn.example/{number}.jpg", "local.jpg"))

    reader = PictureReader(FolderSource(shop()), Noting())
    for number, record in enumerate(reader.ahead(records())):
        assert record.source_row == number
        assert len(asked) == min(number + 5, 10)


def test_an_ingest_that_was_killed_leaves_the_old_snapshot_and_goes_on_with_its_downloads(
    shop: Shop, tmp_path: Path, site: Site, picture: Picture
) -> None:
    data, cache = tmp_path / "data", tmp_path / "cache"
    before = taken(shop("1,Mug,red.jpg,,,,,"), data, cache)
    for number in range(30):
        site.shelf[f"/{number}.jpg"] = Shelved(picture((number * 8, 20, 20)))
    folder = shop(*(f"{n},Thing {n},{local(site, f'/{n}.jpg')},,,,," for n in range(30)))
    code = f"""
        import os, signal
        from pathlib import Path
        from catalog.fetching.downloads import Downloads
        from catalog.fetching.settings import MediaSettings
        from catalog.ingesting.ingest import ingest
        from catalog.sources.folder import FolderSource
        def kill(row):
            if row == 20: os.kill(os.getpid(), signal.SIGKILL)
        settings = MediaSettings.model_validate({{"networks": "127.0.0.0/8"}})
        with Downloads(settings, Path({str(cache)!r})) as downloads:
            ingest(FolderSource(Path({str(folder)!r})), Path({str(data)!r}), kill, downloads)
    """
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=env, check=False)
    assert killed.returncode == -signal.SIGKILL and snapshot_id(data) == before.id
    site.asked.clear()
    report = taken(folder, data, cache)
    assert (report.products, report.media, report.dropped) == (30, 30, {})
    assert set(site.paths()).isdisjoint(f"/{number}.jpg" for number in range(20))
