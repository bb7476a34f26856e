"""What cannot be asked, and the sentence that says so."""

import pytest

from catalog.errors import InvalidQuery
from search.query import Query, WeightedTerm, check

REFUSED = [
    (Query(), "is empty: give it a text, an image or both"),
    (Query(text=""), "text is empty"),
    (Query(text=" \n\t"), "text is empty"),
    (Query(images=(b"",)), "image is empty"),
    (Query(images=(b"x", b"")), "image is empty"),
    (Query(images=(b"x",) * 9), "at most 8 images, and this one has 9"),
    (Query(text="red", terms=(WeightedTerm("wool"),) * 17), "at most 16 terms, and this one has 17"),
    (Query(text="red", terms=(WeightedTerm(" "),)), "term is empty"),
    (Query(text="red", terms=(WeightedTerm("a\ud83d"),)), "term holds half a character"),
    (Query(text="red", terms=(WeightedTerm("x" * 2_001),)), "term has 2,001 characters"),
    (Query(text="red", terms=(WeightedTerm("x" * 1_500),) * 2), "more than 2,000 characters together"),
    (Query(text="red", terms=(WeightedTerm("wool", 0),)), "weight of a term must be a number from -2 to 2, and not 0"),
    (Query(text="red", terms=(WeightedTerm("wool", 2.5),)), "weight of a term must be"),
    (Query(text="red", terms=(WeightedTerm("wool", float("nan")),)), "weight of a term must be"),
    (Query(text="red", terms=(WeightedTerm("wool", True),)), "weight of a term must be"),
    (Query(terms=(WeightedTerm("black", -0.5),)), "only what is not wanted"),
    (Query(text="x" * 2_001), "has 2,001 characters; the limit is 2,000"),
    (Query(text="a\ud83d"), "half a character"),
    (Query(text="red", k=0), "'k' must be a whole number from 1 to 200"),
    (Query(text="red", k=-1), "'k' must be"),
    (Query(text="red", k=10**9), "'k' must be"),
    (Query(text="red", k=True), "'k' must be"),
    (Query(text="red", k=2.5), "'k' must be"),  # type: ignore[arg-type]
    (Query(text="red", text_weight=1.5), "'text_weight' must be"),
    (Query(text="red", text_weight=float("nan")), "'text_weight' must be"),
    (Query(text="red", legs=()), "the list is empty"),
    (Query(text="red", legs=("smell",)), "there is no leg 'smell'"),
    (Query(text="red", legs=("dense", "dense")), "one leg twice"),
    (Query(images=(b"x",), legs=("lexical",)), "lexical leg needs words"),
    (Query(images=(b"x",), terms=(WeightedTerm("red", -1.0),), legs=("lexical",)), "lexical leg needs words"),
]


@pytest.mark.parametrize(("query", "sentence"), REFUSED)
def test_a_query_that_cannot_be_asked_is_refused_with_one_sentence(query: Query, sentence: str):
    with pytest.raises(InvalidQuery, match=sentence.replace("(", r"\(")) as refused:
        check(query)
    assert str(refused.value).endswith(".") and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "query",
    [
        Query(text="x" * 2_000),
        Query(text="!!!"),
        Query(text="红", k=200),
        Query(images=(b"x",), text_weight=0),
        Query(images=(b"x",) * 8, terms=(WeightedTerm("black", -2.0),)),
        Query(terms=(WeightedTerm("wool", 2.0), WeightedTerm("black", -0.1))),
    ],
)
def test_odd_but_sound_queries_are_asked(query: Query):
    check(query)


def test_the_kind_of_a_query_is_what_it_brings():
    assert Query(text="red").kind() == "text"
    assert Query(images=(b"x",)).kind() == "image"
    assert Query(text="red", images=(b"x",)).kind() == "text+image"
    assert Query(images=(b"x",), terms=(WeightedTerm("black", -1.0),)).kind() == "text+image"
    assert Query(terms=(WeightedTerm("wool"),)).kind() == "text"


def test_the_words_of_a_query_are_its_text_and_the_terms_that_pull():
    terms = (WeightedTerm("wool", 1.5), WeightedTerm("black", -1.0), WeightedTerm("soft"))
    assert Query(text="red", terms=terms).words() == "red wool soft"
    assert Query(images=(b"x",), terms=terms[1:2]).words() is None
