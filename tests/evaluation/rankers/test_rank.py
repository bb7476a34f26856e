"""The rank stage on a shop whose answers are known: what is learned from, what tells, and when the ranker is used."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from catalog.errors import InvalidParams
from catalog.media import MediaStore
from catalog.products import Interaction
from catalog.splits import SplitParams
from evaluation.pool import pool_engines
from evaluation.queries.judgements import EvaluationQuery, EvaluationSet
from evaluation.queries.questions import few_questions
from evaluation.rankers.adoption import KindVerdict, verdicts
from evaluation.rankers.examples import Examples, Look, examples, looks
from evaluation.rankers.information import in_bins, information, telling
from evaluation.rankers.params import NetworkParams, RankParams, TreeParams, check_ranker
from evaluation.rankers.rank import TRAINERS, rank
from evaluation.runs import as_asked, photos_of
from evaluation.tuning.shop import Shop, shop_facts
from search.logic import SearchLogic
from search.ranking.features import FEATURES, Floats, ShopFacts
from search.ranking.neural import Network, Weights
from search.ranking.ranker import RankerName
from search.ranking.rerank import Reranker
from tests.evaluation.worlds import TERMS, FacetEncoder, embedded, media, shop

POOL = shop()
PARAMS = RankParams(
    queries=10,
    features=8,
    bootstrap_rounds=100,
    lambdamart=TreeParams(trees=10, leaves=4, rows=5),
    neural=NetworkParams(first=8, second=4, epochs=2),
)
QUESTIONS = few_questions(POOL, POOL, TERMS, (), seed=PARAMS.seed, most=PARAMS.queries)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    store: MediaStore = media(tmp_path_factory.mktemp("media"))
    encoder = FacetEncoder()
    vectors = embedded(POOL, store, encoder)
    return Shop(POOL, TERMS, (), shop_facts(POOL, ()), vectors, encoder, photos_of(store))


@pytest.fixture(scope="module")
def found(own: Shop) -> list[Look]:
    return looks(
        pool_engines(POOL, TERMS, own.embeddings, own.encoder, SearchLogic()), QUESTIONS, own.photos, own.facts
    )


def one_feature(name: str, sign: float) -> Network:
    """score = sign x the feature, as far as it lies above 0."""
    first = np.array([[1.0], [0.0]])
    weights = Weights(np.zeros(1), np.ones(1), first, np.zeros(1), np.ones((1, 1)), np.zeros(1), np.array([sign]))
    return Network(weights, (name,))


def test_every_question_without_named_legs_is_asked_with_attributes_and_without(found: list[Look]):
    cells = {look.cell for look in found}
    assert {"attribute_en, served", "attribute_en, hidden", "photo_and_words, hidden"} <= cells
    assert not any(cell.startswith("title_to_photo") for cell in cells)
    assert {look.kind for look in found} == {"text", "image", "text+image"}


@pytest.mark.parametrize("name", sorted(TRAINERS))
def test_what_is_learned_from_is_what_the_engine_serves(own: Shop, found: list[Look], name: RankerName):
    """The order made of a look is the engine's own answer, score by score."""
    wide = tuple(FEATURES[column] for column in range(0, len(FEATURES), 3))
    columns = [FEATURES.index(feature) for feature in wide]
    taught = examples(found, QUESTIONS)
    kept = Examples(taught.features[:, columns], taught.grades, taught.sizes, taught.weights)
    reranker = Reranker(name, TRAINERS[name](kept, wide, PARAMS), ("text", "image", "text+image"), own.facts)
    engines = pool_engines(POOL, TERMS, own.embeddings, own.encoder, SearchLogic(reranker=reranker))
    for look in found[::7]:
        engine = engines.served if look.cell.endswith("served") else engines.hidden
        hits = engine.search(as_asked(look.query, own.photos, None)).hits
        assert [(hit.id, hit.score) for hit in hits] == reranker.order(look.ranked, look.features[:, columns])[:10]


def look(query: str, cell: str, ranked: Sequence[str], features: Floats | None = None) -> Look:
    rows = np.full((len(ranked), len(FEATURES)), np.nan) if features is None else features
    scored = [(product_id, 1.0 - 0.01 * place) for place, product_id in enumerate(ranked)]
    return Look(EvaluationQuery(query, "shop", "en", query), "text", cell, scored, rows)


def graded(grades: Mapping[str, Mapping[str, int]]) -> EvaluationSet:
    return EvaluationSet(tuple(EvaluationQuery(name, "shop", "en", name) for name in grades), grades, ("a", "b", "c"))


def test_each_cell_weighs_the_same_and_what_teaches_nothing_is_left_out():
    questions = graded({"one": {"a": 3}, "two": {"b": 3}, "three": {"a": 1}, "lost": {"z": 3}})
    asked = [
        look("one", "often", ["a", "b"]),
        look("two", "often", ["a", "b", "c"]),
        look("three", "once", ["b", "a"]),
        look("lost", "once", ["a", "b"]),  # its answer is not among the candidates
    ]
    taught = examples(asked, questions)
    assert taught.grades.tolist() == [3, 0, 0, 3, 0, 0, 1]
    assert taught.sizes.tolist() == [2, 3, 2]
    assert taught.weights.tolist() == pytest.approx([0.75, 0.75, 1.5])  # 1/2, 1/2, 1 to a mean of 1


def table(*columns: Sequence[float], grades: Sequence[int]) -> Examples:
    size = np.array([len(grades)])
    return Examples(np.column_stack(columns).astype(np.float64), np.array(grades), size, np.ones(1))


def test_information_is_that_of_the_textbook():
    known = table([1, 2, 1, 2] * 5, [0, 0, 1, 1] * 5, [7, 7, 7, 7] * 5, grades=[0, 3, 0, 3] * 5)
    # the first feature is the grade: ln 2 nats; the second is independent of it; the third never changes
    assert information(known, ("same", "apart", "still")) == pytest.approx(
        {"same": math.log(2), "apart": 0, "still": 0}
    )


def test_not_being_known_may_tell_something():
    nan = math.nan
    tells = table([nan, 1, nan, 1] * 5, grades=[0, 3, 0, 3] * 5)
    assert information(tells, ("gap",)) == pytest.approx({"gap": math.log(2)})


def test_bins_hold_equal_values_together_and_the_unknown_apart():
    column = np.array([np.nan, 1.0, 1.0, 1.0, 5.0])
    bins = in_bins(column)
    assert bins[0] == 0
    assert bins[1] == bins[2] == bins[3] < bins[4]


def test_what_tells_most_is_kept_in_its_order_and_constants_never():
    nats = {"a": 0.1, "still": 0.0, "b": 0.3, "c": 0.2, "rounding": 1e-17}
    assert telling(nats, most=2, least=0.0) == ("b", "c")
    assert telling(nats, most=9, least=0.0) == ("a", "b", "c")
    assert telling(nats, most=9, least=0.15) == ("b", "c")


def judged_by(sign: float, questions: int = 20, margin: float = 0.005) -> KindVerdict:
    """Fused order: the answer last. `sign` 1 turns the order, -1 leaves it."""
    rows = np.full((3, len(FEATURES)), np.nan)
    rows[:, FEATURES.index("fused.rank")] = [1, 2, 3]
    asked = [look(f"q{n}", "cell", ["a", "b", "c"], rows) for n in range(questions)]
    reranker = Reranker("neural", one_feature("fused.rank", sign), (), ShopFacts())
    told = graded({f"q{n}": {"c": 3} for n in range(questions)})
    return verdicts(asked, told, reranker, margin=margin, seed=1, rounds=200)["text"]


def test_a_ranker_that_surely_helps_is_adopted():
    verdict = judged_by(1.0)
    # the answer moves from rank 3, worth 1 / log2(4), to rank 1
    assert verdict.adopted
    assert verdict.gain == pytest.approx(0.5)
    assert (verdict.cells["cell"].fused, verdict.cells["cell"].reranked) == pytest.approx((0.5, 1.0))


def test_one_that_changes_nothing_or_gains_less_than_the_margin_is_not():
    assert not judged_by(-1.0).adopted
    assert "are asked" in judged_by(1.0, margin=0.6).reason


def mixed(gains: Sequence[bool], cells: Sequence[str]) -> KindVerdict:
    """One question each: True is turned from worst to best, False from best to worst."""
    rows = np.full((3, len(FEATURES)), np.nan)
    rows[:, FEATURES.index("fused.rank")] = [1, 2, 3]
    asked = [look(f"q{n}", cell, ["a", "b", "c"], rows) for n, cell in enumerate(cells)]
    told = graded({f"q{n}": {"c" if better else "a": 3} for n, better in enumerate(gains)})
    reranker = Reranker("neural", one_feature("fused.rank", 1.0), (), ShopFacts())
    return verdicts(asked, told, reranker, margin=0.005, seed=1, rounds=500)["text"]


def test_a_gain_that_may_be_luck_is_not_enough():
    verdict = mixed([True, True, False], ["cell"] * 3)
    assert verdict.gain > 0.1
    assert "may be luck" in verdict.reason


def test_no_kind_of_question_pays_for_another():
    verdict = mixed([True] * 40 + [False] * 20, ["one"] * 20 + ["two"] * 20 + ["paying"] * 20)
    assert verdict.gain > 0.1
    assert not verdict.adopted
    assert "on paying" in verdict.reason


@pytest.mark.parametrize("name", sorted(TRAINERS))
def test_the_stage_trains_judges_and_tells(own: Shop, name: RankerName):
    reranker, told = rank(own, POOL[:32], POOL[32:], SearchLogic(), name, PARAMS)
    adopted = tuple(kind for kind, verdict in told["query_kinds"].items() if verdict["adopted"])
    assert (() if reranker is None else reranker.kinds) == adopted
    assert 1 <= len(told["features"]) <= PARAMS.features
    assert set(told["importance"]) == set(told["features"])
    assert told["information"]["product.rating"] == 0.0  # nobody rated anything
    assert "product.rating" not in told["features"]


def test_a_ranker_that_gains_too_little_is_not_kept(own: Shop):
    strict = PARAMS.model_copy(update={"margin": 1.0})
    reranker, told = rank(own, POOL[:32], POOL[32:], SearchLogic(), "lambdamart", strict)
    assert reranker is None
    assert all("are asked" in verdict["reason"] for verdict in told["query_kinds"].values())


def test_nothing_to_train_on_is_told_in_one_sentence(own: Shop):
    with pytest.raises(InvalidParams, match=r"split\.ranking leaves no product"):
        rank(own, [], POOL[32:], SearchLogic(), "lambdamart", PARAMS)
    with pytest.raises(InvalidParams, match=r"split\.validation leaves no product"):
        rank(own, POOL[:32], [], SearchLogic(), "lambdamart", PARAMS)
    with pytest.raises(InvalidParams, match=r"split\.ranking is 0"):
        check_ranker(RankParams(ranker="neural"), SplitParams(ranking=0.0))
    check_ranker(RankParams(ranker="none"), SplitParams(ranking=0.0))


def test_the_facts_of_a_shop():
    dated = [replace(POOL[0], updated_at="1970-01-02T00:00:00+00:00"), POOL[1]]
    clicks = [Interaction("u", "p1", "click", "2026-01-01"), Interaction("v", "p1", "buy", "2026-01-02")]
    assert shop_facts(dated, clicks) == ShopFacts(86_400.0, {"p1": 2})
    assert shop_facts(POOL, ()) == ShopFacts(None, None)
