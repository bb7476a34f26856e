"""Index fidelity: what overlap@10 counts, and which filters are asked."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from catalog.products import Product
from catalog.terms import TermIndex
from evaluation.fidelity import filters_by_selectivity, index_fidelity, overlap
from models.embeddings import ProductEmbeddings
from search.collection import Scored
from search.filters import Filter, parse_filters
from search.memory import MemoryCollection
from search.rows import build_rows
from tests.evaluation.worlds import shop


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
