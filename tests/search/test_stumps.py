"""What a kill leaves of a collection of Milvus Lite that never came to be, and that another one can be made there."""

from pathlib import Path

import pytest

from catalog.errors import NotReady
from search.milvus.store import MilvusStore
from search.stumps import clear_stumps, stumps
from tests.search.worlds import rows_of


def test_a_stump_is_in_the_way_until_it_is_cleared_and_collections_stay(tmp_path: Path):
    store, rows = MilvusStore(str(tmp_path / "etalage.db")), rows_of()
    store.write(rows, "r1")
    stump = tmp_path / "etalage.db" / "collections" / "products_r2"
    stump.mkdir()
    (stump / "schema.json.tmp").write_text("{")
    assert stumps(store.uri) == [stump]
    with pytest.raises(NotReady, match="File exists"):  # Milvus Lite: should it mend that itself, this can go
        store.write(rows, "r2")

    clear_stumps(store.uri)

    assert stumps(store.uri) == []
    store.write(rows, "r2")
    assert [store.rows(release).digest for release in ("r1", "r2")] == [rows.digest, rows.digest]


def test_a_server_and_a_store_that_is_not_there_have_none(tmp_path: Path):
    assert stumps("http://127.0.0.1:19530") == [] == stumps(str(tmp_path / "etalage.db"))
