"""A release is opened with a cache of its own, or with none where the setting says so."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bento.opening
from bento.opening import ReleaseOpener
from search.engine import Query, SearchEngine
from search.logic import SearchLogic
from search.memory import MemoryCollection
from search.query_cache import CachedEncoder, Lookup
from search.release import read_manifest, write_manifest
from tests.bento.tiny_encoder import write_tiny_encoder
from tests.bento.world import catalogue, make_manifest, make_rows


def write_release(folder: Path, release: str) -> Path:
    encoder = write_tiny_encoder(folder / "encoder")
    SearchLogic().save(folder / "ranking")
    write_manifest(make_manifest(release, encoder.fingerprint), folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release whose collection is in memory."""

    def collection(release: str, encoder: str) -> Any:
        return MemoryCollection(make_rows(catalogue(), opened), name=f"products_{release}", release=release)

    made = write_release(tmp_path / "r1", "r1")
    opened = bento.opening.Encoder.load(made / "encoder", threads=1)
    monkeypatch.setattr(bento.opening, "_open_collection", collection)
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
