"""One suite for every way to answer: rows in memory, the embedded store read or asked, a server over the network."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from catalog.errors import UnknownProduct
from search.collection import LEGS, Collection, Scored
from search.filters import parse_filters
from search.matching import METRICS, MetricName
from search.memory import MemoryCollection
from search.milvus.store import MilvusStore
from search.reading import Reading
from tests.search.worlds import WordEncoder, many_rows, rows_of, store_path

RELEASE = "conf-1"
SMALL, MANY = rows_of(), many_rows(700)
QUERIES = ["red dress", "blue summer", "grey wool sock", "silk", "红色 dress"]
FILTERS = [
    {},
    {"colour": "red"},
    {"colour": ["Red", "Blue"], "in_stock": True},
    {"price": {"gte": 20, "lt": 60}},
    {"price": {"gt": 1000}},
    {"colour": "no such colour"},
]


# The other metrics where vectors are compared in process and where Milvus compares them; the rest is the same code.
SETUPS: list[tuple[str, MetricName]] = [
    *((way, "cosine") for way in ("memory", "embedded, read", "embedded, read apart", "embedded, asked", "server")),
    *((way, name) for way in ("memory", "embedded, asked") for name in METRICS if name != "cosine"),
]


@pytest.fixture(scope="module", params=SETUPS, ids=lambda setup: f"{setup[0]}, {setup[1]}")
def setup(request: pytest.FixtureRequest) -> tuple[str, MetricName]:
    """A way to answer, and the metric of the index."""
    chosen: tuple[str, MetricName] = request.param
    return chosen


@pytest.fixture(scope="module")
def metric(setup: tuple[str, MetricName]) -> MetricName:
    return setup[1]


@pytest.fixture(scope="module")
def collections(
    request: pytest.FixtureRequest, setup: tuple[str, MetricName], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Collection]]:
    """The small and the larger catalogue, in that order."""
    way, metric = setup
    both = [replace(rows, metric=metric) for rows in (SMALL, MANY)]
    if way == "memory":
        yield [MemoryCollection(rows, name="products_conf_1", release=RELEASE) for rows in both]
        return
    places = [store_path(tmp_path_factory.mktemp("store")) for _ in range(2)]
    releases = [RELEASE, RELEASE]
    if way == "server":
        places, releases = [request.getfixturevalue("server")] * 2, [RELEASE, "conf-2"]
    stores = [MilvusStore(place) for place in places]
    for store, rows, release in zip(stores, both, releases, strict=True):
        store.write(rows, release)
    if way == "embedded, asked":
        with stores[0].asked(RELEASE) as small, stores[1].asked(RELEASE) as many:
            yield [small, many]
    elif way == "embedded, read apart":
        readings = [
            Reading(place, release, WordEncoder.fingerprint, 5.0)
            for place, release in zip(places, releases, strict=True)
        ]
        yield [reading.collection() for reading in readings]
        for reading in readings:
            reading.close()
    else:
        yield [store.open(release) for store, release in zip(stores, releases, strict=True)]
    for store in stores:
        store.close()


def exact(metric: MetricName) -> list[MemoryCollection]:
    both = [replace(rows, metric=metric) for rows in (SMALL, MANY)]
    return [MemoryCollection(rows, name="products_exact", release=RELEASE) for rows in both]


def query_for(leg: str, words: str) -> "np.ndarray | str":
    return words if leg == "lexical" else WordEncoder().encode_text([words])[0]


def agree(found: Scored, truth: Scored, limit: int) -> None:
    """The same scores, and the same products where the cut at `limit` does not go through a tie."""
    assert [score for _, score in found] == pytest.approx([score for _, score in truth[:limit]], abs=2e-5)
    last = truth[:limit][-1][1] if truth else 0.0
    sure = {product_id for product_id, score in truth if score > last + 2e-5}
    possible = {product_id for product_id, score in truth if score > last - 2e-5}
    ids = {product_id for product_id, _ in found}
    assert sure <= ids <= possible


def test_it_says_what_it_is(collections: list[Collection], metric: MetricName):
    for collection, rows in zip(collections, (SMALL, MANY), strict=True):
        assert collection.release.startswith("conf-")
        assert collection.name.startswith("products_conf_")
        assert collection.encoder == WordEncoder.fingerprint
        assert collection.fields == rows.fields
        assert collection.metric == metric
        assert collection.count() == len(rows)


@pytest.mark.parametrize("leg", LEGS)
@pytest.mark.parametrize("raw", FILTERS)
def test_every_leg_finds_what_exact_search_finds(
    collections: list[Collection], metric: MetricName, leg: str, raw: dict[str, object]
):
    for collection, reference in zip(collections, exact(metric), strict=True):
        narrow = parse_filters(raw, collection.fields)
        for words in QUERIES:
            query = query_for(leg, words)
            truth = reference.search(leg, query, reference.count(), narrow)
            for limit in (1, 10):
                agree(collection.search(leg, query, limit, narrow), truth, limit)


@pytest.mark.parametrize("leg", LEGS)
def test_scores_fall_and_equal_ones_come_by_id(collections: list[Collection], leg: str):
    found = collections[0].search(leg, query_for(leg, "grey wool sock"), 5)
    assert found == sorted(found, key=lambda scored: (-scored[1], scored[0]))
    assert [product_id for product_id, _ in found[:2]] == ["x", "y"]


@pytest.mark.parametrize("leg", ["dense", "image", "text"])
def test_a_limit_over_the_catalogue_gives_every_product_that_has_the_modality(collections: list[Collection], leg: str):
    lacking = {"dense": set(), "image": {"n1", "n2"}, "text": {"p1"}}[leg]
    found = collections[0].search(leg, query_for(leg, "red"), 1000)
    assert {product_id for product_id, _ in found} == set(SMALL.ids) - lacking


@pytest.mark.parametrize("words", ["zzz", "!!!", '" or 1==1', "\U0001f457"])
def test_words_that_no_product_has_find_nothing(collections: list[Collection], words: str):
    assert collections[0].search("lexical", words, 10) == []


def test_only_products_that_share_a_word_are_in_the_lexical_leg(collections: list[Collection]):
    assert {product_id for product_id, _ in collections[0].search("lexical", "denim", 10)} == {"s2"}
    assert {product_id for product_id, _ in collections[0].search("lexical", "红色", 10)} == {"d1", "s1", "z1"}


def test_it_knows_the_facet_tags_of_its_products(collections: list[Collection]):
    for collection, rows in zip(collections, (SMALL, MANY), strict=True):
        asked = [rows.ids[row] for row in (3, 0, 5)]
        tags = collection.tags_of(asked)
        assert list(tags) == asked
        assert {product_id: tuple(own) for product_id, own in tags.items()} == {
            product_id: rows.tags[rows.position[product_id]] for product_id in asked
        }
        assert collection.tags_of([]) == {}
    with pytest.raises(UnknownProduct):
        collections[0].tags_of(["no such"])


def test_it_knows_in_which_legs_a_product_can_be_found(collections: list[Collection]):
    legs = collections[0].legs_of(["p1", "n1", "d1"])
    assert legs == {
        "p1": frozenset({"dense", "image"}),
        "n1": frozenset({"dense", "text", "lexical"}),
        "d1": frozenset(LEGS),
    }
    assert collections[0].legs_of([]) == {}


def test_payloads_and_vectors_come_in_the_order_of_the_ids(collections: list[Collection]):
    ids = ["s2", "d1", "z1", "n1"]
    assert [payload["id"] for payload in collections[0].products(ids)] == ids
    assert collections[0].products(["d1"]) == [SMALL.payloads[SMALL.position["d1"]]]
    vectors = collections[0].vectors(ids, "image")
    assert np.allclose(vectors, SMALL.vectors["image"][[SMALL.position[each] for each in ids]], atol=1e-6)
    assert not vectors[3].any()  # n1 has no picture


def test_more_ids_than_one_call_takes_are_fetched_all(collections: list[Collection]):
    assert [payload["id"] for payload in collections[1].products(MANY.ids)] == list(MANY.ids)


@pytest.mark.parametrize("wrong", ["nobody", "", '" or "" == "'])
def test_an_unknown_id_is_refused(collections: list[Collection], wrong: str):
    for ask in (collections[0].products, collections[0].legs_of, lambda ids: collections[0].vectors(ids, "text")):
        with pytest.raises(UnknownProduct, match="There is no product"):
            ask(["d1", wrong])
