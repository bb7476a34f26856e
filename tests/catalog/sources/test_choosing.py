"""What a person names is looked at, and what was seen is said; a wrong name says what would be right."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.errors import EtalageError, InvalidMedia, InvalidSource
from catalog.ingesting.checking import checked_rows
from catalog.pictures.reading import AWAY
from catalog.sources import SOURCES, Opening, choose_source, open_source
from catalog.sources.pictures import LocalPictures, PictureAway
from tests.catalog.sources.shops import (
    GOODS,
    as_delta,
    as_parquet,
    as_shopify,
    as_table,
    picture,
    write_csv,
    write_media,
)


def test_a_folder_with_one_table_and_one_folder_of_pictures_needs_no_words(tmp_path: Path) -> None:
    write_media(tmp_path / "photos")
    as_shopify(tmp_path, GOODS)
    choice = choose_source(Opening(str(tmp_path)))
    assert (choice.kind, choice.opening.media) == ("shopify", tmp_path / "photos")
    assert choice.why.startswith(f"In {tmp_path.name}: products_export.csv looks like Shopify's product export")
    assert all(
        row.product.images for row in checked_rows(open_source(tmp_path)) if row.product and row.product.id != "a-4"
    )


def test_of_several_tables_that_of_products_is_taken_or_else_one_must_be_named(tmp_path: Path) -> None:
    for name in ("orders.csv", "stock.csv"):
        write_csv(tmp_path / name, [{"id": 1, "title": "x"}])
    with pytest.raises(InvalidSource, match=r"several tables \(orders.csv, stock.csv\): name one"):
        open_source(tmp_path)
    write_csv(tmp_path / "products.csv", [{"id": 1, "title": "x"}])
    assert open_source(tmp_path).name == "table:products.csv"


def test_a_named_source_is_taken_whatever_it_looks_like(tmp_path: Path) -> None:
    where = as_shopify(tmp_path, GOODS)
    assert choose_source(Opening(where), "table").kind == "table"
    assert open_source(where, kind="table").name == "table:products_export.csv"
    with pytest.raises(InvalidSource, match=f"no source 'shoplift'; known are: {', '.join(SOURCES)}"):
        open_source(where, kind="shoplift")


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("nowhere.csv", "neither a file, a folder, an address nor a built-in source"),
        ("https://shop.example/feed.xml", "is not a file of this machine: download it first"),
        ("notes.docx", "unknown kind of file; known endings are .csv"),
        ("page.xml", "holds no items with an id"),
        ("empty.csv", "no column that can be the id"),
    ],
)
def test_what_is_no_catalogue_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.docx").write_bytes(b"PK")
    Path("page.xml").write_text("<html><body>no feed</body></html>")
    Path("empty.csv").write_bytes(b"")
    with pytest.raises(EtalageError, match=sentence) as refusal:
        open_source(where)
    assert "\n" not in str(refusal.value)


def test_a_file_called_as_the_sample_is_not_the_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert choose_source(Opening("sample")).kind == "sample"
    as_table(tmp_path, GOODS)
    (tmp_path / "list.csv").rename("sample")
    with pytest.raises(InvalidSource, match="unknown kind of file"):
        open_source("sample")


def test_a_delta_table_shows_what_its_log_leaves(tmp_path: Path) -> None:
    ids = [record.values["id"] for record in open_source(as_delta(tmp_path, GOODS)).records()]
    assert ids == [good.id for good in GOODS]


def test_a_delta_table_with_deletion_vectors_is_refused(tmp_path: Path) -> None:
    where = Path(as_delta(tmp_path, GOODS))
    (where / "_delta_log/00000000000000000002.json").write_text(json.dumps({"protocol": {"minReaderVersion": 3}}))
    with pytest.raises(InvalidSource, match="a Delta table for readers of version 3"):
        open_source(where)


def test_a_checkpoint_of_a_delta_table_stands_for_the_commits_before_it(tmp_path: Path) -> None:
    where = Path(as_delta(tmp_path, GOODS))
    actions = [{"add": {"path": f"part-{number}.parquet"}, "remove": None} for number in (0, 1)]
    actions.append({"add": None, "remove": {"path": "part-9.parquet"}})
    pq.write_table(pa.Table.from_pylist(actions), where / "_delta_log/00000000000000000001.checkpoint.parquet")
    for commit in (where / "_delta_log").glob("*.json"):
        commit.unlink()
    assert len(list(open_source(where).records())) == len(GOODS)


def test_parts_of_a_path_are_columns(tmp_path: Path) -> None:
    for colour in ("Red", "Navy%20Blue"):
        (tmp_path / f"lake/colour={colour}").mkdir(parents=True)
        row = [{"id": colour[:3], "title": "mug"}]
        pq.write_table(pa.Table.from_pylist(row), tmp_path / f"lake/colour={colour}/part-0.parquet")
    assert [dict(record.attributes) for record in open_source(tmp_path / "lake").records()] == [
        {"colour": "Navy Blue"},
        {"colour": "Red"},
    ]


def test_a_broken_parquet_file_is_one_sentence(tmp_path: Path) -> None:
    where = Path(as_parquet(tmp_path, GOODS))
    (where / "part-0.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InvalidSource, match=r"part-0.parquet cannot be read"):
        open_source(where)


def test_a_data_set_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{}")
    with pytest.raises(InvalidSource, match="cannot be loaded") as refusal:
        open_source(tmp_path)
    assert "\n" not in str(refusal.value)
    with pytest.raises(InvalidSource, match="neither a folder nor an id such as hf://owner/name"):
        open_source("hf://a b")


def test_a_picture_comes_from_the_media_folder_by_the_last_part_of_its_address_or_is_away(tmp_path: Path) -> None:
    (tmp_path / "red dress.jpg").write_bytes(b"file")
    address = "https://cdn.example/a/red%20dress.jpg?v=2"
    assert LocalPictures(None, tmp_path).read(address) == b"file"
    with pytest.raises(PictureAway, match="is an address, and no file of that name"):
        LocalPictures(None, None).read(address)


def test_a_mapping_file_may_name_the_media_folder_of_a_table_but_none_outside(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    write_media(folder / "photos")
    where = as_table(folder, GOODS)
    (tmp_path / "m.yaml").write_text("media: photos\n")
    assert open_source(where, tmp_path / "m.yaml").media("red.jpg") == picture("red.jpg")
    (tmp_path / "m.yaml").write_text("media: ..\n")
    with pytest.raises(InvalidSource, match="lies outside the source folder"):
        open_source(where, tmp_path / "m.yaml")


@pytest.mark.parametrize(
    "address", ["https://x.example/..", "https://x.example/%2e%2e%2fsecret.jpg", "https://x.example/"]
)
def test_no_address_leads_out_of_the_media_folder(tmp_path: Path, address: str) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "secret.jpg").write_bytes(picture("secret.jpg"))
    with pytest.raises(InvalidMedia):
        LocalPictures(None, tmp_path / "media").read(address)


def test_a_picture_that_nobody_fetches_costs_its_product_only_the_picture(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", [{"id": 1, "title": "mug", "image": "https://x.example/1.jpg"}])
    (row,) = checked_rows(open_source(path))
    assert row.product and row.product.images == () and row.dropped == {AWAY: 1}
