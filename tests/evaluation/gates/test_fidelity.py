"""Index fidelity: what overlap@10 counts, and which filters are asked."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from catalog.products import Product
from catalog.words.terms import TermIndex
from evaluation.gates.fidelity import filters_by_selectivity, index_fidelity, overlap, own_vectors, own_words
from models.embeddings import ProductEmbeddings
from search.collection import Scored
from search.filters import Filter, parse_filters
from search.memory import MemoryCollection
from search.rows import build_rows
from tests.evaluation.worlds import FacetEncoder, embedded, media, shop


def collection(products: Sequence[Product], dim: int = 8) -> MemoryCollection:
    """`products` with random unit vectors."""
    vectors = np.random.default_rng(1).normal(size=(len(products), dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    everywhere = np.ones(len(products), dtype=bool)
    ids = [product.id for product in products]
    embeddings = ProductEmbeddings(ids, vectors, vectors, vectors, everywhere, everywhere, "encoder", "snapshot")
    rows = build_rows(products, embeddings, TermIndex([]))
    return MemoryCollection(rows, name="products", release="r1")


class Forgetful(MemoryCollection):
    """Loses every tenth product, and under a filter every second one: an approximate index."""

    def search(self, leg: str, query: NDArray[np.float32] | str, limit: int, narrow: Filter) -> Scored:
        every = 2 if narrow else 10
        found = super().search(leg, query, self.count(), narrow)
        return [hit for place, hit in enumerate(found) if place % every != every - 1][:limit]


def queries(count: int = 5, dim: int = 8) -> dict[str, NDArray[np.float32]]:
    return {"dense": np.random.default_rng(2).normal(size=(count, dim)).astype(np.float32)}


def test_overlap_is_the_share_of_the_true_first_ten() -> None:
    truth = [(f"p{place}", 1.0 - place / 100) for place in range(20)]
    assert overlap(truth, [f"p{place}" for place in range(10)]) == 1.0
    assert overlap(truth, [f"p{place}" for place in (9, 8, 7, 6, 5, 4, 3, 2, 1, 0)]) == 1.0  # order is not asked
    assert overlap(truth, [f"p{place}" for place in (0, 1, 2, 3, 4, 5, 10, 11, 12, 13)]) == 0.6
    assert overlap(truth, [f"p{place}" for place in range(5)]) == 0.5


def test_products_that_tie_may_change_places() -> None:
    truth = [("a", 1.0), ("b", 0.5), ("c", 0.5), ("d", 0.4)]
    assert overlap(truth, ["a", "c"], depth=2) == 1.0
    assert overlap(truth, ["a", "d"], depth=2) == 0.5


def test_fewer_products_than_ten_must_all_be_found_and_no_others() -> None:
    truth = [("a", 1.0), ("b", 0.5)]
    assert overlap(truth, ["a", "b"]) == 1.0
    assert overlap(truth, ["a"]) == 0.5
    assert overlap(truth, ["a", "b", "x", "y"]) == 0.5  # two that do not pass the filter
    assert overlap([], []) == 1.0
    assert overlap([], ["a"]) == 0.0


def test_exact_search_agrees_with_itself_under_every_filter() -> None:
    products = shop(400)
    exact = collection(products)
    found = index_fidelity(exact, exact, queries(), filters_by_selectivity(products))
    assert found.overlap == 1.0
    assert found.filtered == {"50%": 1.0, "10%": 1.0, "1%": 1.0}


def test_an_index_that_loses_products_is_seen_with_and_without_filters() -> None:
    products = shop(400)
    exact = collection(products)
    lossy = Forgetful(exact.rows, name="products", release="r1")
    found = index_fidelity(exact, lossy, queries(), filters_by_selectivity(products))
    assert found.overlap == pytest.approx(0.9)  # the tenth of the first ten
    assert found.filtered["10%"] == pytest.approx(0.5)  # every second of the first ten
    assert found.filtered["1%"] == pytest.approx(0.5)  # 4 products pass, 2 are found


@pytest.mark.parametrize("count", [400, 3000])
def test_filters_let_about_the_wanted_share_through(count: int) -> None:
    products = shop(count)
    exact = collection(products)
    for name, raw in filters_by_selectivity(products).items():
        passed = int(exact.rows.mask(parse_filters(raw, exact.fields)).sum())
        assert passed / count == pytest.approx(float(name.rstrip("%")) / 100, rel=0.25)


def test_without_prices_the_values_of_a_field_are_added_up() -> None:
    products = [Product(id=f"{n}", group_id=f"{n}", title="t", attributes={"size": f"s{n % 20}"}) for n in range(200)]
    filters = filters_by_selectivity(products)
    assert [len(filters[name]["size"]) for name in ("50%", "10%")] == [10, 2]
    assert "1%" not in filters  # one value is 5 %, more than twice as much


def test_a_selectivity_that_the_catalogue_cannot_give_is_left_out() -> None:
    assert filters_by_selectivity([Product(id="a", group_id="a", title="t")]) == {}


def test_fidelity_without_a_query_is_an_error() -> None:
    exact = collection(shop(20))
    with pytest.raises(ValueError, match="at least one query"):
        index_fidelity(exact, exact, {"dense": np.zeros((0, 8), dtype=np.float32)}, {})


def test_words_are_stored_as_questions_are_read() -> None:
    products = shop(48)
    exact = collection(products)
    assert own_words(exact, products) == 1.0
    otherwise = replace(exact.rows, words=tuple(words.replace(" ", "") for words in exact.rows.words))
    assert own_words(MemoryCollection(otherwise, name="products", release="r1"), products) == 0.0
    assert own_words(exact, [Product(id="p000", group_id="p000", title="")]) is None


def test_a_product_is_found_by_its_title_too_where_it_shares_it_with_more_than_ten() -> None:
    products = [Product(id=f"p{n:03}", group_id=f"p{n}", title="Red dress") for n in range(40)]
    assert own_words(collection(products), products) == 1.0


def test_stored_vectors_are_what_the_encoder_gives_for_their_product(tmp_path: Path) -> None:
    products, encoder, store = shop(48), FacetEncoder(), media(tmp_path)
    stored = embedded(products, store, encoder)
    right = build_rows(products, stored, TermIndex([]))
    assert own_vectors(right, encoder, products, store.read) == pytest.approx({"text": 1.0, "image": 1.0})
    of_the_next = replace(stored, text=np.roll(stored.text, 1, axis=0))
    stale = embedded(products, store, FacetEncoder(blind=True))
    for wrong in (of_the_next, stale):
        found = own_vectors(build_rows(products, wrong, TermIndex([])), encoder, products, store.read)
        assert found["text"] < 0.999


def test_a_product_of_words_alone_is_held_against_its_words() -> None:
    products = [Product(id="a", group_id="a", title="Red dress")]
    exact = collection(products)
    assert set(own_vectors(exact.rows, OfEight(), products, lambda media: b"")) == {"text"}


class OfEight(FacetEncoder):
    """As wide as `collection`."""

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.ones((len(texts), 8), dtype=np.float32)
