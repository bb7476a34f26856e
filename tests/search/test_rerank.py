"""The second look inside the engine: whom it concerns, what it may change, and what it says of itself."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import NotReady
from search.engine import SearchEngine
from search.memory import MemoryCollection
from search.query import Query
from search.ranking import FUSIONS, FusionName, Ranking
from search.ranking.features import ShopFacts
from search.ranking.neural import Network, Weights
from search.ranking.rerank import BASE, Reranker
from tests.search.worlds import WordEncoder, many_rows, rows_of

FEATURES = ("fused.score", "product.price")


def cheapest_first(features: tuple[str, ...] = FEATURES) -> Network:
    """A network that likes a low price: score = relu((30 - price) / 10) - relu((price - 30) / 10), 0 where unknown."""
    price = features.index("product.price")
    first = np.zeros((2 * len(features), 2))
    first[price] = [-1.0, 1.0]
    mean, spread = np.zeros(len(features)), np.ones(len(features))
    mean[price], spread[price] = 30.0, 10.0
    weights = Weights(mean, spread, first, np.zeros(2), np.eye(2), np.zeros(2), np.array([1.0, -1.0]))
    return Network(weights, features)


RERANKER = Reranker("neural", cheapest_first(), ("text",), ShopFacts())


def engine(reranker: Reranker | None = RERANKER, ranking: Ranking | None = None, many: int = 0) -> SearchEngine:
    rows = many_rows(many) if many else rows_of()
    collection = MemoryCollection(rows, name="products_r1", release="r1")
    return SearchEngine(WordEncoder(), collection, ranking or Ranking(), reranker=reranker)


def test_the_ranker_decides_the_order():
    hits = engine().search(Query(text="dress", k=12)).hits
    prices = [hit.product["price"] for hit in hits]
    known = [price for price in prices if price is not None and price < 80]  # beyond 5 deviations all are as far
    assert known == sorted(known)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_it_reorders_what_the_fusion_put_forward_and_adds_nothing():
    query = Query(text="red dress", k=12)
    plain, again = engine(None).search(query), engine().search(query)
    assert sorted(hit.id for hit in plain.hits) == sorted(hit.id for hit in again.hits)
    assert [hit.id for hit in plain.hits] != [hit.id for hit in again.hits]


def test_only_the_top_of_the_fused_list_is_looked_at():
    few = Ranking(candidates=7)
    query = Query(text="red dress", k=7)
    top = {hit.id for hit in engine(None, few, 200).search(query).hits}
    assert {hit.id for hit in engine(RERANKER, few, 200).search(query).hits} == top


@pytest.mark.parametrize(
    "query",
    [
        Query(images=(b"red dress",)),
        Query(text="red", images=(b"dress",)),
        Query(text="red dress", legs=("dense", "lexical")),
    ],
    ids=["a photo", "photo and words", "named legs"],
)
def test_kinds_it_was_not_adopted_for_and_named_legs_keep_the_fused_order(query: Query):
    plain, again = engine(None).search(query), engine().search(query)
    assert [(hit.id, hit.score) for hit in plain.hits] == [(hit.id, hit.score) for hit in again.hits]


def test_products_like_another_keep_the_fused_order():
    plain, again = engine(None).similar("d1", k=5), engine().similar("d1", k=5)
    assert [(hit.id, hit.score) for hit in plain.hits] == [(hit.id, hit.score) for hit in again.hits]


def test_a_query_that_finds_nothing_is_answered_with_nothing():
    query = Query(text="red dress", filters={"price": {"gt": 10_000}}, explain=True)
    assert engine().search(query).hits == ()


def test_nothing_is_explained_unasked():
    assert all(hit.contributions is None for hit in engine().search(Query(text="dress")).hits)


def test_what_the_features_add_sums_to_the_score():
    hits = engine().search(Query(text="dress", k=12, explain=True)).hits
    for hit in hits:
        assert hit.contributions is not None
        assert set(hit.contributions) == {*FEATURES, BASE}
        assert sum(hit.contributions.values()) == pytest.approx(hit.score, abs=1e-6)
    cheap, dear = hits[0].contributions, hits[-1].contributions
    assert cheap is not None
    assert dear is not None
    assert cheap["product.price"] > 0 > dear["product.price"]
    assert cheap["fused.score"] == 0.0  # this network does not look at it


@pytest.mark.parametrize("fusion", FUSIONS)
def test_without_a_ranker_the_legs_are_what_adds_up(fusion: FusionName):
    hits = engine(None, Ranking(fusion=fusion)).search(Query(text="red dress", k=12, explain=True)).hits
    for hit in hits:
        assert hit.contributions is not None
        assert sum(hit.contributions.values()) == pytest.approx(hit.score, abs=1e-6)


def test_explaining_changes_no_answer():
    plain, explained = (engine().search(Query(text="dress", k=12, explain=explain)).hits for explain in (False, True))
    assert [replace(hit, contributions=None, reasons=None) for hit in explained] == list(plain)


def test_it_comes_back_from_disk_as_it_was(tmp_path: Path):
    facts = ShopFacts(newest=1.5, actions={"d1": 3})
    reranker = Reranker("neural", cheapest_first(), ("text", "image"), facts)
    reranker.save(tmp_path)
    again = Reranker.load(tmp_path)
    assert (again.name, again.kinds, again.facts, again.ranker.features) == (
        "neural",
        ("text", "image"),
        facts,
        FEATURES,
    )
    query = Query(text="dress", k=12)
    assert engine(again).search(query).hits == engine(reranker).search(query).hits


def test_a_folder_that_holds_no_ranker_is_refused_with_a_sentence(tmp_path: Path):
    with pytest.raises(NotReady, match="run the rank stage"):
        Reranker.load(tmp_path)
    RERANKER.save(tmp_path)
    document = tmp_path / "reranker.json"
    whole = document.read_text()
    document.write_text(whole.replace("product.price", "product.smell"))
    with pytest.raises(NotReady, match=r"there is no feature 'product\.smell'"):
        Reranker.load(tmp_path)
    document.write_text(whole)
    (tmp_path / "neural.npz").write_bytes(b"not arrays")
    with pytest.raises(NotReady, match="does not hold plain arrays of numbers"):
        Reranker.load(tmp_path)
