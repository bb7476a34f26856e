"""Phrases say what they claim to say, sound natural, and the two styles do not share their templates."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.products import Term
from catalog.words.phrases import JUDGE, TRAIN, attribute_phrases, phrase_of, sayable
from catalog.words.terms import TermIndex

FACETS = {"category": "Dresses", "colour": "Red", "gender": "Women", "usage": "Casual"}
TERMS = TermIndex(
    [
        Term("category", "Dresses", "zh", "连衣裙"),
        Term("colour", "Red", "zh", "红色"),
        Term("colour", "Maroon", "zh", "酒红色"),
        Term("gender", "Women", "zh", "女士"),
        Term("usage", "Casual", "zh", "休闲"),
    ]
)


def drawn(facets: dict[str, str], language: str, style: str, count: int = 400, seed: int = 1) -> set[str]:
    rng = random.Random(seed)
    phrases = (phrase_of(facets, TERMS, language, rng, style) for _ in range(count))  # type: ignore[arg-type]
    return {phrase.text for phrase in phrases if phrase}


def test_the_phrases_of_the_design_are_among_those_drawn() -> None:
    three = {"category": "Dresses", "colour": "Red", "gender": "Women"}
    assert {"red dress for women", "women's red dress"} <= drawn(three, "en", "train", 3000)
    assert {"红色女士连衣裙", "女士红色连衣裙"} <= drawn(three, "zh", "train", 3000)


def test_training_phrases_are_many_and_judging_phrases_few() -> None:
    for language in ("en", "zh"):
        assert len(drawn(FACETS, language, "train")) > 150
        assert 1 < len(drawn(FACETS, language, "judge")) <= len(JUDGE[language])


def test_the_styles_share_no_template_and_no_phrase_of_four_facets() -> None:
    for language in ("en", "zh"):
        assert not set(TRAIN[language]) & set(JUDGE[language])
        assert not drawn(FACETS, language, "train", 3000) & drawn(FACETS, language, "judge")


def test_judging_phrases_use_the_shops_own_words_alone() -> None:
    for text in drawn(FACETS, "zh", "judge"):
        assert sorted(text) == sorted("女士休闲红色连衣裙")
    for text in drawn(FACETS, "en", "judge"):
        words = set(text.split())
        assert {"casual", "red", "dress"} <= words
        assert words <= {"casual", "red", "dress", "for", "in", "women", "women's"}


def test_training_phrases_use_other_words_for_the_same_thing() -> None:
    text = " ".join(drawn(FACETS, "en", "train"))
    assert all(word in text for word in ("ladies", "scarlet", "everyday", "frock"))
    text = " ".join(drawn(FACETS, "zh", "train"))
    assert all(word in text for word in ("女款", "大红色", "日常", "裙子"))


def test_another_word_is_never_the_name_of_another_value_in_the_shop() -> None:
    assert "wine red" in sayable({"colour": "Maroon"}, TERMS, "en")["colour"]
    assert "酒红色" in sayable({"colour": "Maroon"}, TermIndex([]), "zh")["colour"]
    burgundy = TermIndex([Term("colour", "Maroon", "zh", "栗色"), Term("colour", "Burgundy", "zh", "酒红色")])
    assert "酒红色" not in sayable({"colour": "Maroon"}, burgundy, "zh")["colour"]


def test_a_phrase_names_the_facets_it_says_and_no_more() -> None:
    for seed in range(300):
        for language in ("en", "zh"):
            phrase = attribute_phrases(FACETS, TERMS, language, random.Random(seed), "judge")
            assert phrase is not None and phrase.language == language
            assert set(phrase.facets) <= set(FACETS.items())
            assert {value for _, value in TERMS.values_named(phrase.text)} == {value for _, value in phrase.facets}


def test_one_to_four_facets_are_said_and_mostly_the_category() -> None:
    phrases = [attribute_phrases(FACETS, TERMS, "en", random.Random(seed)) for seed in range(500)]
    counts = {len(phrase.facets) for phrase in phrases if phrase}
    assert counts == {1, 2, 3, 4}
    assert sum("category" in dict(phrase.facets) for phrase in phrases if phrase) > 400
    assert all(
        len(phrase.facets) <= 2 for seed in range(100)
        if (phrase := attribute_phrases(FACETS, TERMS, "en", random.Random(seed), most=2))
    )  # fmt: skip


def test_unknown_facets_are_said_as_they_are() -> None:
    facets = {"category": "Lamps", "neckline": "Round Neck", "wattage": "Low Energy"}
    phrase = phrase_of(facets, TermIndex([]), "en", random.Random(1), "judge")
    assert phrase is not None and phrase.text == "round neck low energy lamp"


def test_a_phrase_without_a_category_still_asks_for_something() -> None:
    assert drawn({"colour": "Red"}, "en", "judge") <= {"product in red", "red product"}
    assert drawn({"colour": "Red"}, "zh", "judge") == {"红色商品"}


def test_groups_that_are_no_people_are_said_as_adjectives() -> None:
    for text in drawn({"category": "Bags", "gender": "Unisex"}, "en", "judge"):
        assert text == "unisex bag"


def test_what_cannot_be_said_is_left_out_or_refused() -> None:
    facets = {"year": "2011", "fit": "a very long sentence about how it fits", "colour": "Green"}
    assert set(sayable(facets, TERMS, "en")) == {"colour"}
    assert sayable({"neckline": "Round"}, TERMS, "zh") == {}
    assert attribute_phrases({"year": "2011"}, TERMS, "en", random.Random(1)) is None
    assert attribute_phrases({}, TERMS, "en", random.Random(1)) is None
    assert phrase_of({"colour": "Red", "year": "2011"}, TERMS, "en", random.Random(1)) is None
    with pytest.raises(ValueError, match="fr"):
        attribute_phrases(FACETS, TERMS, "fr", random.Random(1))


def test_the_same_seed_gives_the_same_phrases() -> None:
    one, two = (
        [attribute_phrases(FACETS, TERMS, "zh", rng) for _ in range(50)] for rng in (random.Random(5), random.Random(5))
    )
    assert one == two


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=200, deadline=None)
@given(
    facets=st.dictionaries(st.sampled_from(["category", "colour", "gender", "size", "x y"]), WORDS, max_size=5),
    language=st.sampled_from(["en", "zh"]),
    style=st.sampled_from(["train", "judge"]),
    seed=st.integers(0, 1000),
)
def test_any_facets_give_a_tidy_phrase_or_none(facets: dict[str, str], language: str, style: str, seed: int) -> None:
    phrase = attribute_phrases(facets, TERMS, language, random.Random(seed), style)  # type: ignore[arg-type]
    if phrase is None:
        assert not sayable(facets, TERMS, language, style)  # type: ignore[arg-type]
    else:
        assert phrase.text and not re.search(r"^\s|\s$|\s\s", phrase.text)
        assert phrase.facets and set(phrase.facets) <= set(facets.items())
