"""Pictures that lie near every text, and what they lose for it."""

from pathlib import Path

import numpy as np
import pytest

from catalog.errors import EncoderMismatch, NotReady
from search.engine import Query, SearchEngine
from search.hubness import ABOUT, BANK, TEMPERATURE, Hubs
from search.logic import SearchLogic
from search.memory import MemoryCollection
from search.ranking import Ranking
from tests.search.worlds import D, OtherEncoder, WordEncoder, rows_of

WORDS = ["red dress", "blue shirt", "black shoes", "green bag"]
TO_PICTURES = Query(text="red dress", legs=("image",), k=5)


def units(rows: int, seed: int, width: int = 8) -> np.ndarray:
    found = np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def bank(encoder: str = WordEncoder.fingerprint) -> Hubs:
    return Hubs(encoder, WordEncoder().encode_text(WORDS))


def engine(strength: float, hubs: Hubs | None) -> SearchEngine:
    collection = MemoryCollection(rows_of(), name="products_r1", release="r1")
    return SearchLogic(Ranking(hubness=strength), hubs=hubs).engine(WordEncoder(), collection)


def test_a_level_is_the_soft_maximum_over_the_bank_and_is_remembered() -> None:
    queries, pictures = units(50, 1), units(7, 2)
    hubs = Hubs("e", queries)
    expected = TEMPERATURE * np.log(np.exp(pictures.astype(np.float64) @ queries.T / TEMPERATURE).mean(axis=1))
    for _ in range(2):  # reckoned, then remembered
        np.testing.assert_allclose(hubs.levels(pictures), expected, atol=1e-6)
    np.testing.assert_allclose(hubs.levels(pictures[::-1]), expected[::-1], atol=1e-6)


def test_what_lies_near_every_query_gives_way_to_what_lies_near_this_one() -> None:
    asked, others = np.eye(4, dtype=np.float32)[0], np.eye(4, dtype=np.float32)[1:]
    hub = np.array([0.5, 0.5, 0.5, 0.5], dtype=np.float32)
    own = np.array([0.45, 0.0, 0.0, np.sqrt(1 - 0.45**2)], dtype=np.float32)
    hubs, vectors = Hubs("e", np.concatenate([others[:2], others[:2]])), np.stack([hub, own])
    scored = [("hub", float(hub @ asked)), ("own", float(own @ asked))]
    assert [each for each, _ in hubs.corrected(scored, vectors, 0.0)] == ["hub", "own"]
    assert [each for each, _ in hubs.corrected(scored, vectors, 0.5)] == ["own", "hub"]


def test_words_that_look_for_pictures_alone_are_answered_by_corrected_scores_and_other_queries_are_not() -> None:
    plain, corrected = engine(0.0, None), engine(0.75, bank())
    found = plain.retrieve(TO_PICTURES).candidates["image"]
    vectors = plain.collection.vectors([each for each, _ in found], "image")
    assert corrected.retrieve(TO_PICTURES).candidates["image"] == bank().corrected(found, vectors, 0.75) != found
    for other in (Query(text="red dress", k=5), Query(images=(b"red dress",), legs=("image",), k=5)):
        assert corrected.search(other).hits == plain.search(other).hits


def test_the_bank_travels_with_the_search_logic_where_it_is_used(tmp_path: Path) -> None:
    SearchLogic(Ranking(hubness=0.5), hubs=bank()).save(tmp_path)
    loaded = SearchLogic.load(tmp_path).hubs
    assert loaded is not None and loaded.encoder == WordEncoder.fingerprint
    np.testing.assert_allclose(loaded.levels(units(5, 3, D)), bank().levels(units(5, 3, D)), atol=1e-3)
    SearchLogic(Ranking(), hubs=bank()).save(tmp_path)
    assert SearchLogic.load(tmp_path).hubs is None


def test_a_bank_of_another_encoder_or_none_at_all_is_refused() -> None:
    with pytest.raises(EncoderMismatch, match="hubs were learned with encoder oooo"):
        engine(0.5, bank(OtherEncoder.fingerprint))
    with pytest.raises(NotReady, match="bank of queries is not there"):
        engine(0.5, None)


def test_a_folder_that_is_no_bank_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match=r"hubs\.json is missing"):
        Hubs.load(tmp_path)
    bank().save(tmp_path)
    (tmp_path / BANK).write_bytes(b"nothing")
    with pytest.raises(NotReady, match="does not hold plain arrays of numbers"):
        Hubs.load(tmp_path)
    bank().save(tmp_path)
    (tmp_path / ABOUT).write_text("{}")
    with pytest.raises(NotReady, match="holds no bank of queries"):
        Hubs.load(tmp_path)
