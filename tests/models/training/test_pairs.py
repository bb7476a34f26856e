"""Training texts are a function of seed and round, and a text is true of exactly the products it describes."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.products import Product, Term
from catalog.words.phrases import Phrase
from catalog.words.terms import TermIndex
from models.training.pairs import TrainingTexts, TruthTable, thinned
from models.training.params import TrainParams
from tests.models.tiny_towers import TERMS, tiny_shop

SHOP = tiny_shop(24)
INDEX = TermIndex(TERMS, SHOP)


def texts(**params: object) -> TrainingTexts:
    return TrainingTexts(SHOP, INDEX, TrainParams.model_validate({"rounds": 3, "phrases": 2, **params}))


def test_texts_come_back_every_round_and_change_with_the_seed():
    assert texts().of_round(1) == texts().of_round(1) == texts().of_round(4)
    assert texts().of_round(1) != texts().of_round(2)
    assert texts().of_round(1) != texts(seed=8).of_round(1)


def test_a_product_without_words_has_no_title_and_still_has_phrases():
    nameless = Product(id="x", group_id="x", title="", attributes={"colour": "Red"}, images=("m",))
    said = TrainingTexts([nameless], INDEX, TrainParams()).of_round(0)[0]
    assert said.title is None
    assert {phrase.facets for phrase in said.phrases} == {(("colour", "Red"),)}


def test_phrases_are_drawn_in_every_language_that_has_names():
    languages = {phrase.language for row in texts().of_round(0) for phrase in row.phrases}
    assert languages == {"en", "zh"}
    english = {phrase.language for row in texts(languages=("en",)).of_round(0) for phrase in row.phrases}
    assert english == {"en"}


@given(
    st.lists(st.sampled_from(["Red", "cotton", "Shirt", "for", "Men"]), max_size=8), st.floats(0, 0.99), st.integers()
)
def test_a_thinned_title_keeps_order_and_at_least_two_words(words, dropout, seed):
    kept = thinned(" ".join(words), dropout, random.Random(seed)).lower().split()
    assert len(kept) >= min(2, len(words))
    left = iter(word.lower() for word in words)
    assert all(word in left for word in kept)  # a subsequence


def test_every_text_is_true_of_the_product_it_was_made_from():
    said, truth = texts(), TruthTable(SHOP, INDEX, ("en", "zh"))
    rows = np.arange(len(SHOP))
    for number, row in enumerate(said.of_round(0)):
        assert truth.of_phrases(row.phrases, rows)[:, number].all()
        assert truth.of_titles(rows[number : number + 1], rows)[0, number]


def test_phrase_truth_equals_a_naive_loop_over_facets():
    truth = TruthTable(SHOP, INDEX, ("en", "zh"))
    rows = np.array([3, 1, 20, 6])
    phrases = [phrase for row in texts().of_round(2) for phrase in row.phrases]
    expected = [[set(phrase.facets) <= set(SHOP[row].facets().items()) for row in rows] for phrase in phrases]
    assert truth.of_phrases(phrases, rows).tolist() == expected
    assert 0 < np.mean(expected) < 1


def test_titles_that_differ_in_case_and_spaces_are_one_and_empty_ones_are_never_the_same():
    shop = [
        Product(id=str(n), group_id=str(n), title=title) for n, title in enumerate(("Red  Shirt", "red shirt", "", ""))
    ]
    rows = np.arange(4)
    same = TruthTable(shop, TermIndex([]), ()).of_titles(rows, rows)
    assert same.tolist() == [[True, True, False, False], [True, True, False, False], [False, False, True, False],
                             [False, False, False, True]]  # fmt: skip


def test_values_that_share_a_name_in_a_language_are_one_value_there():
    shop = [Product(id=kind, group_id=kind, title=kind, category=(kind,)) for kind in ("Trousers", "Slacks", "Shirts")]
    terms = [Term("category", "Trousers", "zh", "长裤"), Term("category", "Slacks", "zh", "长裤"),
             Term("category", "Shirts", "zh", "衬衫")]  # fmt: skip
    truth = TruthTable(shop, TermIndex(terms, shop), ("en", "zh"))
    asked = (("category", "Slacks"),)
    rows = np.arange(3)
    assert truth.of_phrases([Phrase("长裤", "zh", asked)], rows).tolist() == [[True, True, False]]
    assert truth.of_phrases([Phrase("slacks", "en", asked)], rows).tolist() == [[False, True, False]]


def test_a_product_with_some_of_the_facets_counts_by_their_share_if_it_is_of_the_right_category():
    known = (
        ("Dress", "Red", "Women"),
        ("Dress", "Blue", "Women"),
        ("Dress", "Blue", "Girls"),
        ("Shirt", "Red", "Women"),
    )
    shop = [
        Product(id=str(n), group_id=str(n), title="", category=(kind,), attributes={"colour": colour, "gender": who})
        for n, (kind, colour, who) in enumerate(known)
    ]
    truth, rows = TruthTable(shop, TermIndex([]), ("en",)), np.arange(4)
    facets = (("category", "Dress"), ("colour", "Red"), ("gender", "Women"))
    phrases = [Phrase("red dress for women", "en", facets), Phrase("dress", "en", facets[:1]),
               Phrase("something red for women", "en", facets[1:])]  # fmt: skip
    grades = truth.grades_of_phrases(phrases, rows, partial=0.3)
    assert grades[0].tolist() == pytest.approx([1, 0.3 * 2 / 3, 0.3 * 1 / 3, 0])
    assert grades[1].tolist() == [1, 1, 1, 0]  # nothing of "dress" holds in part
    assert grades[2].tolist() == pytest.approx([1, 0.3 * 1 / 2, 0, 1])  # without a category the shares decide


def test_grades_of_1_are_the_truth():
    truth, rows = TruthTable(SHOP, INDEX, ("en", "zh")), np.arange(len(SHOP))
    phrases = [phrase for row in texts().of_round(0) for phrase in row.phrases]
    grades = truth.grades_of_phrases(phrases, rows, partial=0.5)
    assert ((grades == 1) == truth.of_phrases(phrases, rows)).all()
    assert (truth.grades_of_phrases(phrases, rows, partial=0.0) == truth.of_phrases(phrases, rows)).all()
    assert ((grades > 0) & (grades < 1)).any()
