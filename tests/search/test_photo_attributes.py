"""Photos and terms in the attributes leg: what the photo shows, and words that replace it."""

from dataclasses import replace

import pytest

from catalog.errors import InvalidQuery
from catalog.words.terms import TermIndex
from search.engine import Answer, Query, SearchEngine
from search.memory import MemoryCollection
from search.mentions import of_photos, of_terms
from search.query import WeightedTerm
from search.ranking import Ranking
from search.rows import build_rows
from search.understanding.understood import Meaning, Mention
from tests.search.test_attributes import engine
from tests.search.understanding.shops import SenseEncoder, reader_of, shop
from tests.search.worlds import embeddings_of

PHOTO = Query(images=(b"Acme Men Black Shirts",), k=4)
SURE = Ranking.model_validate(
    {
        "weights": {
            **Ranking().weights,
            "image": {"dense": 0.4, "attributes": 0.6},
            "text+image": {"dense": 0.4, "attributes": 0.6},
        }
    }
)


def told(answer: Answer) -> list[tuple[str, str, str]]:
    """What the hits tell of themselves; a tenth of the shop tells nothing, and other legs alone judge it."""
    products = [hit.product for hit in answer.hits if hit.product["attributes"]]
    return [(p["category"][-1], p["attributes"]["colour"], p["attributes"]["gender"]) for p in products]


def read(answer: Answer) -> dict[str, tuple[str, str]]:
    assert answer.understood is not None
    return {m.field: (m.meanings[0].value, m.how) for m in answer.understood.mentions}


def test_a_photo_alone_finds_what_is_of_its_category_colour_and_gender():
    answer = engine(SURE).search(replace(PHOTO, k=2))
    assert told(answer) == [("Shirts", "Black", "Men")] * 2
    assert read(answer) == {
        "category": ("Shirts", "photo"),
        "colour": ("Black", "photo"),
        "gender": ("Men", "photo"),
    }


@pytest.mark.parametrize("words", ["in red", "换成红色"])
def test_words_beside_a_photo_replace_what_it_shows_in_their_field(words: str):
    answer = engine(SURE).search(replace(PHOTO, text=words))
    assert told(answer)[0] == ("Shirts", "Red", "Men")
    assert read(answer) == {
        "colour": ("Red", "name"),
        "category": ("Shirts", "photo"),
        "gender": ("Men", "photo"),
    }


def test_what_is_not_wanted_is_not_taken_from_the_photo_either():
    for asked in (replace(PHOTO, text="not black"), replace(PHOTO, terms=(WeightedTerm("black", -1.0),))):
        answer = engine(SURE).search(asked)
        assert all(kind == "Shirts" and colour != "Black" for kind, colour, _ in told(answer))
        assert told(answer)


def test_a_term_that_pulls_is_wanted():
    answer = engine(SURE).search(replace(PHOTO, terms=(WeightedTerm("red", 1.0),), k=2))
    assert told(answer) == [("Shirts", "Red", "Men")] * 2


def test_it_never_cuts_and_a_product_without_attributes_is_judged_by_its_other_legs():
    answer = engine(SURE).search(replace(PHOTO, text="in red", k=60))
    assert len(answer.hits) == 60
    assert {hit.legs["attributes"].score is None for hit in answer.hits if not hit.product["attributes"]} == {True}


def test_the_product_that_a_query_is_without_has_no_vote():
    products = shop()
    only = next(p for p in products if p.category and p.category[-1] == "Shirts")
    others = [p for p in products if p.attributes and p.category[-1] == "Handbags"]
    encoder = SenseEncoder()
    rows = build_rows([only, *others], embeddings_of([only, *others], encoder), TermIndex([]))
    asked = SearchEngine(encoder, MemoryCollection(rows, name="c", release="r"), SURE, reader=reader_of())
    photo = Query(images=(only.images[0].encode(),))
    assert read(asked.search(photo))["category"] == ("Shirts", "photo")
    assert read(asked.search(replace(photo, without=only.id)))["category"] == ("Handbags", "photo")


def test_a_photo_taken_as_it_is_shows_nothing():
    asked = engine(SURE)
    answer = asked.search(replace(PHOTO, understand=False))
    assert answer.understood is None
    dense = asked.search(replace(PHOTO, legs=("dense",)))
    assert [hit.id for hit in answer.hits] == [hit.id for hit in dense.hits]
    with pytest.raises(InvalidQuery, match="understood"):
        asked.search(replace(PHOTO, legs=("attributes",), understand=False))


def test_the_leg_can_be_asked_alone_with_a_photo():
    answer = engine().search(replace(PHOTO, legs=("attributes",)))
    assert all(set(hit.legs) == {"attributes"} for hit in answer.hits)
    assert answer.hits[0].legs["attributes"].score == 1.0


def test_terms_are_as_sure_as_they_are_heavy():
    red, black = of_terms(reader_of(), (WeightedTerm("red", 2.0), WeightedTerm("black", -0.25)))
    assert (red.meanings[0].confidence, red.negated) == (1.0, False)
    assert (black.meanings[0].confidence, black.negated) == (0.25, True)


def test_photos_speak_where_nothing_is_said():
    said = (Mention("red", 0, 3, "name", (Meaning("colour", "Red", 1.0),)),)
    shown = {"colour": (("Black", 0.9),), "gender": (("Men", 0.8), ("Women", 0.2))}
    assert of_photos(shown, said) == (
        Mention("", 0, 0, "photo", (Meaning("gender", "Men", 0.8), Meaning("gender", "Women", 0.2))),
    )
