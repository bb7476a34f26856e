"""A folder in any of its formats gives the same rows; a broken row stays one row; nothing outside is opened."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.errors import InvalidMedia, InvalidSource, MediaTooLarge
from catalog.products import Interaction, Judgement, Term
from catalog.rows.records import Record
from catalog.sources import open_source, pictures
from catalog.sources.folder import FolderSource
from catalog.sources.mapping import load_mapping

Shop = Callable[..., Path]


def rows(folder: Path) -> list[Record]:
    return list(FolderSource(folder).records())


def test_columns_become_fields(shop: Shop) -> None:
    (record,) = rows(shop("1,Red mug,red.jpg,Home,Mugs,9.50,Red,"))
    assert record.source_row == 1
    assert dict(record.values) == {"id": "1", "title": "Red mug", "price": "9.50", "language": "en", "currency": "EUR"}
    assert (record.category, dict(record.attributes)) == (("Home", "Mugs"), {"colour": "Red", "gender": ""})
    assert record.images == ("red.jpg",)


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_every_format_gives_the_same_records(tmp_path: Path, ending: str) -> None:
    table = [
        {
            "sku": "1",
            "name": 'Mug, "red"',
            "price": 9.5,
            "stock": 3,
            "photos": ["a.jpg", "b.jpg"],
            "path": "Home > Mugs",
        },
        {"sku": "2", "name": "杯子", "price": None, "stock": None, "photos": [], "path": None},
    ]
    path = tmp_path / f"products.{ending}"
    if ending == "parquet":
        pq.write_table(pa.Table.from_pylist(table), path)
    elif ending == "jsonl":
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table), encoding="utf-8")
    else:
        comma = "," if ending == "csv" else "\t"
        cells = [
            ["sku", "name", "price", "stock", "photos", "path"],
            ["1", '"Mug, ""red"""', "9.5", "3", "a.jpg|b.jpg", "Home > Mugs"],
            ["2", "杯子", "", "", "", ""],
        ]
        path.write_text("".join(comma.join(line) + "\n" for line in cells), encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text(
        f"products: {path.name}\n"
        "columns: {id: sku, title: name, price: price, stock: stock, images: photos, category: path}\n"
    )
    one, two = rows(tmp_path)
    assert dict(one.values) == {"id": "1", "title": 'Mug, "red"', "price": "9.5", "stock": "3"}
    assert (one.images, one.category) == (("a.jpg", "b.jpg"), ("Home", "Mugs"))
    assert dict(two.values) == {"id": "2", "title": "杯子", "price": "", "stock": ""}
    assert (two.images, two.category) == ((), ())


def test_a_byte_order_mark_is_no_part_of_the_first_column(shop: Shop) -> None:
    (record,) = rows(shop("1,杯子,,,,,,", encoding="utf-8-sig"))
    assert (record.values["id"], record.values["title"]) == ("1", "杯子")


def test_another_encoding_and_delimiter_are_read(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes("sku;name\n1;红色杯子\n".encode("gb18030"))
    (tmp_path / "mapping.yaml").write_text(
        "{products: p.csv, encoding: gb18030, delimiter: ';', columns: {id: sku, title: name}}"
    )
    (record,) = rows(tmp_path)
    assert record.values["title"] == "红色杯子"


def test_a_line_in_another_encoding_is_one_bad_row(shop: Shop) -> None:
    folder = shop("1,good,,,,,,")
    with (folder / "products.csv").open("ab") as stream:
        stream.write("2,红色,,,,,,\n".encode("gb18030") + b"3,good,,,,,,\n")
    good, bad, last = rows(folder)
    assert (good.problem, last.problem) == (None, None)
    assert bad.problem and "utf-8" in bad.problem and bad.source_row == 2


def test_a_row_of_the_wrong_width_is_one_bad_row(shop: Shop) -> None:
    records = rows(shop("1,short", "2,good,,,,,,", "3,long,,,,,,,,,", "", "4,good,,,,,,"))
    assert [(record.source_row, bool(record.problem)) for record in records] == [
        (1, True), (2, False), (3, True), (4, False),
    ]  # fmt: skip


def test_a_quotation_mark_that_never_closes_is_a_bad_row_that_names_the_lines_it_took(shop: Shop) -> None:
    good, bad = rows(shop("1,good,,,,,,", '2,"open,,,,,,', "3,taken,,,,,,"))
    assert good.problem is None
    assert bad.problem == "Lines 3 to 4 are not CSV: unexpected end of data."


def test_a_cell_that_is_too_long_to_be_one_is_one_bad_row(shop: Shop) -> None:
    records = rows(shop(f"1,{'x' * 200_000},,,,,,", '2,"two\nlines, one ""cell""",,,,,,', "3,good,,,,,,"))
    assert [bool(record.problem) for record in records] == [True, False, False]
    assert records[1].values["title"] == 'two\nlines, one "cell"'


def test_a_broken_json_line_is_one_bad_row(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"sku": "1"}\n{"sku": \n[1]\n\n{"sku": {"a": 1}}\n{"sku": 12.0}\n')
    (tmp_path / "mapping.yaml").write_text("{products: p.jsonl, columns: {id: sku}}")
    records = rows(tmp_path)
    assert [bool(record.problem) for record in records] == [False, True, True, True, False]
    assert records[4].values["id"] == "12"


def test_a_missing_column_is_named_with_those_that_exist(shop: Shop) -> None:
    with pytest.raises(InvalidSource) as refusal:
        FolderSource(shop("1,mug", header="sku,name"))
    for part in ("'photo' (columns.images)", "'price' (columns.price)", "'color' (attributes.colour)", "sku, name"):
        assert part in str(refusal.value)


def test_two_columns_of_one_name_are_refused(shop: Shop) -> None:
    with pytest.raises(InvalidSource, match="two columns"):
        FolderSource(shop("1,mug,,,,,,,", header="sku,name,photo,department,kind,price,color,gender,name"))


@pytest.mark.parametrize("reference", ["../secret.jpg", "/etc/hostname", "../../secret.jpg", "x/../../../secret.jpg"])
def test_a_picture_outside_the_folder_is_not_opened(shop: Shop, picture: Callable[..., bytes], reference: str) -> None:
    folder = shop("1,mug,,,,,,")
    (folder.parent / "secret.jpg").write_bytes(picture())
    with pytest.raises(InvalidMedia):
        FolderSource(folder).media(reference)


def test_a_link_out_of_the_folder_is_not_followed(shop: Shop, picture: Callable[..., bytes]) -> None:
    folder = shop("1,mug,,,,,,")
    (folder.parent / "secret.jpg").write_bytes(picture())
    (folder / "photos/link.jpg").symlink_to(folder.parent / "secret.jpg")
    with pytest.raises(InvalidMedia, match="outside"):
        FolderSource(folder).media("link.jpg")


@pytest.mark.parametrize("reference", ["none.jpg", ".", "a\0b", "x" * 5000, "https://example.org/none.jpg"])
def test_a_picture_that_is_not_there_is_refused(shop: Shop, reference: str) -> None:
    with pytest.raises(InvalidMedia):
        FolderSource(shop("1,mug,,,,,,")).media(reference)


def test_a_huge_file_is_refused_before_it_is_read(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_BYTES", 10)
    with pytest.raises(MediaTooLarge):
        FolderSource(shop("1,mug,,,,,,")).media("red.jpg")


@pytest.mark.parametrize("key", ["products: ../p.csv", "products: products.csv\nmedia: ../.."])
def test_a_mapping_that_leaves_the_folder_is_refused(shop: Shop, key: str) -> None:
    folder = shop("1,mug,,,,,,", mapping=f"{key}\ncolumns: {{id: sku}}\n")
    (folder.parent / "p.csv").write_text("sku\n1\n")
    with pytest.raises(InvalidSource, match="outside"):
        FolderSource(folder)


def test_terms_are_read_and_renamed_and_bad_ones_counted(shop: Shop) -> None:
    mapping = """
products: products.csv
columns: {id: sku, title: name}
terms: {file: terms.csv, language: zh, term: zh, fields: {kind: category, color: colour}}
"""
    folder = shop("1,mug,,,,,,", mapping=mapping)
    (folder / "terms.csv").write_text("field,value,zh\nkind,Mugs,杯子\ncolor,Red,红色\ncolor,Blue,\nshort\n")
    tables = FolderSource(folder).side_tables()
    assert tables.terms == (Term("category", "Mugs", "zh", "杯子"), Term("colour", "Red", "zh", "红色"))
    assert tables.dropped == {"terms: an empty cell": 1, "terms: an unreadable row": 1}


def test_judgements_and_interactions_are_read_and_bad_ones_counted(shop: Shop) -> None:
    mapping = """
products: products.csv
columns: {id: sku, title: name}
judgements: {file: j.csv, language: lang}
interactions: {file: i.jsonl, query: q}
"""
    folder = shop("1,mug,,,,,,", mapping=mapping)
    (folder / "j.csv").write_text("query,product_id,grade,lang\nmug,1,2,en\n杯子,1,1,\nmug,1,great,en\n,1,1,en\n")
    at = "2026-01-01T00:00:00Z"
    row = {"user_id": "u", "product_id": "1", "action": "buy", "at": at, "q": None}
    (folder / "i.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(row | {"user_id": ""}) + "\n")
    tables = FolderSource(folder).side_tables()
    assert tables.judgements == (Judgement("mug", "1", 2, "en"), Judgement("杯子", "1", 1, None))
    assert tables.interactions == (Interaction("u", "1", "buy", at, None),)
    assert sum(tables.dropped.values()) == 3


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda folder: (folder / "mapping.yaml").unlink(), "has no mapping.yaml"),
        (lambda folder: (folder / "products.csv").unlink(), "has no file 'products.csv'"),
        (lambda folder: (folder / "products.csv").write_bytes(b""), "has no column"),
    ],
)
def test_a_folder_that_cannot_be_read_is_refused(shop: Shop, break_it: Callable[[Path], object], sentence: str) -> None:
    folder = shop("1,mug,,,,,,")
    break_it(folder)
    with pytest.raises(InvalidSource, match=sentence):
        FolderSource(folder)


def test_a_table_of_an_unknown_kind_or_with_broken_content_is_refused(shop: Shop) -> None:
    folder = shop("1,mug,,,,,,", mapping="products: products.xlsx\ncolumns: {id: sku}")
    (folder / "products.xlsx").write_bytes(b"x")
    with pytest.raises(InvalidSource, match="known endings"):
        FolderSource(folder)
    (folder / "mapping.yaml").write_text("products: p.parquet\ncolumns: {id: sku}")
    (folder / "p.parquet").write_bytes(b"not parquet")
    with pytest.raises(InvalidSource, match="cannot be read"):
        FolderSource(folder)


def test_sources_are_opened_by_name_or_folder(shop: Shop) -> None:
    assert open_source("sample").name == "sample:7"
    folder = shop("1,mug,,,,,,")
    assert open_source(folder).name == "folder:shop"
    assert open_source(folder, folder / "mapping.yaml").name == "folder:shop"
    for where, mapping in (("nowhere", None), ("sample", "fashion_product_images"), (folder, "none")):
        with pytest.raises(InvalidSource):
            open_source(where, mapping)


def test_the_name_of_a_source_tells_no_path_of_the_machine(shop: Shop) -> None:
    assert str(shop("1,mug,,,,,,").parent) not in FolderSource(shop("1,mug,,,,,,")).name


def test_the_built_in_mapping_reads_the_public_fashion_set(tmp_path: Path, picture: Callable[..., bytes]) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images/1.jpg").write_bytes(picture())
    (tmp_path / "products.csv").write_text(
        "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName,image\n"
        "1,Men,Apparel,Topwear,Tshirts,Navy Blue,Fall,2011,Casual,Acme Men Blue Tshirt,images/1.jpg\n"
    )
    (tmp_path / "terms_zh.csv").write_text(
        "field,value,zh\narticleType,Tshirts,T恤\nbaseColour,Navy Blue,藏青色\ngender,Men,男士\n"
    )
    source = FolderSource(tmp_path, load_mapping("fashion_product_images"))
    (record,) = source.records()
    assert record.category == ("Apparel", "Topwear", "Tshirts")
    assert dict(record.attributes) == {
        "colour": "Navy Blue", "gender": "Men", "season": "Fall", "usage": "Casual", "year": "2011",
    }  # fmt: skip
    assert source.side_tables().terms == (
        Term("category", "Tshirts", "zh", "T恤"),
        Term("colour", "Navy Blue", "zh", "藏青色"),
        Term("gender", "Men", "zh", "男士"),
    )
    assert source.media(record.images[0]) == picture()
