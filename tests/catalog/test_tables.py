"""What is written is what is read, the bytes depend on nothing else, and a foreign file is refused."""

from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import tables
from catalog.errors import InvalidSnapshot
from catalog.products import Interaction, Judgement, Product, Quarantined, Term

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LISTS = st.lists(WORDS, max_size=3).map(tuple)
MAYBE = st.none() | WORDS
PRODUCTS = st.builds(
    Product,
    id=WORDS,
    group_id=WORDS,
    title=WORDS,
    description=WORDS,
    brand=MAYBE,
    category=LISTS,
    attributes=st.dictionaries(WORDS, WORDS, max_size=4).map(MappingProxyType),
    price=st.none() | st.floats(0, 1e9),
    currency=MAYBE,
    language=MAYBE,
    stock=st.none() | st.integers(0, 10**9),
    rating=st.none() | st.floats(0, 5),
    updated_at=MAYBE,
    images=LISTS,
    audio=LISTS,
    videos=LISTS,
    reviews=LISTS,
)


@settings(max_examples=40, deadline=None)
@given(products=st.lists(PRODUCTS, max_size=5))
def test_products_come_back_as_they_were(products: list[Product], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("tables") / "products.parquet"
    tables.write_products(products, path)
    assert tables.read_products(path) == products


def test_the_side_tables_come_back_as_they_were(tmp_path: Path) -> None:
    rows = {
        "terms": [Term("colour", "Red", "zh", "红色")],
        "judgements": [Judgement("red dress", "1", 2, "en"), Judgement("红裙", "1", 0)],
        "interactions": [Interaction("u", "1", "view", "2026-01-01T00:00:00+00:00")],
        "quarantine": [Quarantined(3, "", "no_id", "The row has no id.")],
    }
    for name, written in rows.items():
        path = tmp_path / f"{name}.parquet"
        getattr(tables, f"write_{name}")(written, path)
        assert getattr(tables, f"read_{name}")(path) == written


def test_a_missing_side_table_is_empty_and_missing_products_are_an_error(tmp_path: Path) -> None:
    assert tables.read_terms(tmp_path / "none.parquet") == []
    assert tables.read_judgements(tmp_path / "none.parquet") == []
    with pytest.raises(InvalidSnapshot, match="ingest"):
        tables.read_products(tmp_path / "none.parquet")


def test_the_same_products_give_the_same_bytes(tmp_path: Path) -> None:
    products = [Product(str(n), "g", f"title {n}", attributes={"colour": "Red", "size": "M"}) for n in range(50)]
    for name in ("one", "two"):
        tables.write_products(products, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_foreign_file_is_refused_with_its_name_and_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "products.parquet").write_bytes(b"no parquet")
    with pytest.raises(InvalidSnapshot, match=r"products\.parquet"):
        tables.read_products(tmp_path / "products.parquet")
    pq.write_table(pa.table({"id": ["1"], "title": ["x"]}), tmp_path / "products.parquet")
    with pytest.raises(InvalidSnapshot, match="group_id"):
        tables.read_products(tmp_path / "products.parquet")
