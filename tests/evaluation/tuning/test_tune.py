"""Tuning on the validation split, on a shop where it is known which leg is worth more."""

from collections.abc import Sequence

import pytest
from pydantic import ValidationError

from catalog.media import MediaStore
from catalog.products import Product
from evaluation.params import TuneParams
from evaluation.pool import hidden_collection, pool_collection
from evaluation.runs import ask, photos_of
from evaluation.tuning.asked import ASKED, METRIC, weighed
from evaluation.tuning.leg_weights import weigh_attributes, weigh_legs
from evaluation.tuning.tune import validation_questions
from search.engine import Query, SearchEngine
from search.logic import SearchLogic
from search.memory import MemoryCollection
from search.ranking import FUSIONS, FusionName, Ranking
from search.understanding.learning import learn_vocabulary
from tests.evaluation.worlds import TERMS, FacetEncoder, embedded, media, shop

POOL = shop()
PARAMS = TuneParams(queries=20, step=0.1)
QUESTIONS = validation_questions(POOL, POOL, TERMS, (), PARAMS)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MediaStore:
    return media(tmp_path_factory.mktemp("media"))


def hidden(pool: Sequence[Product], store: MediaStore, encoder: FacetEncoder) -> MemoryCollection:
    return hidden_collection(pool, embedded(pool, store, encoder), encoder)


def test_every_query_kind_gets_weights_that_sum_to_one_and_keep_their_floor(store: MediaStore) -> None:
    encoder = FacetEncoder()
    ranking, choices = weigh_legs(QUESTIONS, hidden(POOL, store, encoder), encoder, photos_of(store), PARAMS)
    assert set(choices) == {"text", "image", "text+image"}
    for kind in choices:
        weights = ranking.weights[kind]  # type: ignore[index]
        assert sum(weights.values()) == pytest.approx(1.0)
        usual = [leg for leg in Ranking().weights_for(kind) if leg != "attributes"]  # type: ignore[arg-type]
        assert min(weights[leg] for leg in usual) >= PARAMS.floor - 1e-9
        assert choices[kind]["score"] >= choices[kind]["start_score"]
    assert Ranking.model_validate_json(ranking.model_dump_json()) == ranking


def test_legs_that_answer_equally_well_stay_balanced(store: MediaStore) -> None:
    encoder = FacetEncoder()
    ranking, choices = weigh_legs(QUESTIONS, hidden(POOL, store, encoder), encoder, photos_of(store), PARAMS)
    # the photo and the fused vector see the same facets of a photo
    assert ranking.weights["image"] == {"dense": 0.5, "image": 0.5}
    assert choices["image"]["score"] == choices["image"]["start_score"]


def test_attributes_do_not_pull_the_weights_to_the_leg_that_indexes_them(store: MediaStore) -> None:
    """Were attributes open, the lexical leg would answer Chinese queries that a blind encoder cannot."""
    encoder = FacetEncoder(blind=True)
    ranking, _ = weigh_legs(QUESTIONS, hidden(POOL, store, encoder), encoder, photos_of(store), PARAMS)
    assert ranking.weights["text"]["lexical"] < 1 - 3 * PARAMS.floor


def test_ranking_again_scores_what_the_engine_answers(store: MediaStore) -> None:
    encoder = FacetEncoder()
    vectors = embedded(POOL, store, encoder)
    ranking = weighed(Ranking(), "text", {"dense": 0.1, "image": 0.2, "text": 0.3, "lexical": 0.4})
    engine = SearchEngine(encoder, pool_collection(POOL, TERMS, vectors), ranking)
    for query in QUESTIONS.of_kind("title_to_product")[:5]:
        again = engine.retrieve(Query(text=query.text)).ranked(ranking)[:10]
        assert list(ask(engine, [query], photos_of(store), None).run[query.query_id]) == again


def test_the_same_input_gives_the_same_weights(store: MediaStore) -> None:
    encoder = FacetEncoder()
    vectors = embedded(POOL, store, encoder)
    first, _ = weigh_legs(QUESTIONS, hidden_collection(POOL, vectors, encoder), encoder, photos_of(store), PARAMS)
    second, _ = weigh_legs(QUESTIONS, hidden_collection(POOL, vectors, encoder), encoder, photos_of(store), PARAMS)
    assert first == second


def test_an_empty_validation_split_keeps_the_default(store: MediaStore) -> None:
    encoder = FacetEncoder()
    questions = validation_questions([], POOL, TERMS, (), PARAMS)
    ranking, choices = weigh_legs(questions, hidden([], store, encoder), encoder, photos_of(store), PARAMS)
    assert (ranking, choices) == (Ranking(), {})


def test_a_kind_without_questions_keeps_the_default(store: MediaStore) -> None:
    from dataclasses import replace

    bare = [replace(product, images=()) for product in POOL]
    encoder = FacetEncoder()
    questions = validation_questions(bare, bare, TERMS, (), PARAMS)
    ranking, choices = weigh_legs(questions, hidden(bare, store, encoder), encoder, photos_of(store), PARAMS)
    assert set(choices) == {"text"}
    assert ranking.weights["image"] == Ranking().weights["image"]
    assert METRIC == "nDCG@10"


@pytest.mark.parametrize("fusion", FUSIONS)
def test_every_fusion_can_be_tuned_and_then_serves(store: MediaStore, fusion: FusionName) -> None:
    encoder = FacetEncoder()
    vectors = embedded(POOL, store, encoder)
    params = TuneParams(queries=20, step=0.1, fusion=fusion)
    ranking, choices = weigh_legs(
        QUESTIONS, hidden_collection(POOL, vectors, encoder), encoder, photos_of(store), params
    )
    assert ranking.fusion == fusion
    assert set(ranking.odds) == (set(choices) if fusion == "naive_bayes" else set())
    engine = SearchEngine(encoder, hidden_collection(POOL, vectors, encoder), ranking)
    query = QUESTIONS.of_kind("attribute_en")[0]
    best = engine.search(Query(text=query.text, k=1)).hits[0]
    assert best.id in QUESTIONS.judgements[query.query_id]
    tuned = weigh_legs(QUESTIONS, hidden_collection(POOL, vectors, encoder), encoder, photos_of(store), params)
    assert tuned == (ranking, choices)


def test_weights_that_params_set_are_not_chosen_and_the_other_kinds_are(store: MediaStore) -> None:
    encoder = FacetEncoder()
    params = TuneParams(queries=20, step=0.1, weights={"text": {"dense": 3.0, "lexical": 1.0, "text": 0.0}})
    ranking, choices = weigh_legs(QUESTIONS, hidden(POOL, store, encoder), encoder, photos_of(store), params)
    assert ranking.weights["text"] == {"dense": 0.75, "lexical": 0.25}
    assert choices["text"]["weights"] == {"dense": 0.75, "lexical": 0.25}
    assert choices["text"]["tried"] == 1
    free, _ = weigh_legs(QUESTIONS, hidden(POOL, store, encoder), encoder, photos_of(store), PARAMS)
    assert ranking.weights["image"] == free.weights["image"]


def test_titles_are_weighed_apart_from_queries_about_attributes(store: MediaStore) -> None:
    encoder = FacetEncoder()
    vectors = embedded(POOL, store, encoder)
    vocabulary = learn_vocabulary(POOL, TERMS, vectors, encoder)
    index = hidden_collection(POOL, vectors, encoder)
    chosen = {}
    for names in (True, False):
        params = TuneParams(queries=48, step=0.1, names=names)
        questions = validation_questions(POOL, POOL, TERMS, (), params)
        ranking, choices = weigh_legs(questions, index, encoder, photos_of(store), params, vocabulary=vocabulary)
        served = SearchLogic(ranking, vocabulary=vocabulary).engine(encoder, pool_collection(POOL, TERMS, vectors))
        ranking, choices = weigh_attributes(questions, served, photos_of(store), params, choices)
        chosen[names] = ranking
        assert ("names" in choices) == ("names" in ranking.weights) == names
    weights = chosen[True].weights
    assert weights["names"]["lexical"] > weights["text"].get("lexical", 0.0)  # makers are words alone
    assert weights["names"].get("attributes", 0.0) <= weights["text"]["attributes"]
    engine = SearchLogic(chosen[True], vocabulary=vocabulary).engine(encoder, index)
    assert engine.retrieve(Query(text=POOL[3].title)).kind == "names"
    assert engine.retrieve(Query(text="red dresses")).kind == "text"
    assert engine.retrieve(Query(text=POOL[3].title, understand=False)).kind == "text"


def test_a_handful_of_titles_has_no_weights_of_its_own(store: MediaStore) -> None:
    encoder = FacetEncoder()
    vectors = embedded(POOL, store, encoder)
    vocabulary = learn_vocabulary(POOL, TERMS, vectors, encoder)
    ranking, choices = weigh_legs(
        QUESTIONS,
        hidden_collection(POOL, vectors, encoder),
        encoder,
        photos_of(store),
        PARAMS,
        vocabulary=vocabulary,
    )
    assert "names" not in choices
    assert "names" not in ranking.weights
    assert choices["text"]["queries"] == sum(len(QUESTIONS.of_kind(kind)) for kind in ASKED["text"])


def test_weights_that_can_do_nothing_are_refused() -> None:
    with pytest.raises(ValidationError, match="image queries have no leg lexical"):
        TuneParams(weights={"image": {"lexical": 1.0}})
    with pytest.raises(ValidationError, match="one of them above 0"):
        TuneParams(weights={"text": {"dense": 0.0}})
    with pytest.raises(ValidationError, match="takes no weights"):
        TuneParams(fusion="naive_bayes", weights={"text": {"dense": 1.0}})
