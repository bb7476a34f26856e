"""An embedded store that another process reads for the one that serves: the same rows, the same refusals, no rest."""

import io
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import EncoderMismatch, EtalageError, NotReady, ReleaseNotFound
from models.embeddings import FIELDS
from search.handover import read_rows, write_rows
from search.matching import METRICS
from search.milvus.lite import read_release
from search.milvus.store import MilvusStore
from search.reading import Reading
from search.rows import Rows
from search.stored import COUNT
from tests.search.test_milvus_store import HOLDING
from tests.search.worlds import WordEncoder, many_rows, rows_of, store_path

E = WordEncoder.fingerprint


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MilvusStore:
    """A store with more rows than are read at once in `many`, and a few in `few`."""
    made = MilvusStore(store_path(tmp_path_factory.mktemp("store")))
    made.write(many_rows(1100), "many")
    made.write(rows_of(), "few")
    return made


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files of this test; it is empty in the end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def same(one: Rows, other: Rows) -> None:
    assert (one.ids, one.payloads, one.words) == (other.ids, other.payloads, other.words)
    assert (one.encoder, one.snapshot, one.metric) == (other.encoder, other.snapshot, other.metric)
    for field in FIELDS:
        for mine, its in ((one.vectors[field], other.vectors[field]), (one.present[field], other.present[field])):
            assert mine.dtype == its.dtype and mine.shape == its.shape and mine.tobytes() == its.tobytes()
    assert one.digest == other.digest


@pytest.mark.parametrize("release", ["many", "few"])
def test_what_is_read_apart_is_what_the_store_gives_to_the_last_bit(store: MilvusStore, temporary: Path, release: str):
    with Reading(store.uri, release, E, 5.0) as reading:
        collection = reading.collection()
    same(collection.rows, store.rows(release))
    plain = store.open(release, E)
    assert (collection.name, collection.release) == (plain.name, plain.release)


def test_a_file_that_is_no_rows_is_refused_in_one_sentence():
    whole = io.BytesIO()
    write_rows(whole, rows_of())
    half = io.BytesIO()
    np.savez(half, about=np.zeros(1, dtype=np.uint8))
    for content in (b"", whole.getvalue()[:-900], half.getvalue()):
        with pytest.raises(NotReady, match=r"\.$"):
            read_rows(io.BytesIO(content))
    whole.seek(0)
    same(read_rows(whole), rows_of())


@pytest.mark.parametrize(
    ("release", "encoder", "kind"), [("r9", E, ReleaseNotFound), ("few", "other", EncoderMismatch)]
)
def test_what_the_store_refuses_is_refused_apart_in_the_same_words(
    store: MilvusStore, temporary: Path, release: str, encoder: str, kind: type[EtalageError]
):
    with pytest.raises(kind) as plain:
        store.open(release, encoder)
    with Reading(store.uri, release, encoder, 5.0) as reading, pytest.raises(kind) as apart:
        reading.collection()
    assert type(apart.value) is type(plain.value) is kind
    assert str(apart.value) == str(plain.value)


def test_a_collection_that_was_never_finished_or_lost_rows_is_refused_in_the_same_words(
    tmp_path: Path, temporary: Path
):
    store = MilvusStore(store_path(tmp_path))
    name = store.write(rows_of(), "r1")
    for counted, words in (("13", "gave 12 of 13 products"), (None, "was never finished")):
        with store._session() as client:
            if counted is None:
                client.drop_collection_properties(name, [COUNT])
            else:
                client.alter_collection_properties(name, {COUNT: counted})
        with pytest.raises(NotReady, match=words) as plain:
            store.open("r1", E)
        with Reading(store.uri, "r1", E, 5.0) as reading, pytest.raises(NotReady, match=re.escape(str(plain.value))):
            reading.collection()


def test_a_store_in_other_hands_is_waited_for_apart_and_not_for_ever(store: MilvusStore, temporary: Path):
    code = [sys.executable, "-c", textwrap.dedent(HOLDING), store.uri, "60"]
    with subprocess.Popen(code, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None and holder.stdout.readline() == "held\n"
            with Reading(store.uri, "few", E, 0.2) as reading, pytest.raises(NotReady, match=r"within 0\.2 seconds"):
                reading.collection()
            with Reading(store.uri, "few", E, 60.0) as reading:
                holder.kill()
                assert reading.collection().count() == 12
        finally:
            holder.kill()


def test_a_path_that_is_none_and_a_store_that_is_broken_are_refused(store: MilvusStore, tmp_path: Path):
    with pytest.raises(NotReady, match=r"must end in \.db"):
        read_release(tmp_path / "store", "few", E, 0.0)
    broken = Path(store_path(tmp_path))
    MilvusStore(str(broken)).write(rows_of(), "few")
    (data,) = broken.rglob("data_*.parquet")
    data.write_bytes(data.read_bytes()[:100])
    with Reading(str(broken), "few", E, 5.0) as reading, pytest.raises(NotReady, match=r"cannot be read: .*\.$"):
        reading.collection()


def test_a_reader_that_was_killed_is_told_in_one_sentence_and_the_next_one_reads(store: MilvusStore, temporary: Path):
    with Reading(store.uri, "many", E, 5.0) as reading:
        os.kill(reading._process.pid, signal.SIGKILL)
        with pytest.raises(NotReady, match=r"^The process that reads the store was ended by signal 9\.$"):
            reading.collection()
    with Reading(store.uri, "many", E, 5.0) as reading:
        assert reading.collection().count() == 1100


def test_a_reader_that_is_stuck_is_given_up_and_ended(store: MilvusStore, temporary: Path):
    with Reading(store.uri, "few", E, 60.0) as reading:
        os.kill(reading._process.pid, signal.SIGSTOP)
        with pytest.raises(NotReady, match=r"was not done within 0\.1 seconds"):
            reading.collection(longest=0.1)
    assert reading._process.returncode == -signal.SIGKILL


def test_a_reader_that_crashes_is_told_with_its_code(
    store: MilvusStore, temporary: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")  # no Python starts there
    with Reading(store.uri, "few", E, 5.0) as reading, pytest.raises(NotReady, match="ended with code 1"):
        reading.collection()


def test_a_reader_whose_service_is_gone_leaves_nothing_and_ends(store: MilvusStore, temporary: Path):
    code = f"""
        import os, signal
        from search.reading import Reading
        reading = Reading({store.uri!r}, "many", {E!r}, 5.0)
        print(reading._process.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    told = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True, check=False)
    assert told.returncode == -signal.SIGKILL
    until = time.monotonic() + 60
    while Path(f"/proc/{int(told.stdout)}").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    assert store.open("few", E).count() == 12  # nobody holds it


def test_no_metric_is_lost_on_the_way():
    for metric in METRICS:
        file = io.BytesIO()
        write_rows(file, replace(rows_of(), metric=metric))
        file.seek(0)
        assert read_rows(file).metric == metric
