"""What cannot be asked, and the sentence that says so."""

import pytest

from catalog.errors import InvalidQuery
from search.query import Query, check

REFUSED = [
    (Query(), "is empty: give it a text, an image or both"),
    (Query(text=""), "text is empty"),
    (Query(text=" \n\t"), "text is empty"),
    (Query(image=b""), "image is empty"),
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
    (Query(image=b"x", legs=("lexical",)), "lexical leg needs words"),
]


@pytest.mark.parametrize(("query", "sentence"), REFUSED)
def test_a_query_that_cannot_be_asked_is_refused_with_one_sentence(query: Query, sentence: str):
    with pytest.raises(InvalidQuery, match=sentence.replace("(", r"\(")) as refused:
        check(query)
    assert str(refused.value).endswith(".") and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "query",
    [Query(text="x" * 2_000), Query(text="!!!"), Query(text="红", k=200), Query(image=b"x", text_weight=0)],
)
def test_odd_but_sound_queries_are_asked(query: Query):
    check(query)


def test_the_kind_of_a_query_is_what_it_brings():
    assert Query(text="red").kind() == "text"
    assert Query(image=b"x").kind() == "image"
    assert Query(text="red", image=b"x").kind() == "text+image"
