"""A collection that changes under its readers: no product is ever missing, and who looks in between is told."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import EncoderMismatch, NotReady, UnknownProduct
from search.collection import Freshness, Scored, Vector
from search.engine import Query, SearchEngine
from search.filters import EVERYTHING, Filter
from search.memory import MemoryCollection
from search.milvus.store import MilvusStore
from search.ranking import Ranking
from search.reading import Reading
from search.rows import Rows
from tests.search.worlds import WordEncoder, catalogue, many_rows, rows_of, store_path

ENCODER = WordEncoder.fingerprint


@pytest.fixture(params=["embedded", pytest.param("server", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MilvusStore]:
    """A store that holds the release r1 of the small catalogue."""
    store = MilvusStore(request.getfixturevalue("server") if request.param == "server" else store_path(tmp_path))
    store.drop("r1")
    store.write(rows_of(), "r1")
    yield store
    store.close()


def later() -> Rows:
    """d1 and s1 at no price and out of stock, and a product that is new; of another snapshot."""
    some = [replace(product, price=None, stock=0) for product in catalogue() if product.id in ("d1", "s1")]
    new = replace(catalogue()[0], id="new", attributes={"colour": "Red", "hem": "short"})
    return replace(rows_of([*some, new]), snapshot="6" * 12)


def test_changed_rows_are_what_is_read_and_the_properties_say_so(store: MilvusStore):
    changed = later()
    with store.changing("r1", ENCODER) as change:
        change.begin(1, changed.fields)
        assert list(change.put(changed)) == [3]
        change.remove(["y", "nobody"])
        change.finish(1, "6" * 12, "digest", 12, changed.fields, changed)
    assert store.held("r1").freshness == Freshness(1, 0)
    assert (store.held("r1").snapshot, store.held("r1").digest, store.held("r1").products) == ("6" * 12, "digest", 12)
    rows = store.rows("r1")
    assert "y" not in rows.ids and rows.snapshot == "6" * 12 and rows.freshness == Freshness(1, 0)
    kept = rows_of([product for product in catalogue() if product.id not in ("d1", "s1", "y")])
    for product_id, row in rows.position.items():
        wanted = changed if product_id in changed.position else kept
        at = wanted.position[product_id]
        assert (rows.payloads[row], rows.words[row]) == (wanted.payloads[at], wanted.words[at])
        for name, vectors in wanted.vectors.items():
            np.testing.assert_array_equal(rows.vectors[name][row], vectors[at])


def test_a_change_that_was_begun_can_be_read_and_says_that_it_has_not_ended(store: MilvusStore):
    with store.changing("r1", ENCODER) as change:
        change.begin(4, later().fields)
        list(change.put(later()))
    assert store.held("r1").freshness == Freshness(0, 4)
    assert len(store.rows("r1")) == 13  # one more than the count that the collection still carries
    assert store.open("r1", ENCODER).freshness == Freshness(0, 4)
    assert "hem" in store.open("r1", ENCODER).fields.facets
    if store.kind == "embedded":
        with Reading(store.uri, "r1", ENCODER, 5.0) as reading:
            assert reading.collection().freshness == Freshness(0, 4)


def test_what_is_not_stored_as_it_was_written_is_not_called_done(store: MilvusStore):
    changed = later()
    with store.changing("r1", ENCODER) as change:
        change.begin(1, changed.fields)
        with pytest.raises(NotReady, match=r"does not hold what was written"):
            change.finish(1, "6" * 12, "digest", 12, changed.fields, changed)
        list(change.put(changed))
        with pytest.raises(NotReady, match=r"holds 13 of 12 products"):
            change.finish(1, "6" * 12, "digest", 12, changed.fields, changed)
    assert store.held("r1").freshness == Freshness(0, 1)


def test_another_encoder_changes_nothing(store: MilvusStore):
    with pytest.raises(EncoderMismatch), store.changing("r1", "o" * 16):
        pytest.fail("it was let in")


@pytest.mark.slow
def test_readers_over_the_network_see_every_product_old_or_new_while_all_are_upserted(server: str):
    rows = many_rows(600)
    store = MilvusStore(server)
    store.drop("r-read")
    store.write(rows, "r-read")
    asked, seen, failed = list(rows.ids[:50]), set(), []
    stop = threading.Event()

    def read() -> None:
        collection = MilvusStore(server).open("r-read")
        while not stop.is_set():
            try:
                seen.add(frozenset(product["price"] for product in collection.products(asked)))
            except UnknownProduct as error:
                failed.append(str(error))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with store.changing("r-read", ENCODER) as change:
            for price in (1000.0, None, 2000.0, 3000.0):
                list(change.put(replace(rows, payloads=tuple({**each, "price": price} for each in rows.payloads))))
    finally:
        stop.set()
        reader.join(60)
        store.close()
    assert failed == []
    assert len(seen) > 1  # it looked while they changed


class Vanishing(MemoryCollection):
    """Deletes d1 after it was found for the first time."""

    gone = False

    def search(self, leg: str, query: Vector | str, limit: int, narrow: Filter = EVERYTHING) -> Scored:
        found = super().search(leg, query, limit, narrow)
        return [(key, score) for key, score in found if key != "d1" or not self.gone]

    def products(self, ids: list[str]) -> list[dict[str, object]]:  # type: ignore[override]
        if "d1" in ids and not self.gone:
            self.gone = True
            raise UnknownProduct("There is no product 'd1' in r1.")
        return super().products(ids)


def test_a_search_whose_hit_is_deleted_before_it_is_shown_asks_again():
    engine = SearchEngine(WordEncoder(), Vanishing(rows_of(), name="c", release="r1"), Ranking())
    hits = [hit.id for hit in engine.search(Query(text="red summer dress", k=5)).hits]
    assert engine.collection.gone and len(hits) == 5 and "d1" not in hits  # type: ignore[attr-defined]
