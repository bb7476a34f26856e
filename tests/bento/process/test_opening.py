"""A release is opened with a cache of its own, or with none where the setting says so."""

import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from httpx import Response
from starlette.testclient import TestClient

import bento.process.opening
from bento.app import create_app
from bento.errors import PRIVATE_SENTENCE
from bento.process.opening import ReleaseOpener
from bento.settings import ServiceSettings
from catalog.errors import NotReady, TamperedRelease
from search.contents import sealed
from search.engine import Query, SearchEngine
from search.logic import SearchLogic
from search.memory import MemoryCollection
from search.milvus.store import MilvusStore
from search.query_cache import CachedEncoder, Lookup
from search.reading import Reading, read_ahead
from search.release import read_manifest, write_manifest
from tests.bento.tiny_encoder import write_tiny_encoder
from tests.bento.world import catalogue, make_manifest, make_rows


def write_release(folder: Path, release: str) -> Path:
    encoder = write_tiny_encoder(folder / "encoder")
    SearchLogic().save(folder / "ranking")
    write_manifest(sealed(make_manifest(release, encoder.fingerprint), folder), folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release whose collection is in memory."""

    @contextmanager
    def collection(release: str, encoder: str, begun: None) -> Iterator[Any]:
        yield lambda: MemoryCollection(make_rows(catalogue(), opened), name=f"products_{release}", release=release)

    made = write_release(tmp_path / "r1", "r1")
    opened = bento.process.opening.Encoder.load(made / "encoder", threads=1)
    monkeypatch.setattr(bento.process.opening, "_collection_of", collection)
    return made


def vector(engine: SearchEngine) -> bytes:
    return np.asarray(engine.encoder.encode_text(["red dress"])).tobytes()


def test_every_opening_has_a_cache_of_its_own_that_names_its_release(folder: Path, tmp_path: Path):
    told: list[Lookup] = []
    old = ReleaseOpener(folder, told.append)()
    again = ReleaseOpener(write_release(tmp_path / "r2", "r2"), told.append)()
    assert vector(old) == vector(old) == vector(again)
    assert [(lookup.release, lookup.hit) for lookup in told] == [("r1", False), ("r1", True), ("r2", False)]


def test_the_setting_bounds_the_cache_or_switches_it_off_and_hits_stay_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    answers = []
    for most in ("3", "0"):
        monkeypatch.setenv("ETALAGE_SERVICE_QUERY_CACHE", most)
        engine = ReleaseOpener(folder)()
        assert isinstance(engine.encoder, CachedEncoder) == (most == "3")
        answers += [engine.search(Query(text=text)).hits for text in ("red dress", "blue", "red dress")]
        if isinstance(engine.encoder, CachedEncoder):
            assert engine.encoder.most == 3
    assert answers[:3] == answers[3:]
    assert read_manifest(folder).release == "r1"


def test_a_tampered_release_is_refused_before_anything_of_it_is_parsed(folder: Path, monkeypatch: pytest.MonkeyPatch):
    graph = folder / "encoder" / "text.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(bento.process.opening.Encoder, "load", lambda *_: pytest.fail("the changed encoder was loaded"))
    with pytest.raises(TamperedRelease, match=r"encoder/text\.onnx was changed"):
        ReleaseOpener(folder)()


def test_a_service_whose_release_was_changed_is_not_ready_and_opens_when_it_is_restored(folder: Path):
    ranking = folder / "ranking" / "ranking.json"
    whole = ranking.read_bytes()
    ranking.write_bytes(whole + b" ")
    opener = ReleaseOpener(folder)
    app = create_app(opener, release=opener.release, settings=ServiceSettings(retry_seconds=0.05))
    with TestClient(app) as client:
        refused = wait_for(client, lambda: client.get("/readyz").json()["error"] == PRIVATE_SENTENCE)
        assert refused.status_code == 503 and "ranking.json" not in refused.text
        ranking.write_bytes(whole)
        assert wait_for(client, lambda: client.get("/readyz").status_code == 200).json()["release"] == "r1"


OPENED = """
    import sys
    from pathlib import Path
    import bento.service, bento.process.worker
    from bento.process.opening import ReleaseOpener
    from search.engine import Query
    engine = ReleaseOpener(Path(sys.argv[1]))()
    print(*[hit.id for hit in engine.search(Query(text="red dress")).hits])
    print(*{name.partition(".")[0] for name in sys.modules})
"""


def test_with_an_embedded_store_the_service_answers_and_never_imports_what_only_reading_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    release = write_release(tmp_path / "r1", "r1")
    encoder = bento.process.opening.Encoder.load(release / "encoder", threads=1)
    rows = make_rows(catalogue(), encoder)
    MilvusStore(str(tmp_path / "store.db")).write(rows, "r1")
    monkeypatch.setenv("ETALAGE_MILVUS_URI", str(tmp_path / "store.db"))
    code = [sys.executable, "-c", textwrap.dedent(OPENED), str(release)]
    hits, modules = subprocess.run(code, capture_output=True, text=True, check=True).stdout.splitlines()
    plain = SearchLogic().engine(encoder, MemoryCollection(rows, name="products_r1", release="r1"))
    assert hits.split() == [hit.id for hit in plain.search(Query(text="red dress")).hits]
    assert not {"pymilvus", "pandas", "grpc", "milvus_lite", "faiss", "torch", "ftfy"} & set(modules.split())
    assert "onnxruntime" in modules.split()


def test_a_reading_that_began_before_is_taken_once_and_one_of_another_release_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    release = write_release(tmp_path / "r1", "r1")
    rows = make_rows(catalogue(), bento.process.opening.Encoder.load(release / "encoder", threads=1))
    monkeypatch.setenv("ETALAGE_MILVUS_URI", str(tmp_path / "store.db"))
    assert read_ahead(release) is None  # no store to read
    MilvusStore(str(tmp_path / "store.db")).write(rows, "r1")
    assert read_ahead(tmp_path) is None  # no release
    began = list[str]()
    monkeypatch.setattr(bento.process.opening, "Reading", lambda *asked: began.append(asked[1]) or Reading(*asked))
    opener = ReleaseOpener(release)
    opener.begun = own = read_ahead(release)
    assert own is not None and opener().collection.count() == len(rows) and began == []
    assert opener.begun is None and opener().collection.count() == len(rows) and began == ["r1"]
    opener.begun = other = Reading(str(tmp_path / "store.db"), "r2", "other", 0.0)
    assert opener().collection.count() == len(rows) and began == ["r1", "r1"]
    assert other._process.returncode is not None


def test_a_store_that_is_not_there_is_told_and_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    release = write_release(tmp_path / "r1", "r1")
    monkeypatch.setenv("ETALAGE_MILVUS_URI", str(tmp_path / "store.db"))
    with pytest.raises(NotReady, match="There is no Milvus store at"):
        ReleaseOpener(release)()
    assert not (tmp_path / "store.db").exists()


def wait_for(client: TestClient, reached: Callable[[], bool]) -> Response:
    """The answer of /readyz once `reached`."""
    until = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.02)
    return client.get("/readyz")
