"""The real engine and the baselines on a shop whose facets an encoder sees exactly."""

from pathlib import Path

import numpy as np
import pytest

from catalog.errors import EncoderMismatch
from catalog.media import MediaStore
from catalog.words.tokens import tokenize
from evaluation.answers import Systems, ask_baselines, ask_engine, runs_table
from evaluation.baselines import bm25_run, frozen_run, plain_words, random_run
from evaluation.gates.compare import EvaluationSetMismatch, compare
from evaluation.gates.rescore import rescore
from evaluation.gates.rules import ChampionRules
from evaluation.measure import score
from evaluation.metrics import mean, per_query
from evaluation.params import EvaluateParams
from evaluation.pool import hidden_collection, pool_collection, pool_engines
from evaluation.queries.judgements import EvaluationSet
from evaluation.queries.kinds import ENGINE, KINDS
from evaluation.queries.questions import evaluation_set
from evaluation.runs import ask, latency, photos_of
from search.engine import Query
from search.logic import SearchLogic
from tests.evaluation.worlds import TERMS, FacetEncoder, embedded, media, shop

POOL = shop()
PARAMS = EvaluateParams(attribute_queries=20)
QUESTIONS = evaluation_set(POOL, POOL, TERMS, (), PARAMS)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MediaStore:
    return media(tmp_path_factory.mktemp("media"))


@pytest.fixture(scope="module")
def asked(store: MediaStore) -> Systems:
    encoder = FacetEncoder()
    engines = pool_engines(POOL, TERMS, embedded(POOL, store, encoder), encoder, SearchLogic())
    return ask_engine(engines, QUESTIONS, photos_of(store))


def value(run: Systems, system: str, kind: str, metric: str, questions: EvaluationSet = QUESTIONS) -> float:
    queries = questions.of_kind(kind)
    ids = [query.query_id for query in queries]
    answers = {query_id: run.runs[system].get(query_id, ()) for query_id in ids}
    return mean(per_query(answers, questions.grades(queries)))[metric]


def test_an_encoder_that_sees_facets_answers_attribute_queries_perfectly_by_vectors_alone(asked: Systems) -> None:
    for kind in ("attribute_en", "attribute_zh", "photo_and_words"):
        assert kind in asked.asked["dense"]
    assert value(asked, "image", "attribute_en", "recall@1") > 0
    # every eighth product has no picture, so the photo leg alone cannot find all
    assert value(asked, "image", "attribute_en", "nDCG@10") < 1.0
    # below 1: to this encoder another colour of the category and another category of the colour are equally near
    assert value(asked, "dense", "attribute_en", "nDCG@10") > 0.95
    assert value(asked, "dense", "attribute_zh", "nDCG@10") > 0.95


def test_a_photo_finds_its_four_look_alikes_and_so_itself(asked: Systems) -> None:
    # 48 products in 12 combinations of colour and category: 4 look the same
    assert value(asked, ENGINE, "photo_to_product", "recall@10") == 1.0
    assert value(asked, ENGINE, "title_to_photo", "recall@10") == 1.0
    assert value(asked, ENGINE, "photo_to_title", "recall@10") == 1.0
    assert 1 / 8 < value(asked, ENGINE, "photo_to_product", "recall@1") < 1 / 2


def test_the_words_of_a_title_tell_look_alikes_apart(asked: Systems) -> None:
    assert value(asked, ENGINE, "title_to_product", "recall@1") > 0.8


def test_every_query_is_asked_through_every_system_of_its_kind_and_timed(asked: Systems) -> None:
    assert set(asked.runs[ENGINE]) == {query.query_id for query in QUESTIONS.queries} == set(asked.took_ms)
    derived = tuple(kind for kind in QUESTIONS.kinds() if KINDS[kind].derived)
    assert asked.asked["image"] == asked.asked["dense"] == derived
    rows = latency(QUESTIONS.queries, asked.took_ms)
    assert {row.asks for row in rows} == {"text", "photo", "photo and words"}
    totals = {row.asks: row for row in rows if row.phase == "total"}
    assert all(0 < row.p50 <= row.p95 for row in totals.values())
    assert totals["photo"].n == sum(
        len(QUESTIONS.of_kind(kind)) for kind in ("photo_to_title", "photo_to_product", "photo_to_alike")
    )


def test_the_engine_evaluated_gives_the_answer_that_it_serves(asked: Systems, store: MediaStore) -> None:
    encoder = FacetEncoder()
    engine = pool_engines(POOL, TERMS, embedded(POOL, store, encoder), encoder, SearchLogic()).served
    query = QUESTIONS.of_kind("title_to_product")[0]
    served = engine.search(Query(text=query.text, k=10)).hits
    assert asked.runs[ENGINE][query.query_id] == [(hit.id, hit.score) for hit in served]


def test_the_engine_refuses_embeddings_of_another_encoder(store: MediaStore) -> None:
    with pytest.raises(EncoderMismatch):
        pool_engines(POOL, TERMS, embedded(POOL, store, FacetEncoder("one")), FacetEncoder("other"), SearchLogic())


def test_hidden_attributes_cannot_be_found_by_the_lexical_leg(store: MediaStore) -> None:
    vectors = embedded(POOL, store, FacetEncoder())
    open_eyed = pool_collection(POOL, TERMS, vectors)
    hidden = hidden_collection(POOL, vectors, FacetEncoder())
    assert len(open_eyed.search("lexical", "红色", 48)) == 12
    assert hidden.search("lexical", "红色", 48) == []
    assert len(hidden.search("lexical", "red dresses", 48)) == len(
        open_eyed.search("lexical", "red dresses", 48)
    )  # titles


def test_random_is_as_good_as_chance() -> None:
    run, left_out = random_run(QUESTIONS, seed=7)
    assert not left_out
    assert run == random_run(QUESTIONS, seed=7)[0]
    queries = QUESTIONS.of_kind("title_to_product")
    found = mean(per_query({q.query_id: run[q.query_id] for q in queries}, QUESTIONS.grades(queries)))["recall@10"]
    # chance is 10 / 48 = .208; standard error over 48 queries: sqrt(.208 x .792 / 48) = .059
    assert found == pytest.approx(10 / 48, abs=3 * 0.059)


def test_bm25_sees_titles_and_answers_only_where_words_meet_words() -> None:
    run, left_out = bm25_run(QUESTIONS, POOL, "bm25_titles", tokenize)
    assert {row.kind for row in left_out} == {
        "title_to_photo", "photo_to_title", "photo_to_product", "photo_to_alike",
    }  # fmt: skip
    for query in QUESTIONS.of_kind("attribute_zh"):
        assert run[query.query_id] == []  # the titles are English
    first = QUESTIONS.of_kind("title_to_product")[0]
    assert first.query_id.split(":")[1] in [product_id for product_id, _ in run[first.query_id]]


def test_plain_words_do_not_fold_plurals() -> None:
    assert plain_words("Women's T-Shirts, 红色") == ["women", "s", "t", "shirts", "红色"]
    folded, written = (bm25_run(QUESTIONS, POOL, "bm25", tokens)[0] for tokens in (tokenize, plain_words))
    plain = next(query for query in QUESTIONS.of_kind("attribute_en") if query.text == "red dress")
    assert len(folded[plain.query_id]) == 10  # "Dresses" in the titles is the word of the query
    assert {len(written[plain.query_id])} == {10}  # found by "red" alone
    relevant = {id_ for id_, grade in QUESTIONS.judgements[plain.query_id].items() if grade == 3}
    assert {product_id for product_id, _ in folded[plain.query_id][:4]} == relevant
    assert {product_id for product_id, _ in written[plain.query_id][:4]} != relevant


class SeparateSpaces(FacetEncoder):
    """Texts and photos in two halves of a space that were never trained together."""

    shared_space = False

    def encode_text(self, texts):  # type: ignore[no-untyped-def]
        vectors = super().encode_text(texts)
        return np.concatenate([vectors, np.zeros_like(vectors)], axis=1)

    def encode_image(self, images):  # type: ignore[no-untyped-def]
        vectors = super().encode_image(images)
        return np.concatenate([np.zeros_like(vectors), vectors], axis=1)

    dim = 2 * FacetEncoder.dim


def test_frozen_towers_without_a_shared_space_are_not_asked_to_cross_it(store: MediaStore) -> None:
    encoder = SeparateSpaces("frozen")
    run, left_out = frozen_run(QUESTIONS, embedded(POOL, store, encoder), encoder, photos_of(store))  # type: ignore[arg-type]
    assert {row.kind for row in left_out} == {"title_to_photo", "photo_to_title"}
    assert all("separate spaces" in row.reason for row in left_out)
    queries = QUESTIONS.of_kind("photo_to_product")
    found = per_query({q.query_id: run[q.query_id] for q in queries}, QUESTIONS.grades(queries))
    assert mean(found)["recall@10"] == 1.0  # photo against photos needs no shared space
    words = QUESTIONS.of_kind("attribute_en")
    assert mean(per_query({q.query_id: run[q.query_id] for q in words}, QUESTIONS.grades(words)))["nDCG@10"] > 0.95


def test_frozen_towers_with_a_shared_space_answer_everything(store: MediaStore) -> None:
    encoder = FacetEncoder("frozen")
    encoder.shared_space = True  # type: ignore[attr-defined]
    run, left_out = frozen_run(QUESTIONS, embedded(POOL, store, encoder), encoder, photos_of(store))  # type: ignore[arg-type]
    assert not left_out
    assert set(run) == {query.query_id for query in QUESTIONS.queries}


def test_baselines_are_asked_only_what_they_can_answer(asked: Systems) -> None:
    baselines = ask_baselines(QUESTIONS, POOL, lambda query: None, None, seed=7)
    assert set(baselines.runs) == {"random", "bm25_plain", "bm25_titles"}
    assert baselines.asked["random"] == QUESTIONS.kinds()
    assert "photo_to_product" not in baselines.asked["bm25_titles"]
    table = runs_table([asked, baselines])
    assert table["rank"].max() == 10
    assert set(table["system"]) == {"engine", "as_served", "dense", "image", "random", "bm25_plain", "bm25_titles"}


def test_a_champion_is_measured_again_on_todays_questions_and_paired(store: MediaStore, asked: Systems) -> None:
    champion = rescore(FacetEncoder("champion", blind=True), SearchLogic(), POOL, TERMS, QUESTIONS, store, "today")
    challenger = score(QUESTIONS, asked.runs, asked.asked)
    comparison = compare(champion, challenger, ChampionRules(bootstrap_rounds=200))
    by_name = {row.name: row for row in comparison.differences}
    assert by_name["overall"].lower_bound > 0  # the challenger sees colours, the champion does not
    assert by_name["title_to_photo"].champion < by_name["title_to_photo"].challenger == 1.0
    same = rescore(FacetEncoder("same"), SearchLogic(), POOL, TERMS, QUESTIONS, store, "today")
    assert {row.difference for row in compare(same, challenger, ChampionRules(bootstrap_rounds=200)).differences} == {
        0.0
    }


def test_a_champion_measured_on_other_questions_is_not_compared(store: MediaStore, asked: Systems) -> None:
    fewer = evaluation_set(POOL[:40], POOL, TERMS, (), PARAMS)
    champion = rescore(FacetEncoder("champion"), SearchLogic(), POOL, TERMS, fewer, store, "yesterday")
    with pytest.raises(EvaluationSetMismatch):
        compare(champion, score(QUESTIONS, asked.runs, asked.asked), ChampionRules(bootstrap_rounds=200))


def test_a_query_with_a_photo_and_words_brings_both(store: MediaStore) -> None:
    class Recording:
        def __init__(self) -> None:
            self.queries: list[Query] = []

        def search(self, query: Query):  # type: ignore[no-untyped-def]
            self.queries.append(query)
            return engine.search(query)

    encoder = FacetEncoder()
    engine = pool_engines(POOL, TERMS, embedded(POOL, store, encoder), encoder, SearchLogic()).served
    recording = Recording()
    ask(recording, QUESTIONS.of_kind("photo_and_words")[:3], photos_of(store), legs=("dense",))  # type: ignore[arg-type]
    assert all(query.text and query.images and query.legs == ("dense",) for query in recording.queries)
    assert {query.k for query in recording.queries} == {10}
    assert all(query.without for query in recording.queries)  # the product that the photo is of


def test_an_altered_photo_is_not_the_shops_photo(store: MediaStore) -> None:
    photos = photos_of(store)
    altered, plain = QUESTIONS.of_kind("photo_to_product")[0], QUESTIONS.of_kind("photo_to_title")[0]
    assert altered.image is not None
    assert plain.image is not None
    assert photos(altered) != store.read(altered.image)
    assert photos(plain) == store.read(plain.image)
    assert photos(QUESTIONS.of_kind("title_to_product")[0]) is None


def test_the_tables_of_an_evaluation_are_written_and_read(tmp_path: Path, asked: Systems) -> None:
    table = score(QUESTIONS, asked.runs, asked.asked)
    table.write_parquet(tmp_path / "per_query.parquet")
    from evaluation.scores import read_scores

    assert read_scores(tmp_path / "per_query.parquet").equals(table)
