"""The search logic of a release, as the folder that travels with it."""

from pathlib import Path

import numpy as np
import pytest

from catalog.errors import EncoderMismatch, NotReady
from models.composer import LearnedComposer, shapes
from search.engine import Query
from search.logic import SearchLogic
from search.memory import MemoryCollection
from search.ranking import Ranking
from tests.search.understanding.shops import vocabulary_of
from tests.search.worlds import D, OtherEncoder, WordEncoder, rows_of

WORDED = Query(text="blue", images=(b"red dress",), legs=("image",), k=3)


def shut(encoder: str = WordEncoder.fingerprint) -> LearnedComposer:
    """A composer that keeps nothing of the photo: it answers with the words alone."""
    weights = {name: np.zeros(shape, dtype=np.float32) for name, shape in shapes(D, 2).items()}
    weights["gate.second.bias"] -= 100
    weights["scale"] += 1
    return LearnedComposer(encoder, weights)


def collection() -> MemoryCollection:
    return MemoryCollection(rows_of(), name="products_r1", release="r1")


def test_the_folder_brings_ranking_and_composer_back_and_the_engine_answers_by_them(tmp_path: Path) -> None:
    SearchLogic(Ranking(candidates=7), shut()).save(tmp_path)
    logic = SearchLogic.load(tmp_path)
    assert logic.ranking.candidates == 7
    engine, words_alone = logic.engine(WordEncoder(), collection()), Query(text="blue", legs=("image",), k=3)
    assert [hit.id for hit in engine.search(WORDED).hits] == [hit.id for hit in engine.search(words_alone).hits]
    summed = SearchLogic(Ranking(candidates=7)).engine(WordEncoder(), collection())
    assert engine.search(WORDED).hits != summed.search(WORDED).hits


def test_a_folder_without_its_composer_is_not_ready(tmp_path: Path) -> None:
    SearchLogic().save(tmp_path)
    (tmp_path / "composer" / "composer.json").unlink()
    with pytest.raises(NotReady, match=r"composer\.json is missing"):
        SearchLogic.load(tmp_path)


def test_a_composer_that_learned_from_another_encoder_is_refused() -> None:
    with pytest.raises(EncoderMismatch, match="composer was trained on encoder oooo"):
        SearchLogic(Ranking(), shut(OtherEncoder.fingerprint)).engine(WordEncoder(), collection())


def test_a_logic_without_a_vocabulary_leaves_none_of_before_in_the_folder(tmp_path: Path) -> None:
    SearchLogic(Ranking(), vocabulary=vocabulary_of()).save(tmp_path)
    assert SearchLogic.load(tmp_path).vocabulary is not None
    SearchLogic().save(tmp_path)
    assert SearchLogic.load(tmp_path).vocabulary is None
