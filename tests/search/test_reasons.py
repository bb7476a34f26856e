"""Reasons: what adds up, what is lost without a word or a region, and what happens when there is no time."""

import io
import time
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from catalog.errors import InvalidQuery
from catalog.words.terms import TermIndex
from models.preprocess import ImagePreprocess
from search.deadline import answered_by
from search.engine import Query, SearchEngine
from search.memory import MemoryCollection
from search.ranking import Ranking
from search.reasons import MOST_HITS, Reasons
from search.reasons.explain import Again, Parts
from search.reasons.parts import parts_of, without
from search.reasons.regions import SIDE, by_cell, windows
from search.rows import build_rows
from tests.bento.tiny_encoder import COLOURS, photo
from tests.bento.world import make_engine
from tests.search.test_late import SHARE, blurred_twins, late_of
from tests.search.test_late import engine_of as late_engine
from tests.search.test_rerank import RERANKER
from tests.search.understanding.shops import TERMS, SenseEncoder, reader_of, shop
from tests.search.worlds import WordEncoder, embeddings_of, engine_of, rows_of


@pytest.fixture(autouse=True)
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is."""
    monkeypatch.setattr(SearchEngine, "explain_seconds", 60.0)


def why(engine: SearchEngine, query: Query) -> list[Reasons]:
    return [hit.reasons for hit in engine.search(query).hits if hit.reasons is not None]


@pytest.fixture(scope="module")
def reading() -> Iterator[SearchEngine]:
    """An engine with a reader over the shop of sixty products."""
    encoder = SenseEncoder()
    rows = build_rows(shop(), embeddings_of(shop(), encoder), TermIndex(TERMS))
    yield SearchEngine(encoder, MemoryCollection(rows, name="c", release="r1"), Ranking(), reader=reader_of())


@pytest.mark.parametrize("fusion", ["weighted", "rrf", "vote", "naive_bayes"])
@pytest.mark.parametrize("query", [Query(text="red summer dress"), Query(text="shirt", images=(b"blue shirt",))])
def test_what_the_legs_add_is_the_score(fusion: str, query: Query):
    engine = engine_of(ranking=Ranking.model_validate({"fusion": fusion}))
    hits = engine.search(Query(text=query.text, images=query.images, explain=True)).hits
    for hit in hits:
        assert hit.reasons is not None and not hit.reasons.ranked
        assert hit.reasons.sum == pytest.approx(hit.score, abs=1e-5)
        for leg in hit.reasons.legs:
            assert leg.leg == "prior" or (hit.legs[leg.leg].score, hit.legs[leg.leg].rank) == (leg.score, leg.rank)


def test_nobody_who_does_not_ask_is_given_reasons(reading: SearchEngine):
    answer = reading.search(Query(text="red dress"))
    assert all(hit.reasons is None and hit.contributions is None for hit in answer.hits)
    assert "explain" not in answer.took_ms
    assert all(hit.reasons is None for hit in reading.similar("p001").hits)


def test_the_first_hits_have_reasons_and_what_was_asked_to_explain_is_answered_as_before(reading: SearchEngine):
    plain = reading.search(Query(text="red dress", k=12)).hits
    told = reading.search(Query(text="red dress", k=12, explain=True)).hits
    assert [(hit.id, hit.score, hit.legs) for hit in plain] == [(hit.id, hit.score, hit.legs) for hit in told]
    assert [hit.reasons is not None for hit in told] == [rank < MOST_HITS for rank in range(len(told))]


def test_a_word_that_is_left_out_costs_what_leaving_it_out_costs(reading: SearchEngine):
    first = why(reading, Query(text="Red dresses for women", explain=True))[0]
    words = {word.text: word for word in first.words}
    assert list(words) == ["Red", "dresses", "women"]  # as they were written; "for" says nothing
    assert all(word.loses > 0 for word in words.values())
    assert words["Red"].met == ("title", "colour") and words["women"].met == ("title", "gender")
    assert why(reading, Query(text="红色连衣裙", explain=True))[0].words[0].met == ("colour",)  # no title says 红色


def test_what_is_not_in_the_text_loses_nothing_and_the_only_word_loses_all(reading: SearchEngine):
    (alone,) = why(reading, Query(text="dresses", explain=True, k=1))
    assert [(word.text, word.loses) for word in alone.words] == [("dresses", pytest.approx(alone.sum, abs=1e-5))]
    (shown,) = why(reading, Query(images=(b"red dresses",), explain=True, k=1))
    assert shown.words == ()


@pytest.mark.parametrize("text", ["Red Dresses women", "红色连衣裙", "shirt not black"])
def test_leaving_nothing_out_loses_nothing(reading: SearchEngine, text: str):
    """The replay of the same query by the code of reasons gives the scores of the answer."""
    retrieved = reading.retrieve(Query(text=text, explain=True))
    engine = reading
    parts = Parts(
        engine.encoder, engine.collection, engine.ranking, engine.composer, engine.reader, None, None, engine._values
    )
    ids = [product_id for product_id, _ in engine.ranked(retrieved)[:5]]
    again = Again(parts, retrieved, ids)
    assert again.without_words(text) == pytest.approx(dict.fromkeys(ids, 0.0), abs=1e-5)


def test_attributes_are_named_in_both_languages_and_add_up_to_their_leg(reading: SearchEngine):
    for text in ("red dresses", "红色连衣裙"):
        hit = reading.search(Query(text=text, explain=True)).hits[0]
        assert hit.reasons is not None
        own = {(a.field, a.value): a for a in hit.reasons.attributes}
        assert own["colour", "Red"].names == {"en": "Red", "zh": "红色"}
        assert own["colour", "Red"].has == ("Red",) and own["colour", "Red"].fit == 1.0
        leg = next(leg for leg in hit.reasons.legs if leg.leg == "attributes")
        assert sum(a.adds or 0.0 for a in hit.reasons.attributes) == pytest.approx(leg.adds)


def test_what_is_refused_is_told_as_refused(reading: SearchEngine):
    for reasons in why(reading, Query(text="shirts not black", explain=True)):
        (refused,) = [own for own in reasons.attributes if own.negated]
        assert (refused.field, refused.value) == ("colour", "Black")
        assert refused.fit == (float("Black" not in refused.has) if refused.has else 0.5)


def test_products_like_another_have_their_legs_and_what_they_share():
    hit = engine_of().similar("d1", k=1, explain=True).hits[0]
    assert hit.id == "s1" and hit.reasons is not None
    assert hit.reasons.sum == pytest.approx(hit.score, abs=1e-5)
    assert [(own.field, own.value, own.how) for own in hit.reasons.attributes] == [("colour", "Red", "product")]


def test_late_interaction_tells_which_word_met_which_place():
    rows, late = blurred_twins()
    hit = late_engine(rows, late, SHARE).search(Query(text="velvet buckle", explain=True)).hits[0]
    assert hit.id == "buckle" and hit.reasons is not None
    assert hit.reasons.sum == pytest.approx(hit.score, abs=1e-5)
    assert hit.reasons.late_score == pytest.approx(sum(match.adds for match in hit.reasons.matches), abs=1e-4)
    titled = late_of({"a": ["sock", "hat"]}, {"a": "wool sock"})
    found = titled.tokens.matches(titled._words(("wool",)), "a", {"image", "text"})
    assert found is not None and found.words[found.at[0] - found.places] == "wool"
    assert titled.tokens.matches(titled._words(("wool",)), "nowhere", {"image"}) is None


def test_where_a_ranker_answers_its_contributions_are_the_score_and_the_legs_are_said_not_to_be():
    collection = MemoryCollection(rows_of(), name="c", release="r1")
    engine = SearchEngine(WordEncoder(), collection, Ranking(), reranker=RERANKER)
    for hit in engine.search(Query(text="red dress", explain=True)).hits[:MOST_HITS]:
        assert hit.reasons is not None and hit.reasons.ranked and hit.contributions is not None
        assert sum(hit.contributions.values()) == pytest.approx(hit.score, abs=1e-4)


def half(left: str, right: str) -> bytes:
    """A photo with two colours."""
    file = io.BytesIO()
    picture = Image.new("RGB", (64, 64), COLOURS[left])
    picture.paste(COLOURS[right], (32, 0, 64, 64))
    picture.save(file, "PNG")
    return file.getvalue()


def test_the_half_of_a_photo_that_a_hit_is_like_is_the_warm_half():
    """The tiny encoder sees mean colours: to a red product, the red half matters and the black half harms."""
    hits = make_engine().search(Query(images=(half("Red", "Black"),), k=40, explain=True, understand=False)).hits
    hit = next(hit for hit in hits if hit.reasons is not None and hit.product["attributes"]["colour"] == "Red")
    assert hit.reasons is not None
    (seen,) = hit.reasons.photos
    cells = np.array(seen.cells)
    assert cells.shape == (SIDE, SIDE) and seen.photo == 0 and seen.frame == (0, 0, 1, 1)
    assert cells[:, :3].mean() > 0 > cells[:, 4:].mean()


def test_two_photos_have_a_map_each_and_a_third_has_none():
    query = Query(images=(half("Red", "Blue"), photo("Green"), photo("Blue")), k=1, explain=True)
    (hit,) = make_engine().search(query).hits
    assert hit.reasons is not None and [seen.photo for seen in hit.reasons.photos] == [0, 1]


def test_when_time_is_up_the_answer_comes_and_says_what_was_left_out():
    engine, query = make_engine(), Query(text="red dress", images=(photo("Red"),), k=2, explain=True)
    with answered_by(time.monotonic() - 1.0):
        first = why(engine, query)[0]
    assert first.left_out == ("words", "photos") and first.words == () and first.photos == ()
    assert first.sum == pytest.approx(engine.search(query).hits[0].score, abs=1e-5)  # what is exact is there


def test_windows_by_hand():
    """A loss behind the one window over the corner is the corner's; a cell inside has four windows."""
    hidden = windows()
    assert hidden.shape == ((SIDE - 1) ** 2, SIDE, SIDE) and hidden.sum(axis=(1, 2)).tolist() == [4] * len(hidden)
    losses = np.zeros(len(hidden))
    losses[0] = 1.0
    cells = by_cell(losses)
    assert (cells[0, 0], cells[0, 1], cells[1, 1], cells[2, 2]) == (1.0, 0.5, 0.25, 0.0)


@pytest.mark.parametrize(
    ("fit", "frame"),
    [("squeeze", (0, 0, 1, 1)), ("crop", (0.25, 0, 0.75, 1)), ("pad", (0, -0.5, 1, 1.5))],
)
def test_the_frame_of_a_picture_twice_as_wide_as_high(fit: str, frame: tuple[float, ...]):
    assert ImagePreprocess(size=8, fit=fit).frame(64, 32) == frame  # type: ignore[arg-type]


def test_the_parts_of_a_text_are_its_words_in_either_language():
    text, parts = parts_of("The Red 连衣裙, please", None)
    assert [part.text for part in parts if part.text != "please"] == ["Red", "连衣裙"]
    assert without(text, parts[0]) == "The 连衣裙, please"
    wide, (only,) = parts_of("ｒｅｄ  ", None)
    assert (wide, only.text) == ("red", "red")  # it is read in another length: the parts count in what was read


def test_facets_are_counted_over_what_was_found(reading: SearchEngine):
    answer = reading.search(Query(text="red dress", facets=("colour", "category"), filters={"category": "Dresses"}))
    assert answer.facets is not None
    assert answer.facets["colour"] == (("Black", 4), ("Navy Blue", 4), ("Red", 4))
    assert dict(answer.facets["category"]) == {"Apparel": 12, "Dresses": 12}
    every = reading.search(Query(text="red dress", facets=("*",))).facets
    assert every is not None and set(every) == set(reading.collection.fields.facets)
    assert reading.search(Query(text="red dress")).facets is None
    with pytest.raises(InvalidQuery, match="There is no facet 'price': known are brand"):
        reading.search(Query(text="red", facets=("price",)))
