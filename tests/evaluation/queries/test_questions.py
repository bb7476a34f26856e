"""Which questions are asked of a pool, and what counts as their answer."""

import dataclasses
from pathlib import Path

import pytest

from catalog.products import CATEGORY, Judgement, Product
from catalog.words.phrases import Phrase
from catalog.words.terms import TermIndex, spoken_fields
from catalog.words.thesaurus import thesaurus
from evaluation.params import EvaluateParams
from evaluation.queries.attribute_queries import Draft, _in_turns
from evaluation.queries.facets import FacetIndex
from evaluation.queries.judgements import EvaluationQuery, EvaluationSet, read_evaluation_set
from evaluation.queries.known_items import drop_words
from evaluation.queries.other_words import all_known, other_words
from evaluation.queries.questions import evaluation_set, unasked
from search.query import MOST_CHARACTERS
from tests.evaluation.worlds import TERMS, shop

POOL = shop()
PARAMS = EvaluateParams(attribute_queries=20)


def questions(pool: list[Product] = POOL, judgements: tuple[Judgement, ...] = (), seed: int = 7) -> EvaluationSet:
    return evaluation_set(pool, pool, TERMS, judgements, PARAMS.model_copy(update={"seed": seed}))


def test_a_known_item_has_one_answer_the_product_it_was_made_from() -> None:
    asked = questions()
    by_id = {product.id: product for product in POOL}
    for kind in ("title_to_photo", "title_to_product", "photo_to_title", "photo_to_product"):
        for query in asked.of_kind(kind):
            assert asked.judgements[query.query_id] == {query.query_id.split(":")[1]: 1}
    for query in asked.of_kind("title_to_photo"):
        assert query.text == by_id[query.query_id.split(":")[1]].title
        assert query.legs == ("image",)


def test_a_product_without_a_picture_is_asked_for_by_words_alone() -> None:
    asked = questions()
    with_picture = {product.id for product in POOL if product.images}
    assert len(with_picture) == 42  # 48 less every eighth

    def products(kind: str) -> set[str]:
        return {query.query_id.split(":")[1] for query in asked.of_kind(kind)}

    assert products("title_to_photo") == products("photo_to_title") == products("photo_to_product") == with_picture
    assert products("title_to_product") == {product.id for product in POOL}
    missing = {q.query_id.split(":")[1] for q in asked.of_kind("title_to_product") if "picture=missing" in q.slices}
    assert missing == {product.id for product in POOL} - with_picture


def test_the_relevant_products_of_an_attribute_query_are_those_that_have_every_mentioned_facet() -> None:
    asked = questions()
    for query in (*asked.of_kind("attribute_en"), *asked.of_kind("attribute_zh")):
        fields = next(name.partition("=")[2].split("+") for name in query.slices if name.startswith("facets="))
        grades = asked.judgements[query.query_id]
        relevant = [product for product in POOL if grades.get(product.id) == 3]
        shared = {field: relevant[0].facets()[field] for field in fields}
        assert {p.id for p in POOL if all(p.facets()[f] == v for f, v in shared.items())} == {p.id for p in relevant}
        assert 1 <= len(relevant) <= len(POOL) / 4
        kin = {p.id for p in POOL if CATEGORY in shared and p.facets()[CATEGORY] == shared[CATEGORY]}
        assert {product_id for product_id, grade in grades.items() if grade == 1} == kin - {p.id for p in relevant}


def test_attribute_queries_speak_the_terms_of_the_shop_and_only_its_spoken_fields() -> None:
    asked = questions()
    texts = {query.text for query in asked.of_kind("attribute_zh")}
    assert "红色连衣裙" in texts
    assert len(texts) == len(asked.of_kind("attribute_zh"))
    fields = {name for query in asked.queries for name in query.slices if name.startswith("facets=")}
    assert fields <= {"facets=colour", "facets=category", "facets=category+colour"}  # batch has no term
    assert spoken_fields([], POOL) == {"colour", "batch", CATEGORY}


def slices_of(query: EvaluationQuery) -> dict[str, str]:
    """Dimension -> value, of the slices about facets."""
    return dict(name.split("=") for name in query.slices if "facets" in name)


def test_an_attribute_query_is_in_the_slice_of_its_language_and_how_many_facets_it_wants() -> None:
    asked = questions()
    for query in (*asked.of_kind("attribute_en"), *asked.of_kind("attribute_zh")):
        said = slices_of(query)
        wanted = len(said["facets"].split("+"))
        assert said["language x facets"] == f"{query.language} x {wanted}"
    assert {"en x 2", "zh x 2"} <= {slices_of(query).get("language x facets") for query in asked.queries}


def test_combinations_of_facets_take_turns_and_phrases_without_a_category_share_one() -> None:
    def draft(text: str) -> Draft:
        return Phrase(text, "en", ()), []

    drafts = {
        ("category",): [draft("dress"), draft("mug")],
        ("category", "colour"): [draft("red dress"), draft("red mug"), draft("blue mug")],
        ("colour",): [draft("red product")],
        ("colour", "usage"): [draft("red formal product")],
    }
    order = ["red product", "dress", "red dress", "red formal product", "mug", "red mug", "blue mug"]
    assert [phrase.text for phrase, _ in _in_turns(drafts, 10)] == order
    assert [phrase.text for phrase, _ in _in_turns(drafts, 4)] == order[:4]
    bare = {fields: rows for fields, rows in drafts.items() if "category" not in fields}
    assert [phrase.text for phrase, _ in _in_turns(bare, 10)] == ["red product", "red formal product"]
    assert _in_turns({}, 10) == []


def test_a_facet_that_a_quarter_of_the_pool_has_can_be_asked_and_one_more_cannot() -> None:
    index = FacetIndex(POOL)
    assert len(index.having([("colour", "Red")])) == 12 == len(POOL) / 4
    assert index.tells_apart(POOL[:12])
    assert not index.tells_apart(POOL[:13])
    assert not index.tells_apart([])
    assert index.having([("colour", "Pink")]) == []


def test_a_photo_with_words_asks_for_a_value_its_product_does_not_have() -> None:
    asked = questions()
    by_photo = {product.images[0]: product for product in POOL if product.images}
    assert len(asked.of_kind("photo_and_words")) == 20
    for query in asked.of_kind("photo_and_words"):
        assert query.image is not None
        source = by_photo[query.image]
        grades = asked.judgements[query.query_id]
        relevant = [product for product in POOL if grades.get(product.id) == 3]
        assert query.without == source.id
        assert source.id not in grades
        assert {product.category for product in relevant} == {source.category}
        assert {product.attributes["colour"] for product in relevant} != {source.attributes["colour"]}
    assert {query.language for query in asked.of_kind("photo_and_words")} == {"en", "zh"}


def test_a_photo_asks_for_others_of_its_category_and_colour_and_never_for_itself() -> None:
    asked = questions()
    by_photo = {product.images[0]: product for product in POOL if product.images}
    assert len(asked.of_kind("photo_to_alike")) == 20
    for query in asked.of_kind("photo_to_alike"):
        source, grades = by_photo[query.image or ""], asked.judgements[query.query_id]
        alike = {
            p.id
            for p in POOL
            if (p.category, p.attributes["colour"]) == (source.category, source.attributes["colour"]) and p != source
        }
        assert {product_id for product_id, grade in grades.items() if grade == 3} == alike
        assert len(alike) == 3  # 48 products in 12 combinations
        assert query.without == source.id
        assert source.id not in grades


def test_other_words_are_none_of_the_shops_and_tell_whether_the_thesaurus_knows_them() -> None:
    for role, meaning, _ in other_words():
        assert thesaurus().words(role, [meaning], "en"), f"{meaning} is no row of the thesaurus"
    asked, names = questions(), TermIndex(TERMS, POOL)
    for kind, language in (("other_words_en", "en"), ("other_words_zh", "zh")):
        assert asked.of_kind(kind)
        for query in asked.of_kind(kind):
            assert names.values_named(query.text or "") == ()
            known = "all words" if all_known(query.text or "", language) else "not all words"
            assert f"thesaurus={known}" in query.slices


@pytest.mark.parametrize("language", ["en", "zh"])
def test_some_other_words_are_in_the_thesaurus_and_some_are_not(language: str) -> None:
    words = [word for (_, _, spoken), own in other_words().items() if spoken == language for word in own]
    known = sum(all_known(word, language) for word in words)
    assert 0.1 * len(words) < known < 0.95 * len(words)


def test_the_shops_own_judgements_keep_their_grades_inside_the_pool() -> None:
    rows = (
        Judgement("gift", "p001", 2),
        Judgement("gift", "p002", 0),
        Judgement("gift", "elsewhere", 3),
        Judgement("nothing here", "p003", 0),
        Judgement("礼物", "p004", 1, "zh"),
    )
    asked = questions(judgements=rows)
    shop_queries = {query.text: query for query in asked.of_kind("shop")}
    assert set(shop_queries) == {"gift", "礼物"}
    assert asked.judgements[shop_queries["gift"].query_id] == {"p001": 2, "p002": 0}
    assert (shop_queries["gift"].language, shop_queries["礼物"].language) == ("en", "zh")


def test_what_a_catalogue_cannot_be_asked_is_said_with_the_reason() -> None:
    bare = [dataclasses.replace(product, images=(), attributes={}, category=()) for product in POOL]
    asked = questions(bare)
    assert asked.kinds() == ("title_to_product",)
    assert unasked(asked)["title_to_photo"] == "no held-out product has both a title and a photo"
    assert set(unasked(asked)) | {"title_to_product"} == {
        "title_to_photo", "title_to_product", "photo_to_title", "photo_to_product",
        "attribute_en", "attribute_zh", "other_words_en", "other_words_zh", "photo_to_alike", "photo_and_words", "shop",
    }  # fmt: skip


def test_no_question_is_longer_than_the_engine_takes() -> None:
    long = [dataclasses.replace(product, title=product.title + " word" * 1000) for product in POOL[:8]]
    asked = questions(long, judgements=(Judgement("gift " * 1000, "p001", 1), Judgement("  ", "p001", 1)))
    texts = [query.text for query in asked.queries if query.text]
    assert texts
    assert max(map(len, texts)) <= MOST_CHARACTERS
    assert "shop" not in asked.kinds()


def test_a_pool_without_products_has_no_questions() -> None:
    assert evaluation_set([], POOL, TERMS, (), PARAMS).queries == ()


def test_the_same_input_gives_the_same_set_and_another_seed_another() -> None:
    assert questions() == questions()
    assert questions().fingerprint != questions(seed=8).fingerprint


def test_the_fingerprint_sees_queries_grades_and_pool() -> None:
    query = EvaluationQuery("q", "shop", "en", "gift", slices=("language=en",))
    first = EvaluationSet((query,), {"q": {"a": 1}}, ("a", "b"))
    assert first.fingerprint == EvaluationSet((query,), {"q": {"a": 1}}, ("b", "a")).fingerprint
    relabelled = dataclasses.replace(query, slices=())
    assert first.fingerprint == EvaluationSet((relabelled,), {"q": {"a": 1}}, ("a", "b")).fingerprint
    for other in (
        EvaluationSet((dataclasses.replace(query, text="gifts"),), {"q": {"a": 1}}, ("a", "b")),
        EvaluationSet((query,), {"q": {"a": 2}}, ("a", "b")),
        EvaluationSet((query,), {"q": {"a": 1}}, ("a", "b", "c")),
    ):
        assert other.fingerprint != first.fingerprint


def test_a_set_survives_its_tables(tmp_path: Path) -> None:
    asked = questions(judgements=(Judgement("gift", "p001", 2),))
    asked.write(tmp_path)
    again = read_evaluation_set(tmp_path)
    assert again == asked
    assert again.fingerprint == asked.fingerprint


def test_a_growing_pool_keeps_asking_its_old_known_items() -> None:
    params = EvaluateParams(known_items=10, photo_queries=10)
    small = evaluation_set(POOL[:40], POOL, TERMS, (), params).of_kind("title_to_product")
    large = evaluation_set(POOL, POOL, TERMS, (), params).of_kind("title_to_product")
    assert len(small) == len(large) == 10
    kept = {query.query_id for query in small} & {query.query_id for query in large}
    assert len(kept) >= 10 - 8  # at most the eight newcomers replace old ones
    assert {query.text for query in small if query.query_id in kept} == {q.text for q in large if q.query_id in kept}


@pytest.mark.parametrize(
    ("title", "pieces_left"),
    [
        ("one two three four five six", 4),
        ("one two three", 2),
        ("one", 1),
        ("红色女士连衣裙", 3),
        ("Nike 红色连衣裙", 3),
    ],
)
def test_a_third_of_the_pieces_of_a_title_is_dropped(title: str, pieces_left: int) -> None:
    # pieces: 6 -> drop 2; 3 -> 1; 1 -> 0; 红色|女士|连衣|裙 -> 1; Nike|红色|连衣|裙 -> 1
    kept = drop_words(title, 1 / 3, "seed")
    assert kept == drop_words(title, 1 / 3, "seed")
    if title.isascii():
        assert len(kept.split()) == pieces_left
        assert [word for word in title.split() if word in kept.split()] == kept.split()
    else:
        assert 0 < len(kept) < len(title)
