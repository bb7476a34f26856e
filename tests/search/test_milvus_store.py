"""The store: releases written once, promises about encoders and aliases, kill -9, and a lock that is handed back."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.errors import EncoderMismatch, EtalageError, NotReady, ReleaseNotFound
from search.collection import Collection
from search.engine import Query, SearchEngine
from search.filters import EVERYTHING, parse_filters
from search.memory import MemoryCollection
from search.milvus.session import embedded
from search.milvus.store import MilvusStore
from search.query import WeightedTerm
from search.ranking import Ranking
from search.settings import IndexChoice, SearchSettings
from tests.search.worlds import WordEncoder, catalogue, many_rows, rows_of, store_path

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path) -> MilvusStore:
    return MilvusStore(store_path(tmp_path), wait_s=20.0)


def python(program: str, *arguments: str) -> "subprocess.Popen[str]":
    """A program in a process of its own, with this project importable."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_what_was_written_is_what_is_read(store: MilvusStore):
    assert store.write(rows_of(), "r-1") == "products_r_1"
    rows = store.rows("r-1")
    assert rows.digest == rows_of().digest
    assert (rows.encoder, rows.snapshot) == (WordEncoder.fingerprint, "5" * 12)


def test_writing_a_finished_release_again_leaves_it_alone_and_other_rows_replace_it(store: MilvusStore):
    store.write(rows_of(), "r1")
    written = (Path(store.uri) / "collections").stat().st_mtime_ns
    store.write(rows_of(), "r1")
    assert (Path(store.uri) / "collections").stat().st_mtime_ns == written
    store.write(rows_of(catalogue()[:4]), "r1")
    assert [(each.release, each.products) for each in store.releases()] == [("r1", 4)]


def test_the_champion_neither_changes_nor_disappears(store: MilvusStore):
    store.write(rows_of(), "r1")
    store.point_alias("r1")
    with pytest.raises(EtalageError, match="a release never changes"):
        store.write(rows_of(catalogue()[:4]), "r1")
    with pytest.raises(EtalageError, match="promote another one before"):
        store.drop("r1")
    store.write(rows_of(), "r1")  # the same rows are no change
    assert store.open().count() == 12


def test_the_alias_moves_and_a_retired_release_can_go(store: MilvusStore):
    assert store.champion() is None
    with pytest.raises(ReleaseNotFound, match="No release"):
        store.open()
    store.write(rows_of(), "r1")
    store.write(rows_of(catalogue()[:4]), "r2")
    for release, count in (("r1", 12), ("r1", 12), ("r2", 4)):
        store.point_alias(release)
        assert (store.champion(), store.open().count()) == (release, count)
    assert [(each.release, each.champion) for each in store.releases()] == [("r1", False), ("r2", True)]
    store.drop("r1")
    store.drop("r1")
    assert not store.has_release("r1") and store.has_release("r2")
    with pytest.raises(ReleaseNotFound, match="Release r1 has no collection"):
        store.point_alias("r1")
    assert store.champion() == "r2"


def test_a_copy_in_process_stays_its_release_through_promotion_and_the_next_opening_is_the_new_one(store: MilvusStore):
    old, new = many_rows(300, seed=1), many_rows(400, seed=2)
    store.write(old, "r1")
    store.point_alias("r1")
    serving = store.open("r1", WordEncoder.fingerprint)
    query = WordEncoder().encode_text(["red silk dress"])[0]

    def everything(collection: Collection) -> list[object]:
        narrow = parse_filters({"colour": "red", "price": {"lt": 50}}, collection.fields)
        found = [collection.search("dense", query, 500, each) for each in (EVERYTHING, narrow)]
        return [*found, collection.search("lexical", "red silk", 500), collection.products([found[0][0][0]])]

    before = everything(serving)
    store.write(new, "r2")
    store.point_alias("r2")
    store.drop("r1")
    assert everything(serving) == before == everything(MemoryCollection(old, name="c", release="r1"))
    opened = store.open()
    assert (opened.release, opened.count()) == ("r2", 400)
    assert everything(opened) == everything(MemoryCollection(new, name="c", release="r2")) != before


def test_more_rows_than_a_page_are_read_whole(store: MilvusStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("search.milvus.rows._READ_AT_ONCE", 64)
    store.write(many_rows(300), "r1")
    assert store.rows("r1").digest == many_rows(300).digest


def test_no_encoder_opens_a_collection_that_another_one_built(store: MilvusStore):
    store.write(rows_of(), "r1")
    with pytest.raises(EncoderMismatch, match="built by encoder wwwwwwwwwwwwwwww, and encoder oooooooooooooooo"):
        store.open("r1", "o" * 16)
    assert store.open("r1", WordEncoder.fingerprint).count() == 12


def test_two_release_ids_that_share_a_collection_name_are_told_apart(store: MilvusStore):
    store.write(rows_of(), "r-1")
    assert store.has_release("r-1") and not store.has_release("r_1")


def test_nothing_to_write_is_refused(store: MilvusStore):
    with pytest.raises(NotReady, match="not one product"):
        store.write(rows_of([]), "r1")


def test_a_product_that_does_not_find_itself_stops_the_release(store: MilvusStore):
    rows = rows_of()
    broken = replace(rows, vectors={**rows.vectors, "image": rows.vectors["image"] * 0.0})
    with pytest.raises(NotReady, match="does not find itself by its image vector"):
        store.write(broken, "r1")
    assert not store.has_release("r1")


KILLED = """
    import os, signal, sys
    from pymilvus import MilvusClient
    from search.milvus.store import MilvusStore
    from tests.search.worlds import many_rows

    insert, calls = MilvusClient.insert, []

    def dying(self, *arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return insert(self, *arguments, **options)

    MilvusClient.insert = dying
    MilvusStore(sys.argv[1]).write(many_rows(1100), "r1")
"""


def test_a_fill_that_was_killed_is_never_answered_from_and_the_next_run_ends_right(store: MilvusStore):
    assert python(KILLED, store.uri).wait(60) == -signal.SIGKILL
    assert not store.has_release("r1")
    for refused in (store.open, store.point_alias):
        with pytest.raises(NotReady, match="never finished: build the release again"):
            refused("r1")
    assert [each.products for each in store.releases()] == [None]
    store.write(many_rows(1100), "r1")
    assert store.rows("r1").digest == many_rows(1100).digest


def test_an_open_collection_holds_no_lock_so_another_process_opens_it_too(store: MilvusStore):
    store.write(rows_of(), "r1")
    mine = store.open("r1")
    other = python(
        """
        import sys
        from search.milvus.store import MilvusStore
        print(MilvusStore(sys.argv[1], wait_s=0.0).open("r1").count())
        """,
        store.uri,
    )
    assert other.communicate(timeout=60)[0].split() == ["12"]
    assert mine.count() == 12


HOLDING = """
    import sys, time
    from pathlib import Path
    from search.milvus.session import embedded
    with embedded(Path(sys.argv[1]), 10.0):
        print("held", flush=True)
        time.sleep(float(sys.argv[2]))
"""


def test_a_store_in_other_hands_is_waited_for_and_not_for_ever(store: MilvusStore):
    other = python(HOLDING, store.uri, "2.5")
    assert other.stdout is not None and other.stdout.readline() == "held\n"
    impatient = MilvusStore(store.uri, wait_s=0.3)
    started = time.monotonic()
    with pytest.raises(NotReady, match=r"in use by another process, and was not free within 0\.3 seconds"):
        impatient.champion()
    assert time.monotonic() - started < 2.0
    assert store.champion() is None  # this one waits longer
    assert other.wait(20) == 0


def test_threads_of_one_process_take_turns(store: MilvusStore):
    store.write(rows_of(), "r1")
    seen: list[int] = []
    threads = [threading.Thread(target=lambda: seen.append(store.open("r1").count())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert seen == [12] * 4


def test_a_folder_that_is_no_store_is_refused_with_a_sentence(tmp_path: Path):
    (tmp_path / "file.db").write_text("not a folder")
    for path, sentence in (("file.db", "cannot be opened"), ("store", "must end in .db")):
        with pytest.raises(NotReady, match=sentence), embedded(tmp_path / path, 0.1):
            pass


@pytest.mark.parametrize("index", ["HNSW", "AUTOINDEX"])
def test_approximate_indexes_find_the_same_in_a_small_catalogue(tmp_path: Path, index: IndexChoice):
    store = MilvusStore(store_path(tmp_path), index=index)
    store.write(rows_of(), "r1")
    vector = WordEncoder().encode_text(["red dress"])[0]
    exact = MemoryCollection(rows_of(), name="c", release="r1").search("dense", vector, 5)
    with store.asked("r1") as collection:
        found = collection.search("dense", vector, 5)
    assert [product_id for product_id, _ in found] == [product_id for product_id, _ in exact]


# The same over the network.


def test_a_server_answers_the_engine_as_the_embedded_store_does(server: str, store: MilvusStore):
    remote = MilvusStore(server)
    answers = []
    for each in (store, remote):
        each.write(rows_of(), "engine-1")
        engine = SearchEngine(WordEncoder(), each.open("engine-1", WordEncoder.fingerprint), Ranking())
        queries = [Query(text="red summer dress"), Query(images=(b"blue shirt",))]
        queries.append(Query(text="red", images=(b"blue dress",), terms=(WeightedTerm("silk"),)))
        answers.append([engine.search(query) for query in queries] + [engine.similar("d1", filters={"colour": "red"})])
        assert isinstance(engine.collection, MemoryCollection) == (each is store)
    remote.drop("engine-1")
    remote.close()
    for embedded_answer, server_answer in zip(*answers, strict=True):
        assert [hit.id for hit in embedded_answer.hits] == [hit.id for hit in server_answer.hits]
        assert [hit.score for hit in embedded_answer.hits] == pytest.approx(
            [hit.score for hit in server_answer.hits], abs=1e-4
        )
        assert [hit.product for hit in embedded_answer.hits] == [hit.product for hit in server_answer.hits]


def test_readers_of_the_alias_see_one_release_or_the_other_and_never_a_mixture(server: str):
    writer = MilvusStore(server)
    for release, products in (("flip-a", catalogue()[:6]), ("flip-b", catalogue()[6:])):
        writer.write(rows_of(products), release)
    writer.point_alias("flip-a")
    wholes = [set(rows_of(part).ids) for part in (catalogue()[:6], catalogue()[6:])]
    vector, done = WordEncoder().encode_text(["red dress"])[0], threading.Event()

    def read() -> list[int]:
        """Which of `wholes` each answer was; ValueError for a mixture."""
        reader, seen = MilvusStore(server), []
        with reader.asked() as collection:
            collection.name = "products"  # ask the alias itself
            while not done.is_set():
                found = {product_id for product_id, _ in collection.search("dense", vector, 100)}
                seen.append(wholes.index(found))
        reader.close()
        return seen

    with ThreadPoolExecutor(2) as readers:
        reading = [readers.submit(read) for _ in range(2)]
        for flip in range(60):
            writer.point_alias("flip-b" if flip % 2 == 0 else "flip-a")
            time.sleep(0.01)
        done.set()
        seen = [release for each in reading for release in each.result(20)]
    assert set(seen) == {0, 1} and len(seen) > 20
    assert writer.champion() == "flip-a"
    writer.close()


def test_a_server_that_is_not_there_is_a_sentence():
    store = MilvusStore("http://127.0.0.1:9", timeout_s=0.5)
    with pytest.raises(NotReady, match=r"Milvus at http://127\.0\.0\.1:9 did not"):
        store.champion()


def test_the_environment_says_where_the_store_is(monkeypatch: pytest.MonkeyPatch):
    for name in ("HOME", "MILVUS_URI", "MILVUS_TOKEN"):
        monkeypatch.delenv(f"ETALAGE_{name}", raising=False)
    assert MilvusStore.from_settings(SearchSettings()).uri == ".etalage/milvus/etalage.db"
    monkeypatch.setenv("ETALAGE_HOME", "/elsewhere")
    assert SearchSettings().uri == "/elsewhere/milvus/etalage.db"
    monkeypatch.setenv("ETALAGE_MILVUS_URI", "http://milvus:19530")
    monkeypatch.setenv("ETALAGE_MILVUS_TOKEN", "user:secret")
    assert MilvusStore.from_settings(SearchSettings()).kind == "server"
    assert "secret" not in repr(SearchSettings())
