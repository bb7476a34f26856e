"""The flow's first task reads its settings, downloads, and leaves the report of the pictures beside the snapshot."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog import tables
from catalog.errors import InvalidParams
from catalog.ingesting.ingest import IngestReport
from catalog.pictures.reading import NOT_DOWNLOADED
from catalog.snapshot import read_snapshot
from tests.catalog.conftest import Shop, picture, shop
from tests.catalog.fetching.picture_server import Shelved, Site, pictures

__all__ = ["picture", "shop"]  # fixtures

PLACEHOLDERS = "ingest: {{placeholders: {}}}\n"


@pytest.fixture
def site() -> Iterator[Site]:
    with pictures(b"") as running:
        yield running


@pytest.mark.slow
def test_an_ingest_by_url_follows_its_settings_and_reports(
    shop: Shop, picture, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.ingest import snapshot
    from flows.orchestration import flow

    from prefect.testing.utilities import prefect_test_harness  # isort: skip

    @flow(name="takes-a-snapshot")
    def takes(folder: str) -> IngestReport:
        return snapshot(folder, None, None, None, None)

    site.shelf["/a.jpg"] = Shelved(picture(), etag='"1"')  # of one colour: a placeholder
    folder = str(shop(f"1,Mug,http://127.0.0.1:{site.port}/a.jpg,,,,,", "2,Hat,,,,,,"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ETALAGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ETALAGE_MEDIA_NETWORKS", "127.0.0.0/8")
    params = tmp_path / "params.yaml"
    with prefect_test_harness(server_startup_timeout=180):
        params.write_text(PLACEHOLDERS.format("keep"))
        kept = takes(folder)
        assert (kept.media, kept.without_image, kept.downloads) == (1, 1, {"downloaded": 1})
        report = json.loads((tmp_path / "reports/pictures.json").read_text(encoding="utf-8"))
        assert (report["snapshot"], report["counts"]["placeholder pictures"]) == (kept.id, 1)
        params.write_text(PLACEHOLDERS.format("drop"))
        dropped = takes(folder)
        assert (dropped.media, dropped.without_image, dropped.downloads) == (0, 2, {"unchanged": 1})
        assert list((tmp_path / "home/downloads").rglob("*.picture"))
        monkeypatch.setenv("ETALAGE_MEDIA_DOWNLOAD", "false")
        assert takes(folder).dropped == {f"pictures: {NOT_DOWNLOADED}": 1}
        assert len(tables.read_missing_pictures(tmp_path / "data/missing_pictures.parquet")) == 1
        assert len(site.asked) == 2
        before = read_snapshot(tmp_path / "data/snapshot.json").id
        params.write_text(PLACEHOLDERS.format("perhaps"))
        with pytest.raises(InvalidParams, match=r"ingest\.placeholders"):
            takes(folder)
    assert read_snapshot(tmp_path / "data/snapshot.json").id == before
