"""What is said beside a photo to have one thing otherwise."""

import random
import re

import pytest

from catalog.products import CATEGORY, Term
from catalog.words.changes import JUDGE, TRAIN, change_phrases
from catalog.words.terms import TermIndex

TERMS = TermIndex(
    [
        Term("colour", "Red", "zh", "红色"),
        Term("gender", "Women", "zh", "女士"),
        Term(CATEGORY, "Dresses", "zh", "连衣裙"),
        Term("fabric", "Silk", "zh", "真丝"),
    ]
)


def said(field: str, value: str, language: str, style: str = "train", count: int = 40) -> tuple[str, ...]:
    return change_phrases(field, value, TERMS, language, random.Random(1), count, style)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value", "language", "phrases"),
    [
        ("colour", "Red", "en", {"red", "in red", "same but red"}),
        ("colour", "Red", "zh", {"红色", "换成红色", "红色的"}),
        ("gender", "Women", "en", {"for women", "same but for women"}),
        ("gender", "Women", "zh", {"女士", "换成女士"}),
        (CATEGORY, "Dresses", "en", {"as dress", "dress like this"}),
        (CATEGORY, "Dresses", "zh", {"连衣裙", "换成连衣裙"}),
        ("fabric", "Silk", "en", {"silk", "same but silk"}),
        ("fabric", "Silk", "zh", {"真丝", "换成真丝"}),
    ],
)
def test_a_facet_of_any_role_is_asked_for_in_both_languages(
    field: str, value: str, language: str, phrases: set[str]
) -> None:
    assert phrases <= set(said(field, value, language))


def test_as_many_different_phrases_as_asked_for_and_the_same_for_the_same_seed() -> None:
    five = said("colour", "Red", "en", count=5)
    assert len(five) == len(set(five)) == 5
    assert said("colour", "Red", "en", count=5) == five


def test_every_phrase_says_the_value_and_leaves_no_slot_open() -> None:
    for style in ("train", "judge"):
        for phrase in said("gender", "Women", "en", style):
            assert re.search("wom[ae]n|ladies|female", phrase) and "{" not in phrase
        assert all("红" in phrase for phrase in said("colour", "Red", "zh", style))


def test_training_and_judging_share_nothing_but_the_bare_name() -> None:
    for language in ("en", "zh"):
        assert all(template.startswith("{") for template in set(TRAIN[language]) & set(JUDGE[language]))
        common = set(said("colour", "Red", language)) & set(said("colour", "Red", language, "judge"))
        assert common == {TERMS.names("colour", "Red", language)[0]}


def test_a_value_without_a_name_is_not_asked_for() -> None:
    assert said("year", "2011", "en") == ()
    assert said("colour", "Zorp", "zh") == ()
