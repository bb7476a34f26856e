"""The engine: what a shop's customer sees."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from catalog.errors import EncoderMismatch, InvalidQuery, UnknownProduct
from catalog.products import Product
from models.composer import LearnedComposer, SumComposer
from models.decoding import decoding
from models.encoder_folder import Floats
from search.engine import Answer, Query, SearchEngine
from search.memory import MemoryCollection
from search.query import WeightedTerm
from search.query_vector import query_vector, see_photos
from search.ranking import Ranking
from tests.search.worlds import OtherEncoder, WordEncoder, catalogue, engine_of, many_rows, rows_of


def ids(answer: Answer) -> list[str]:
    return [hit.id for hit in answer.hits]


@pytest.mark.parametrize("product", [product for product in catalogue() if product.title], ids=lambda p: p.id)
def test_a_title_finds_its_product_first(product: Product):
    first = engine_of().search(Query(text=product.title)).hits[0]
    assert first.product["title"] == product.title


@pytest.mark.parametrize(
    "words", ["red dress", "RED  Dress", "dresses red", "红色连衣裙", "红色 dress", "ｒｅｄ dress"]
)
def test_english_chinese_and_mixed_words_find_the_red_dress(words: str):
    assert engine_of().search(Query(text=words, legs=("lexical",))).hits[0].id == "d1"


def test_a_photo_finds_the_product_that_looks_like_it():
    answer = engine_of().search(Query(images=(b"blue shirt",), k=3))
    assert answer.hits[0].id == "s2"
    assert set(answer.hits[0].legs) == {"dense", "image", "attributes"}  # of what looks like it, voted


def test_a_photo_and_words_meet_in_between():
    engine = engine_of()
    both = Query(images=(b"red dress",), text="blue", k=1)
    assert ids(engine.search(both)) == ["d2"]
    assert ids(engine.search(replace(both, legs=("image",), text_weight=0.0))) == ["d1"]
    assert ids(engine.search(replace(both, text="blue shirt", legs=("image",), text_weight=1.0))) == ["s2"]


def test_several_photos_meet_in_their_mean():
    engine = engine_of()
    both = Query(images=(b"red dress", b"blue dress"), legs=("image",), k=2)
    assert set(ids(engine.search(both))) == {"d1", "d2"}
    vectors = WordEncoder().encode_image(both.images)
    mean = (vectors[0] + vectors[1]) / np.linalg.norm(vectors[0] + vectors[1])
    assert query_vector(
        both, engine.encoder, SumComposer(), see_photos(both, engine.encoder, None).vector
    ) == pytest.approx(mean)
    assert ids(engine.search(replace(both, images=both.images[::-1]))) == ids(engine.search(both))


def test_terms_are_added_with_their_weights():
    engine = engine_of()
    query = Query(text="dress", terms=(WeightedTerm("red", 0.75), WeightedTerm("blue", -0.5)))
    dress, red, blue = engine.encoder.encode_text(["dress", "red", "blue"])
    sum_ = dress + 0.75 * red - 0.5 * blue
    assert query_vector(query, engine.encoder, SumComposer(), None) == pytest.approx(sum_ / np.linalg.norm(sum_))


def test_a_term_pulls_the_answer_towards_it_and_a_negative_one_pushes_it_away():
    query = Query(images=(b"red dress",), legs=("image",), k=12)

    def rank(product_id: str, *terms: WeightedTerm) -> int:
        return ids(engine_of().search(replace(query, terms=terms))).index(product_id)

    assert rank("d2", WeightedTerm("blue")) < rank("d2")
    assert rank("d1", WeightedTerm("red", -1.0)) > rank("d1") == 0
    assert rank("s1", WeightedTerm("red", -1.0)) > rank("s1")


def test_parts_that_cancel_each_other_out_are_refused():
    with pytest.raises(InvalidQuery, match="cancel each other out"):
        engine_of().search(Query(text="red", terms=(WeightedTerm("red", -1.0),), legs=("dense",)))


def test_a_product_that_the_query_is_without_is_not_answered():
    legs = ("dense", "image")  # in the attributes leg it would have a vote of what the photo shows
    whole = engine_of().search(Query(images=(b"red dress",), k=12, legs=legs))
    rest = engine_of().search(Query(images=(b"red dress",), k=12, legs=legs, without="d1"))
    assert ids(rest) == [product_id for product_id in ids(whole) if product_id != "d1"]


def test_a_product_with_only_a_picture_is_found_by_words_about_it():
    assert engine_of().search(Query(text="purple hat", k=1)).hits[0].id == "p1"


def test_a_product_without_a_picture_is_found_by_its_words():
    hit = engine_of().search(Query(text="yellow raincoat", k=1)).hits[0]
    assert hit.id == "n1"
    assert (hit.legs["image"].score, hit.legs["image"].rank) == (None, None)


def test_each_hit_tells_score_and_rank_in_every_leg():
    answer = engine_of().search(Query(text="red summer dress", k=12))
    assert [hit.rank for hit in answer.hits] == list(range(1, 13))
    assert all(set(hit.legs) == {"dense", "image", "text", "lexical"} for hit in answer.hits)
    for leg in ("dense", "lexical"):
        ranked = sorted(
            (hit.legs[leg].rank, hit.legs[leg].score) for hit in answer.hits if hit.legs[leg].rank is not None
        )
        assert [rank for rank, _ in ranked] == list(range(1, len(ranked) + 1))
        assert [score for _, score in ranked] == sorted((score for _, score in ranked), reverse=True)


def test_named_legs_are_asked_and_no_others():
    answer = engine_of().search(Query(text="red dress", k=12, legs=("image",)))
    assert all(set(hit.legs) == {"image"} for hit in answer.hits)
    assert [hit.legs["image"].rank for hit in answer.hits] == list(range(1, len(answer.hits) + 1))


def test_words_alone_are_not_encoded_for_the_lexical_leg():
    class Deaf(WordEncoder):
        def encode_text(self, texts: object) -> "np.ndarray":
            raise AssertionError("the lexical leg needs no vector")

    engine = SearchEngine(Deaf(), MemoryCollection(rows_of(), name="c", release="r1"), Ranking())
    assert engine.search(Query(text="denim", legs=("lexical",))).hits[0].id == "s2"


@pytest.mark.parametrize(
    ("filters", "allowed"),
    [
        ({"colour": "Red"}, {"d1", "s1", "z1"}),
        ({"colour": ["red", "BLUE"]}, {"d1", "d2", "s1", "s2", "z1"}),
        ({"category": "Women"}, {"d1", "d2", "d3"}),
        ({"category": ["dresses", "Belts"]}, {"d1", "d2", "d3", "n2"}),
        ({"brand": "acme", "in_stock": True}, {"d1"}),
        ({"in_stock": False}, {"d2"}),
        ({"price": {"gt": 25, "lte": 30}}, {"d1", "d2", "s2"}),
        ({"fabric": "silk", "price": {"lt": 50}}, set()),
        ({"rating": {"gte": 4}}, {"s1"}),
        ({"currency": "CNY", "language": "zh"}, {"z1"}),
    ],
)
def test_filters_let_through_exactly_what_they_say(filters: Mapping[str, object], allowed: set[str]):
    for query in (Query(text="red"), Query(images=(b"red dress",)), Query(text="red", images=(b"red dress",))):
        legs = ("dense",)  # every product is a candidate of this leg
        assert set(ids(engine_of().search(replace(query, filters=filters, legs=legs, k=200)))) == allowed
        assert set(ids(engine_of().search(replace(query, filters=filters)))) <= allowed


def test_k_over_the_catalogue_gives_every_product_once():
    assert sorted(ids(engine_of().search(Query(text="red", k=200)))) == sorted(p.id for p in catalogue())


def test_k_over_the_candidates_is_still_filled():
    answer = engine_of(many_rows(300), Ranking(candidates=10)).search(Query(text="red dress", k=150))
    assert len(answer.hits) == 150 and len(set(ids(answer))) == 150


def test_a_smaller_k_is_the_beginning_of_a_larger_one():
    engine = engine_of(many_rows(300))
    assert ids(engine.search(Query(text="red dress", k=5))) == ids(engine.search(Query(text="red dress", k=50)))[:5]


def test_equal_products_keep_one_order_whatever_the_order_of_the_catalogue():
    forward = engine_of(rows_of(catalogue())).search(Query(text="grey wool sock", k=12))
    backward = engine_of(rows_of(list(reversed(catalogue())))).search(Query(text="grey wool sock", k=12))
    assert ids(forward)[:2] == ["x", "y"] and forward.hits[0].score == forward.hits[1].score
    assert [(hit.id, hit.score) for hit in forward.hits] == [(hit.id, hit.score) for hit in backward.hits]


def test_no_score_is_above_1_and_the_first_in_every_leg_has_it():
    answer = engine_of().search(Query(text="Green party dress", k=12))
    assert answer.hits[0].score == 1.0
    assert all(0.0 <= hit.score <= 1.0 for hit in answer.hits)


def test_an_answer_names_its_release_and_its_time():
    answer = engine_of().search(Query(text="red"))
    assert answer.release == "r1"
    assert set(answer.took_ms) == {"understand", "encode", "retrieve", "rank", "fetch", "total"}
    parts = sum(milliseconds for phase, milliseconds in answer.took_ms.items() if phase != "total")
    assert 0 < parts <= answer.took_ms["total"] * 1.001


def test_decoding_is_told_beside_encoding_and_not_in_it(monkeypatch: pytest.MonkeyPatch):
    now = 0.0

    class Slow(WordEncoder):
        def encode_image(self, images: Sequence[bytes]) -> Floats:
            nonlocal now
            with decoding():
                now += 5.0
            now += 2.0
            return super().encode_image(images)

    engine = SearchEngine(Slow(), engine_of().collection, Ranking())
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    both = engine.search(Query(images=(b"red dress",), text="red"))
    assert (both.took_ms["decode"], both.took_ms["encode"], both.took_ms["total"]) == (5000, 2000, 7000)
    assert "decode" not in engine.search(Query(text="red")).took_ms


def test_similar_products_are_not_the_product_itself():
    engine = engine_of()
    assert ids(engine.similar("x"))[0] == "y"
    assert "x" not in ids(engine.similar("x", k=200)) and len(engine.similar("x", k=200).hits) == 11
    assert ids(engine.similar("d1", filters={"category": "Dresses"})) == ["d2", "d3"]


def test_similar_products_of_other_groups_leave_the_variants_out():
    found = ids(engine_of().similar("d1", k=200, other_groups=True))
    assert not {"d1", "d2"} & set(found) and len(found) == 10


def test_similar_products_pass_the_filters_and_need_no_picture():
    engine = engine_of()
    assert set(ids(engine.similar("d1", filters={"category": "Shirts"}, k=200))) == {"s1", "s2", "s3"}
    assert all(set(hit.legs) == {"dense"} for hit in engine.similar("n1").hits)


def test_an_unknown_product_is_said_to_be_unknown():
    for ask in (engine_of().similar, engine_of().product):
        with pytest.raises(UnknownProduct, match="There is no product 'nobody'"):
            ask("nobody")


def test_wrong_queries_are_refused_before_anything_is_encoded():
    engine = engine_of()
    for query in (
        Query(),
        Query(text="red", k=0),
        Query(text="red", filters={"smell": "x"}),
        Query(text="red", legs=("a",)),
    ):
        with pytest.raises(InvalidQuery):
            engine.search(query)
    with pytest.raises(InvalidQuery):
        engine.similar("d1", k=0)


def test_a_query_without_direction_is_refused():
    with pytest.raises(InvalidQuery, match="nothing that can be searched for"):
        engine_of().search(Query(text="!!!"))
    assert engine_of().search(Query(text="!!!", legs=("lexical",))).hits == ()


def test_an_engine_refuses_a_composer_of_another_encoder():
    collection = MemoryCollection(rows_of(), name="products_r1", release="r1")
    with pytest.raises(EncoderMismatch, match="composer was trained on encoder oooo"):
        SearchEngine(WordEncoder(), collection, Ranking(), LearnedComposer("oooo", {}))


def test_an_engine_refuses_a_collection_of_another_encoder():
    collection = MemoryCollection(rows_of(), name="products_r1", release="r1")
    with pytest.raises(EncoderMismatch, match=r"products_r1 was built by encoder wwwwwwwwwwwwwwww"):
        SearchEngine(OtherEncoder(), collection, Ranking())


def test_what_was_retrieved_can_be_ranked_again_with_other_weights():
    engine = engine_of()
    retrieved = engine.retrieve(Query(text="red summer dress", k=12))
    again = [product_id for product_id, _ in retrieved.ranked(engine.ranking)]
    assert again == ids(engine.search(Query(text="red summer dress", k=12)))
    words_only = Ranking(weights={**engine.ranking.weights, "text": {"lexical": 1.0}})
    assert retrieved.ranked(words_only)[0] == ("d1", 1.0)
    assert dict(retrieved.ranked(words_only))["n2"] == 0.0
