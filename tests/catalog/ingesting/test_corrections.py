"""Quarantined rows, mended in a spreadsheet and given back, are the products that a mended source would have given."""

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from catalog import tables
from catalog.errors import InvalidSource
from catalog.ingesting.corrections import CorrectedSource, RowKeys
from catalog.ingesting.ingest import IngestReport, ingest
from catalog.ingesting.quarantine_file import read_quarantine_file, write_quarantine_file
from catalog.products import Correction
from catalog.rows.cells import cells_of, mended
from catalog.rows.records import Record
from catalog.sources.folder import FolderSource
from catalog.tables import read_products, read_quarantine
from tests.catalog.conftest import HEADER, Shop

BAD = (
    "1,Good,red.jpg,Home,Mugs,9.50,Red,",
    "2,,none.jpg,Home,Mugs,5,Red,",  # its picture is not there
    "3,Blue mug 红色,blue.png,Home,Mugs,cheap,Blue,",
    "1,Same id,blue.png,Home,Mugs,4,Blue,",
    ",No id,,Home,Mugs,4,Green,",
    "6,too few cells",
    "7,Fine,,Home,Mugs,1.25,Green,",
)
MENDED = (
    BAD[0],
    "2,Now a title,red.jpg,Home,Mugs,5,Red,",
    "3,Blue mug 红色,blue.png,Home,Cups,12.5,Blue,men",
    "1b,Same id,blue.png,Home,Mugs,4,Blue,",
    "5,No id,,Home,Mugs,4,Green,",
    "6,Whole,,,,3,,",
    BAD[6],
)
FIXES: Mapping[str, Mapping[str, str]] = {
    "id:2": {"title": "Now a title", "images": "red.jpg"},
    "id:3": {"price": "12,5", "category": "Home > Cups", "attributes.gender": "men"},
    "id#2:1": {"id": "1b"},
    "row:": {"id": "5"},  # the row without an id, by the start of its key
    "unreadable": {"id": "6", "title": "Whole", "price": "3"},
}

Write = Callable[[list[list[str]], Path], None]


def comma(rows: list[list[str]], path: Path, encoding: str = "utf-8", delimiter: str = ",") -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter).writerows(rows)
    path.write_bytes(stream.getvalue().encode(encoding))


SAVED: dict[str, Write] = {
    "as it was written": lambda rows, path: comma(rows, path, "utf-8-sig"),
    "by Excel in Germany": lambda rows, path: comma(rows, path, "utf-8-sig", ";"),
    "by Excel in China": lambda rows, path: comma(rows, path, "gbk"),
    "as Unicode text": lambda rows, path: comma(rows, path, "utf-16", "\t"),
}


def taken(folder: Path, data: Path, quarantine: Path | None = None, keep: bool = True) -> IngestReport:
    return ingest(FolderSource(folder), data, quarantine=quarantine, keep_corrections=keep)


def mend(
    data: Path, path: Path, fixes: Mapping[str, Mapping[str, str]] = FIXES, save: Write = SAVED["as it was written"]
) -> Path:
    """What a person does: write the table, correct cells by their column, save it as a spreadsheet does."""
    rows = read_quarantine(data / "quarantine.parquet")
    write_quarantine_file(rows, path)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header, *lines = list(csv.reader(stream))
    reasons = {row.key: row.reason for row in rows}
    for line in lines:
        kind = "unreadable" if reasons[line[0]] == "unreadable_row" else line[0]
        named = next((name for name in fixes if kind == name or (name == "row:" and kind.startswith(name))), None)
        for field, text in (fixes[named] if named else {}).items():
            line[header.index(field)] = text
    save([header, *lines], path)
    return path


def bytes_of(data: Path) -> dict[str, bytes]:
    """Every table but what tells of the correcting itself."""
    told = ("quarantine.parquet", "corrections.parquet", "snapshot.json")
    return {p.relative_to(data).as_posix(): p.read_bytes() for p in data.rglob("*.parquet") if p.name not in told}


@pytest.mark.parametrize("saved", SAVED)
def test_mended_rows_give_the_snapshot_of_a_mended_source(shop: Shop, tmp_path: Path, saved: str) -> None:
    folder, data = shop(*BAD), tmp_path / "data"
    assert taken(folder, data).quarantined == {
        "bad_price": 1, "broken_picture": 1, "duplicate_id": 1, "no_id": 1, "unreadable_row": 1,
    }  # fmt: skip
    fixed = mend(data, tmp_path / "fixed.csv", save=SAVED[saved])
    report = taken(folder, data, fixed)
    assert (report.quarantined, report.corrected.rows, report.corrected.refused) == ({}, 5, ())
    (folder / "products.csv").write_text("\n".join([HEADER, *MENDED]) + "\n", encoding="utf-8")
    right = taken(folder, tmp_path / "right")
    assert bytes_of(data) == bytes_of(tmp_path / "right")
    assert (report.products, report.source_rows, report.groups) == (right.products, right.source_rows, right.groups)
    told = {(c.key, c.field): (c.before, c.after) for c in tables.read_corrections(data / "corrections.parquet")}
    assert len(told) == 10  # the cells that a person changed, and none that the spreadsheet did
    assert told["id:3", "price"] == ("cheap", "12,5") and told["id#2:1", "id"] == ("1", "1b")


def test_corrections_hold_for_the_next_export_until_it_says_something_else_there(shop: Shop, tmp_path: Path) -> None:
    folder, data = shop(*BAD), tmp_path / "data"
    taken(folder, data)
    taken(folder, data, mend(data, tmp_path / "fixed.csv"))
    before = bytes_of(data)
    again = taken(folder, data)  # the same export
    assert again.corrected.rows == 5 and not again.corrected.outdated and bytes_of(data) == before and not again.changed
    moved = ["0,New,,Home,Mugs,1,Red,", *BAD]
    moved[3] = "3,Blue mug 红色,blue.png,Home,Mugs,7,Blue,"  # the shop mended the price, and elsewhere a row is new
    (folder / "products.csv").write_text("\n".join([HEADER, *moved]) + "\n", encoding="utf-8")
    report = taken(folder, data)
    products = {product.id: product for product in read_products(data / "products.parquet")}
    assert products["3"].price == 7.0 and products["3"].category == ("Home", "Cups")
    assert products["2"].title == "Now a title" and "1b" in products and "5" in products
    fell = {(c.field, c.after) for c in report.corrected.outdated}
    assert fell == {
        ("price", "12,5"),
        ("id", "6"),
        ("title", "Whole"),
        ("price", "3"),
    }  # a row without cells has only its place
    assert [row.reason for row in read_quarantine(data / "quarantine.parquet")] == ["unreadable_row"]
    assert taken(folder, data, keep=False).corrected.applied == ()
    assert not (data / "corrections.parquet").exists()


def test_rows_that_are_still_bad_stay_with_their_reason_and_are_mended_further(shop: Shop, tmp_path: Path) -> None:
    folder, data = shop(*BAD[:3]), tmp_path / "data"
    taken(folder, data)
    fixed = mend(data, tmp_path / "one.csv", {"id:2": {"title": "Now a title"}, "id:3": {"price": "dear"}})
    assert taken(folder, data, fixed).quarantined == {"bad_price": 1, "broken_picture": 1}
    rows = {row.key: row for row in read_quarantine(data / "quarantine.parquet")}
    assert rows["id:2"].cells["title"] == "Now a title"  # the first half is kept
    assert rows["id:3"].detail.startswith("The price 'dear'")
    more = mend(data, tmp_path / "two.csv", {"id:2": {"images": ""}, "id:3": {"price": "7"}})
    assert taken(folder, data, more).quarantined == {}
    (two,) = [product for product in read_products(data / "products.parquet") if product.id == "2"]
    assert (two.title, two.images) == ("Now a title", ())
    again = taken(folder, data, more)  # a killed run is repeated: what was taken is not asked for twice
    assert (again.changed, again.quarantined) == (False, {})


def test_an_id_that_another_row_has_is_refused_and_pushes_no_product_out(shop: Shop, tmp_path: Path) -> None:
    folder, data = shop(BAD[0], BAD[3], BAD[6]), tmp_path / "data"
    taken(folder, data)
    report = taken(folder, data, mend(data, tmp_path / "fixed.csv", {"id#2:1": {"id": "7"}}))
    assert report.corrected.refused == (
        "The id '7' that was given to 'id#2:1' is refused: row 3 of the source has it already.",
    )
    assert {product.id: product.title for product in read_products(data / "products.parquet")} == {
        "1": "Good",
        "7": "Fine",
    }
    assert report.quarantined == {"duplicate_id": 1} and not report.corrected.applied


def test_two_rows_that_are_given_one_id_are_one_product_and_one_bad_row(shop: Shop, tmp_path: Path) -> None:
    folder, data = shop(BAD[0], BAD[3], ",No id,,Home,Mugs,4,Green,"), tmp_path / "data"
    taken(folder, data)
    report = taken(folder, data, mend(data, tmp_path / "fixed.csv", {"id#2:1": {"id": "x"}, "row:": {"id": "x"}}))
    assert report.quarantined == {"duplicate_id": 1}
    (bad,) = read_quarantine(data / "quarantine.parquet")
    assert bad.detail == "The id 'x' stands in an earlier row."


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda rows: rows, "says what the quarantine says already"),
        (lambda rows: [row[1:] for row in rows], "has no column 'row'"),
        (lambda rows: [[*row, "colour" if n == 0 else "red"] for n, row in enumerate(rows)], "'colour' is no field"),
        (lambda rows: [rows[0], ["id:99", *rows[1][1:]]], r"'id:99' \(line 1\) is no row in the quarantine"),
        (lambda rows: [rows[0], rows[1][:4]], "line 1: The row has 4 cells"),
    ],
)
def test_a_table_that_corrects_nothing_is_refused_and_the_snapshot_stays(
    shop: Shop, tmp_path: Path, change: Callable[[list[list[str]]], list[list[str]]], sentence: str
) -> None:
    folder, data, path = shop(*BAD), tmp_path / "data", tmp_path / "fixed.csv"
    taken(folder, data)
    before = {p: p.read_bytes() for p in data.rglob("*") if p.is_file()}
    write_quarantine_file(read_quarantine(data / "quarantine.parquet"), path)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        comma(change(list(csv.reader(stream))), path)
    with pytest.raises(InvalidSource, match=sentence):
        taken(folder, data, path)
    assert {p: p.read_bytes() for p in data.rglob("*") if p.is_file()} == before


def test_what_a_spreadsheet_does_by_itself_is_no_correction(shop: Shop, tmp_path: Path) -> None:
    hostile = """0012,"=HYPERLINK(""x"") Mug 😀 naïve",none.jpg,Home,"-Mugs",9.50,"Red  wine","""
    data, path = tmp_path / "data", tmp_path / "fixed.csv"
    taken(shop(BAD[0], hostile), data)
    rows = read_quarantine(data / "quarantine.parquet")
    write_quarantine_file(rows, path)
    text = path.read_text(encoding="utf-8-sig")
    assert "'=HYPERLINK" in text  # is not computed
    changed = text.replace(",0012,", ",12,").replace("9.50", '"9,5"').replace("😀", "?").replace("'=HYP", "=HYP")
    path.write_bytes(changed.replace("none.jpg", "red.jpg").encode("cp1252"))
    assert read_quarantine_file(path, rows) == {"id:0012": {"images": "red.jpg"}}


def test_pictures_that_a_row_holds_itself_are_kept_or_taken_away_by_name() -> None:
    record = Record(1, {"id": "1"}, images=(b"one", b"two"), attributes={"colour": "red"})
    one, two = cells_of(record)["images"].split(" | ")
    assert mended(record, {"images": two}).images == (b"two",)
    assert mended(record, {"images": f"{one}|{two}|more.jpg"}).images == (b"one", b"two", "more.jpg")
    assert mended(record, {"attributes.size": "L"}).attributes == {"colour": "red", "size": "L"}
    assert mended(record, {}) is record


def test_rows_are_named_by_id_wherever_they_stand_and_else_by_what_they_say() -> None:
    keys = RowKeys("table:x")
    rows = [Record(1, {"id": "a"}), Record(2, {"id": "a "}), Record(3, {"title": "t"}), Record(4, {"title": "t"})]
    named = [keys.of(row) for row in rows]
    assert (
        named[:2] == ["id:a", "id#2:a"] and named[2].startswith("row:") and named[3] == named[2].replace("row", "row#2")
    )
    assert RowKeys("table:x").of(Record(9, {"title": "t"})) == named[2]
    broken = Record(5, problem="The row has 2 cells under 8 columns.")
    assert keys.of(broken) != RowKeys("table:x").of(Record(6, problem=broken.problem))
    assert keys.of(Record(7, left_out="a draft")) == ""


def test_a_correction_of_a_row_that_is_no_more_falls_away(shop: Shop) -> None:
    source = CorrectedSource(FolderSource(shop(BAD[0])), [Correction("id:9", "title", "", "X")])
    assert [record.key for record in source.records()] == ["id:1"]
    assert [c.key for c in source.found.outdated] == ["id:9"] and source.found.applied == ()
