"""The attributes leg: soft, the category first, and silent about products that tell nothing."""

from dataclasses import replace

import numpy as np
import pytest

from catalog.errors import EncoderMismatch, InvalidQuery
from catalog.words.terms import TermIndex
from search.attributes import values_by_field, wish_of
from search.engine import Query, SearchEngine
from search.memory import MemoryCollection
from search.query import Answer
from search.ranking import Ranking
from search.rows import build_rows
from tests.search.understanding.shops import TERMS, SenseEncoder, reader_of, shop, vocabulary_of
from tests.search.worlds import WordEncoder, embeddings_of

VALUES = values_by_field(vocabulary_of().facets)


def engine(ranking: Ranking | None = None) -> SearchEngine:
    encoder = SenseEncoder()
    rows = build_rows(shop(), embeddings_of(shop(), encoder), TermIndex(TERMS))
    collection = MemoryCollection(rows, name="products_r1", release="r1")
    return SearchEngine(encoder, collection, ranking or Ranking(), reader=reader_of())


def score(query: str, *tags: str) -> float | None:
    wish = wish_of(reader_of().read(query).mentions, VALUES)
    assert wish is not None
    return wish.score(tags)


def shown(answer: Answer) -> list[tuple[str, str]]:
    return [
        ((hit.product["category"] or ["-"])[-1], hit.product["attributes"].get("colour", "-")) for hit in answer.hits
    ]


def test_a_category_weighs_more_than_all_the_rest_together():
    # category 1 + 2 others = weight 3, colour and gender 1 each
    wanted = "red dress for women"
    assert score(wanted, "category=dresses", "colour=red", "gender=women") == 1.0
    assert score(wanted, "category=dresses", "colour=black", "gender=men") == pytest.approx(3 / 5)
    assert score(wanted, "category=shirts", "colour=red", "gender=women") == pytest.approx(2 / 5)


def test_what_a_product_does_not_tell_fits_by_half_and_one_that_tells_nothing_is_not_scored():
    assert score("red dress", "category=dresses") == pytest.approx((2 + 0.5) / 3)
    assert score("red dress", "brand=acme") is None


def test_what_is_refused_fits_where_it_is_not():
    assert score("dress not red", "category=dresses", "colour=red") == pytest.approx(2 / 3)
    assert score("dress not red", "category=dresses", "colour=black") == 1.0


def test_products_with_all_that_was_said_come_first_in_words_no_table_has():
    answer = engine().search(Query(text="黑色羊毛衫女", k=3))
    assert {(c, v) for c, v in shown(answer)[:1]} == {("Sweaters", "Black")}
    assert answer.understood is not None
    assert answer.hits[0].legs["attributes"].score == 1.0


def test_what_is_not_wanted_is_not_among_the_first():
    answer = engine().search(Query(text="sports shoes not black", k=5))
    assert all(kind == "Sports Shoes" and colour != "Black" for kind, colour in shown(answer))


def test_it_never_cuts():
    answer = engine().search(Query(text="black dress", k=60))
    assert len(answer.hits) == 60


def test_a_product_without_attributes_is_judged_by_its_other_legs():
    first = engine().search(Query(text="Acme Men Red Handbags 40", k=60))
    bare = next(hit for hit in first.hits if not hit.product["attributes"])
    assert bare.legs["attributes"].score is None


def test_prices_in_words_filter_unless_the_caller_filters_or_switches_it_off():
    asked = engine()
    within = asked.search(Query(text="dress under 200", k=60))
    assert max(hit.product["price"] for hit in within.hits) <= 200
    own = asked.search(Query(text="dress under 200", filters={"price": {"gte": 300}}, k=60))
    assert min(hit.product["price"] for hit in own.hits) >= 300
    plain = asked.search(Query(text="dress under 200", understand=False, k=60))
    assert plain.understood is None
    assert max(hit.product["price"] for hit in plain.hits) > 200


def test_without_understanding_the_answer_is_that_of_an_engine_without_a_reader():
    reading = engine()
    plain = SearchEngine(reading.encoder, reading.collection, reading.ranking)
    for text in ("black dress", "黑色羊毛衫女", "not red", "under 50"):
        one, other = reading.search(Query(text=text, understand=False)), plain.search(Query(text=text))
        assert [(hit.id, hit.score) for hit in one.hits] == [(hit.id, hit.score) for hit in other.hits]


def test_the_leg_can_be_asked_alone_and_needs_a_text_that_is_read():
    answer = engine().search(Query(text="red dress", legs=("attributes",), k=5))
    assert all(set(hit.legs) == {"attributes"} for hit in answer.hits)
    assert answer.hits[0].legs["attributes"].score == 1.0
    with pytest.raises(InvalidQuery, match="understood"):
        engine().search(Query(text="red", legs=("attributes",), understand=False))


@pytest.mark.parametrize("text", ["not black", "under 50", "without", "除了", "500以下", "不要"])
def test_a_query_that_only_refuses_or_only_limits_is_answered(text: str):
    assert len(engine().search(Query(text=text, k=5)).hits) == 5


def test_a_vocabulary_of_another_encoder_is_refused():
    encoder = WordEncoder()
    rows = build_rows(shop(), embeddings_of(shop(), encoder), TermIndex(TERMS))
    with pytest.raises(EncoderMismatch, match="vocabulary"):
        SearchEngine(encoder, MemoryCollection(rows, name="c", release="r"), Ranking(), reader=reader_of())


@pytest.mark.parametrize("fusion", ["weighted", "rrf", "vote", "naive_bayes"])
def test_every_fusion_takes_the_leg(fusion: str):
    ranking = Ranking(fusion=fusion)  # type: ignore[arg-type]
    answer = engine(ranking).search(Query(text="红色连衣裙", k=2))
    assert np.isfinite([hit.score for hit in answer.hits]).all()
    assert shown(answer)[0] == ("Dresses", "Red")


def test_where_attributes_are_hidden_the_leg_is_silent():
    encoder = SenseEncoder()
    bare = [replace(product, attributes={}, category=()) for product in shop()]
    rows = build_rows(bare, embeddings_of(bare, encoder), TermIndex([]))
    collection = MemoryCollection(rows, name="products_r1", release="r1")
    answer = SearchEngine(encoder, collection, Ranking(), reader=reader_of()).search(Query(text="red dress", k=10))
    assert answer.hits
    assert all(hit.legs["attributes"].score is None for hit in answer.hits)
