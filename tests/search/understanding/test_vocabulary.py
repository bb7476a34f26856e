"""What a reader knows: made, kept, read back; and how confident neighbours may be."""

from pathlib import Path

import numpy as np
import pytest

from catalog.errors import NotReady
from search.understanding.calibration import fit, kin
from search.understanding.learning import background
from search.understanding.neighbours import Neighbours
from search.understanding.vocabulary import DOCUMENT, Vocabulary
from tests.search.understanding.shops import SENSES, SenseEncoder, vocabulary_of


def test_a_saved_vocabulary_is_read_back_the_same(tmp_path: Path):
    vocabulary_of().save(tmp_path)
    again = Vocabulary.load(tmp_path)
    for name in ("encoder", "facets", "counts", "names", "plain_names", "calibration", "known_words", "currencies"):
        assert getattr(again, name) == getattr(vocabulary_of(), name)
    assert np.array_equal(again.vectors, vocabulary_of().vectors)
    assert np.array_equal(again.looks, vocabulary_of().looks)


def test_a_vocabulary_that_is_missing_or_of_another_format_is_not_ready(tmp_path: Path):
    with pytest.raises(NotReady):
        Vocabulary.load(tmp_path)
    vocabulary_of().save(tmp_path)
    (tmp_path / DOCUMENT).write_text('{"format": 0}', encoding="utf-8")
    with pytest.raises(NotReady, match="format"):
        Vocabulary.load(tmp_path)


def test_the_background_holds_no_name():
    names = {name.lower() for name, _ in vocabulary_of().names}
    assert not any(name in word.split() or word == name for word in background(vocabulary_of()) for name in names)


def test_words_near_a_name_are_likelier_than_words_of_the_background():
    neighbours, encoder = Neighbours(vocabulary_of()), SenseEncoder()
    meant = neighbours.probabilities(encoder.encode_text(list(SENSES))).sum(axis=1)
    nothing = neighbours.probabilities(encoder.encode_text(background(vocabulary_of())[:50])).sum(axis=1)
    assert meant.min() > 0.5 > nothing.mean()
    assert (meant <= 1.0).all()


def test_names_that_hold_one_another_are_kin():
    related = kin(["running shoes", "shoe", "毛线衣", "毛衣", "线衣"], [0, 2])
    assert related.tolist() == [[True, True, False, False, False], [False, False, True, False, True]]


def test_the_fit_finds_the_weights_that_made_the_examples():
    """Values are drawn from the logit with weights 3 and 0 and "nothing" at 1: the fit gives those back."""
    rng = np.random.default_rng(5)
    features = rng.normal(size=(6000, 4, 2))
    scores = np.concatenate([features @ np.array([3.0, 0.0]), np.full((6000, 1), 1.0)], axis=1)
    chosen = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
    first, second, nothing = fit(features, np.where(chosen == 4, -1, chosen), np.ones(6000))
    assert (first, second, nothing) == pytest.approx((3.0, 0.0, 1.0), abs=0.15)
