"""`etalage quarantine`: what could not be taken is shown, written as a table, and its source is remembered."""

from pathlib import Path

import pytest

from catalog.errors import InvalidSource
from catalog.ingesting.corrections import Corrected
from catalog.ingesting.ingest import ingest
from catalog.products import Correction
from catalog.sources.folder import FolderSource
from flows.ingesting.origin import Ingested, origin, remember
from flows.ingesting.quarantine import told_of
from tests.catalog.conftest import Shop, picture, shop
from tests.flows.test_cli import etalage

__all__ = ["picture", "shop"]  # fixtures


def test_rows_are_shown_written_and_looked_at_again_when_they_were_mended(shop: Shop, tmp_path: Path) -> None:
    folder = shop("1,Good,red.jpg,,,1,,", "2,Bad,,,,cheap,,")
    ingest(FolderSource(folder), tmp_path / "data")
    shown = etalage("quarantine", cwd=tmp_path)
    assert "The price 'cheap' is not a number" in shown.stdout and "etalage quarantine rows.csv" in shown.stdout
    assert "rows.csv holds 1 row." in etalage("quarantine", "rows.csv", cwd=tmp_path).stdout
    rows = tmp_path / "rows.csv"
    rows.write_text(rows.read_text(encoding="utf-8-sig").replace(",cheap,", ",9,"), encoding="utf-8")
    done = etalage("ingest", str(folder), "--quarantine", "rows.csv", "--dry-run", cwd=tmp_path)
    assert "id:2, price: 'cheap' became '9'" in done.stdout and "would be quarantined" not in done.stdout


def test_without_a_source_it_is_the_one_of_the_present_snapshot_and_of_no_other(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = shop("1,Good,red.jpg,,,1,,")
    report = ingest(FolderSource(folder), tmp_path / "data")
    with pytest.raises(InvalidSource, match="is not known here: name its source"):
        origin(tmp_path)
    remember(tmp_path, Ingested(report.snapshot, folder.name, "fashion_product_images", media="photos"))
    found = origin(tmp_path)
    assert (found.source, found.mapping, found.media) == (str(folder), "fashion_product_images", "photos")
    remember(tmp_path, Ingested("another", str(folder)))
    with pytest.raises(InvalidSource, match="is not known here"):
        origin(tmp_path)


def test_what_became_of_corrections_is_told_in_sentences() -> None:
    found = Corrected(
        applied=tuple(Correction(f"id:{n}", "title", "", "x" * 99) for n in range(25)),
        outdated=(Correction("id:z", "price", "a", "b"),),
        refused=("The id is taken.",),
    )
    told = list(told_of(found, {"no_id": 1}))
    assert told[0].startswith("Corrected by hand in 25 rows") and told[21] == "  and 5 more cells"
    assert told[22].endswith("no such row: id:z price.") and told[23] == "The id is taken."
    assert told[24].startswith("In quarantine: 1 row.") and list(told_of(Corrected())) == []
