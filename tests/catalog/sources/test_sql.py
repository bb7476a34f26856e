"""A query of a database: what is asked, in which order it answers, and what never reaches a log."""

import sqlite3
from pathlib import Path

import pytest

from catalog.errors import InvalidSource
from catalog.ingesting.ingest import ingest
from catalog.sources import Opening, choose_source, open_source
from tests.catalog.sources.shops import picture


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE goods (sku TEXT PRIMARY KEY, name TEXT, price NUMERIC, photo BLOB, at TEXT)")
        connection.execute("CREATE TABLE log (id INTEGER)")
        connection.executemany(
            "INSERT INTO goods VALUES (?, ?, ?, ?, '12:30')",
            [("b", "Blue mug", 9.5, picture("b.jpg")), ("a", "Red mug", 12, None)],
        )
    connection.close()
    return path


def test_a_table_is_read_in_the_order_of_its_key_with_pictures_as_bytes(shop: Path, tmp_path: Path) -> None:
    source = open_source(f"sqlite:///{shop}", query="goods")
    one, two = source.records()
    assert (one.values["id"], one.values["price"], one.images) == ("a", "12", ())
    assert (two.values["id"], two.values["price"], two.images) == ("b", "9.5", (picture("b.jpg"),))
    assert ingest(source, tmp_path / "data").media == 1


def test_a_select_is_asked_as_it_is(shop: Path) -> None:
    query = "SELECT sku, name AS title FROM goods WHERE at = '12:30' AND price < 10;"
    (record,) = open_source(f"sqlite:///{shop}", query=query).records()
    assert dict(record.values) == {"id": "b", "title": "Blue mug"}


def test_the_query_may_stand_in_the_mapping_file(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("products: SELECT sku, name FROM goods ORDER BY name DESC\ncolumns: {id: sku}\n")
    assert [r.values["id"] for r in open_source(f"sqlite:///{shop}", tmp_path / "m.yaml").records()] == ["a", "b"]


def test_a_file_that_is_a_database_needs_no_address(shop: Path) -> None:
    assert choose_source(Opening(str(shop))).kind == "sql"
    assert open_source(shop, query="goods").name == "sql:shop"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (None, "Name a table or a query with --query; tables are: goods, log"),
        ("orders", "The database cannot be read: orders"),
        ("SELECT colour FROM goods", "The database cannot be read: no such column: colour"),
        ("DELETE FROM goods", "does not begin with SELECT"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(shop: Path, query: str | None, sentence: str) -> None:
    with pytest.raises(InvalidSource, match=sentence) as refusal:
        open_source(f"sqlite:///{shop}", query=query)
    assert "\n" not in str(refusal.value)


def test_a_database_that_is_not_there_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(InvalidSource, match="There is no sqlite database"):
        open_source(f"sqlite:///{tmp_path}/none.db")
    assert list(tmp_path.iterdir()) == []


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidSource, match="ETALAGE_SOURCE_PASSWORD") as refusal:
        open_source("sqlite://user:secret@localhost/shop", kind="sql")
    assert "secret" not in str(refusal.value)


def test_a_query_is_asked_of_nothing_but_a_database() -> None:
    with pytest.raises(InvalidSource, match="sample is none"):
        open_source("sample", query="SELECT 1")
