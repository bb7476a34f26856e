"""Metrics of the first stage and exact re-scorers of the second: by hand, by definition, in the engine."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from catalog.errors import NotReady
from search.engine import Query, SearchEngine
from search.matching import METRICS, RESCORERS, Matching, MetricName, RescorerName, rescored
from search.memory import MemoryCollection
from search.ranking import Ranking
from tests.search.worlds import WordEncoder, catalogue, many_rows, rows_of

RNG = np.random.default_rng(5)


def units(count: int, width: int = 16) -> np.ndarray:
    vectors = RNG.normal(size=(count, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_scores_by_hand():
    vectors, query = np.array([[1, 0], [0, 1], [0.6, 0.8]], dtype=np.float32), np.array([2, 0], dtype=np.float32)
    assert METRICS["cosine"].scores(vectors, query).tolist() == pytest.approx([1, 0, 0.6])
    assert METRICS["inner_product"].scores(vectors, query).tolist() == pytest.approx([2, 0, 1.2])
    assert METRICS["euclidean"].scores(vectors, query).tolist() == pytest.approx([-1, -(5**0.5), -(2.6**0.5)])


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_gives_its_best_score_to_the_vector_itself(name: MetricName):
    vectors, metric = units(50), METRICS[name]
    for row in (0, 7):
        scores = metric.scores(vectors, vectors[row])
        assert int(scores.argmax()) == row
        assert scores[row] == pytest.approx(metric.best, abs=1e-6)


@pytest.mark.parametrize("name", METRICS)
def test_on_unit_vectors_every_metric_orders_like_the_cosine(name: MetricName):
    """|q - p|^2 = |q|^2 + |p|^2 - 2 q.p = 2 - 2 q.p: falling where the cosine rises."""
    vectors, queries = units(400), units(20)
    for query in queries:
        cosines = METRICS["cosine"].scores(vectors, query)
        order = np.argsort(-METRICS[name].scores(vectors, query), kind="stable")
        assert (np.diff(cosines[order]) <= 1e-6).all()
        assert np.allclose(METRICS["euclidean"].scores(vectors, query) ** 2, 2 - 2 * cosines, atol=1e-5)


def test_vectors_of_other_lengths_are_ordered_differently_so_the_metric_is_no_name_alone():
    vectors, query = np.array([[3, 0], [0.9, 0.1], [2, 2]], dtype=np.float32), np.array([1, 0.2], dtype=np.float32)
    product, distance = (METRICS[name].scores(vectors, query) for name in ("inner_product", "euclidean"))
    assert np.argsort(-product).tolist() == [0, 2, 1]  # 3.0, 0.92, 2.4
    assert np.argsort(-distance).tolist() == [1, 0, 2]  # 2.01, 0.14, 2.06


@pytest.mark.parametrize("metric", METRICS)
def test_the_engine_finds_the_same_products_by_every_metric(metric: MetricName):
    rows, ranking = many_rows(300), Ranking()
    usual = SearchEngine(WordEncoder(), MemoryCollection(rows, name="c", release="r1"), ranking)
    other = SearchEngine(
        WordEncoder(),
        MemoryCollection(replace(rows, metric=metric), name="c", release="r1"),
        ranking.model_copy(update={"matching": Matching(metric=metric)}),
    )
    for leg in ("dense", "image", "text"):
        query = Query(text="red summer dress", legs=(leg,), k=30)
        assert [hit.id for hit in other.search(query).hits] == [hit.id for hit in usual.search(query).hits]


def test_an_engine_refuses_a_collection_of_another_metric():
    collection = MemoryCollection(replace(rows_of(), metric="euclidean"), name="products_r1", release="r1")
    with pytest.raises(
        NotReady, match="products_r1 compares vectors by euclidean, and the ranking settings ask for cos"
    ):
        SearchEngine(WordEncoder(), collection, Ranking())


def test_the_metric_is_part_of_what_rows_are():
    assert len({replace(rows_of(), metric=name).digest for name in METRICS}) == len(METRICS)


def test_manhattan_distance_by_hand():
    found = RESCORERS["manhattan"](np.array([[0.6, 0.8], [0.0, -1.0]]), np.array([1.0, 0.0]), Matching())
    assert found.tolist() == pytest.approx([-(0.4 + 0.8), -(1.0 + 1.0)])


def test_kl_divergence_by_hand():
    """softmax(ln 3, 0) = (3/4, 1/4) and softmax(0, 0) = (1/2, 1/2)."""
    q, p = np.array([np.log(3.0), 0.0]), np.array([[0.0, 0.0]])
    forward = 0.75 * np.log(0.75 / 0.5) + 0.25 * np.log(0.25 / 0.5)
    backward = 0.5 * np.log(0.5 / 0.75) + 0.5 * np.log(0.5 / 0.25)
    assert RESCORERS["kl"](p, q, Matching(temperature=1.0))[0] == pytest.approx(-forward)
    assert RESCORERS["kl"](p, q, Matching(temperature=1.0, symmetric=True))[0] == pytest.approx(-forward - backward)
    assert RESCORERS["kl"](p, 2 * q, Matching(temperature=2.0))[0] == pytest.approx(-forward)


@pytest.mark.parametrize("name", RESCORERS)
def test_every_rescorer_puts_the_query_itself_first_and_stretches_to_the_old_range(name: RescorerName):
    vectors = units(40)
    query = vectors[9]
    scores = METRICS["cosine"].scores(vectors, query)
    before = sorted(((f"p{row:02}", float(scores[row])) for row in range(40)), key=lambda pair: (-pair[1], pair[0]))
    ordered = np.array([vectors[int(product_id[1:])] for product_id, _ in before])
    after = rescored(before, ordered, query, Matching(rescorer=name))
    assert after == sorted(after, key=lambda pair: (-pair[1], pair[0]))
    assert after[0] == ("p09", pytest.approx(1.0, abs=1e-6))
    assert after[-1][1] == pytest.approx(before[-1][1], abs=1e-6)
    assert {product_id for product_id, _ in after} == {product_id for product_id, _ in before}
    exact = RESCORERS[name](vectors.astype(np.float64), query.astype(np.float64), Matching(rescorer=name))
    assert [product_id for product_id, _ in after] == [f"p{row:02}" for row in np.argsort(-exact, kind="stable")]


@pytest.mark.parametrize("name", RESCORERS)
def test_every_rescorer_changes_what_the_dense_leg_says_and_nothing_else(name: RescorerName):
    rows, plain = many_rows(300), Ranking(candidates=50)
    engines = {
        rescorer: SearchEngine(
            WordEncoder(),
            MemoryCollection(rows, name="c", release="r1"),
            plain.model_copy(update={"matching": Matching(rescorer=rescorer)}),
        )
        for rescorer in ("none", name)
    }
    found = {rescorer: engine.retrieve(Query(text="red silk dress")) for rescorer, engine in engines.items()}
    before, after = found["none"].candidates, found[name].candidates
    assert {leg: before[leg] for leg in before if leg != "dense"} == {
        leg: after[leg] for leg in after if leg != "dense"
    }
    assert {product_id for product_id, _ in after["dense"]} == {product_id for product_id, _ in before["dense"]}
    assert [product_id for product_id, _ in after["dense"]] != [product_id for product_id, _ in before["dense"]]
    title = catalogue()[0].title
    small = MemoryCollection(rows_of(), name="c", release="r1")
    ranking = Ranking(matching=Matching(rescorer=name))
    assert SearchEngine(WordEncoder(), small, ranking).search(Query(text=title, k=1)).hits[0].id == "d1"


@pytest.mark.parametrize("wrong", [{"metric": "hamming"}, {"rescorer": "cosine"}, {"temperature": 0.0}, {"steps": 1}])
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        Matching.model_validate(wrong)
