"""What anyone may expect of the search, whatever the model: invariances, directions, and promise 1 of the design."""

from dataclasses import replace

import pytest

from catalog.products import Product
from search.engine import Query, SearchEngine
from search.milvus.store import MilvusStore
from search.query import WeightedTerm
from search.ranking import Ranking
from tests.search.worlds import WordEncoder, catalogue, engine_of, rows_of, store_path

QUERIES = (
    Query(text="red dress"),
    Query(text="红色连衣裙", k=3),
    Query(text="blue shirt", filters={"price": {"lt": 30}}),
    Query(images=(b"red shirt",)),
    Query(text="silk", images=(b"green dress",), k=5),
    Query(text="red", legs=("image",)),
    Query(images=(b"red shirt", b"red dress"), terms=(WeightedTerm("blue"), WeightedTerm("red", -0.5))),
)


@pytest.fixture(scope="module")
def evaluated() -> SearchEngine:
    """As the evaluation stage builds it: rows in memory."""
    return engine_of()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> SearchEngine:
    """As the service builds it: the release's collection, written to Milvus and read back."""
    store = MilvusStore(store_path(tmp_path_factory.mktemp("store")))
    store.write(rows_of(), "r1")
    return SearchEngine(WordEncoder(), store.open("r1"), Ranking())


def ids(engine: SearchEngine, query: Query) -> list[str]:
    return [hit.id for hit in engine.search(query).hits]


@pytest.mark.parametrize("query", QUERIES)
def test_the_same_query_gives_the_same_answer_in_evaluation_and_in_production(
    evaluated: SearchEngine, served: SearchEngine, query: Query
) -> None:
    here, there = evaluated.search(query).hits, served.search(query).hits
    assert [hit.id for hit in here] == [hit.id for hit in there]
    assert [hit.score for hit in here] == pytest.approx([hit.score for hit in there], abs=1e-6)
    assert [hit.product for hit in here] == [hit.product for hit in there]


@pytest.mark.parametrize("text", ["RED dress", "  red   dress ", "red dresses", "Ｒｅｄ dress"])
def test_case_spaces_plural_and_width_do_not_change_the_words_found(evaluated: SearchEngine, text: str) -> None:
    words = ("lexical",)
    assert ids(evaluated, Query(text=text, legs=words)) == ids(evaluated, Query(text="red dress", legs=words))


def test_a_smaller_k_is_the_beginning_of_a_larger_one(evaluated: SearchEngine) -> None:
    assert ids(evaluated, Query(text="red dress", k=3)) == ids(evaluated, Query(text="red dress", k=9))[:3]


@pytest.mark.parametrize(
    "filters",
    [{"colour": "Red"}, {"in_stock": True}, {"price": {"gte": 20}}, {"category": "Dresses", "colour": "Blue"}],
)
def test_a_filter_only_takes_hits_away(evaluated: SearchEngine, filters: dict[str, object]) -> None:
    everything = ids(evaluated, Query(text="red summer dress", k=100))
    narrowed = ids(evaluated, Query(text="red summer dress", k=100, filters=filters))
    assert 0 < len(narrowed) < len(everything)
    assert set(narrowed) < set(everything)


def test_a_product_without_a_picture_is_found_by_its_words_and_one_without_words_by_its_looks(
    evaluated: SearchEngine,
) -> None:
    assert ids(evaluated, Query(text="yellow raincoat"))[0] == "n1"
    assert ids(evaluated, Query(images=(b"purple hat",)))[0] == "p1"


def test_a_second_product_does_not_change_how_well_the_first_fits(evaluated: SearchEngine) -> None:
    first = next(hit for hit in evaluated.search(Query(text="red summer dress")).hits if hit.id == "d1")
    newcomer: Product = replace(catalogue()[-1], id="late", group_id="late", title="Green wool mitten", images=())
    later = engine_of(rows_of([*catalogue(), newcomer]))
    again = next(hit for hit in later.search(Query(text="red summer dress")).hits if hit.id == "d1")
    for leg in ("dense", "image", "text"):
        assert again.legs[leg].score == pytest.approx(first.legs[leg].score, abs=1e-6)


def test_words_beside_a_photo_pull_the_answer_towards_them(evaluated: SearchEngine) -> None:
    def rank(text_weight: float) -> int:
        query = Query(text="green party", images=(b"red dress",), k=12, legs=("dense",), text_weight=text_weight)
        return ids(evaluated, query).index("d3")

    assert rank(1.0) <= rank(0.5) <= rank(0.0)
    assert rank(1.0) < rank(0.0)
