"""The map of the catalogue: what is alike lies near, the same vectors give the same map, no picture is covered."""

import numpy as np
import pytest

from catalog.products import Product
from evaluation.run_page.catalogue_map import (
    COLOURED,
    EDGE,
    HEIGHT,
    LEAST,
    WIDTH,
    CatalogueMap,
    catalogue_map,
    same_neighbour,
    sampled,
)
from models.embeddings import ProductEmbeddings

CATEGORIES = ("Dresses", "Shirts", "Mugs", "Lamps")


def catalogue(
    count: int, categories: tuple[str, ...] = CATEGORIES, dim: int = 24
) -> tuple[list[Product], ProductEmbeddings]:
    """`count` products around the middle of their category, which lie far from each other."""
    generator = np.random.default_rng(3)
    middles = generator.normal(size=(len(categories), dim))
    products, rows = [], []
    for number in range(count):
        leaf = number % len(categories)
        products.append(Product(f"p{number:04}", f"g{number}", f"Thing {number}", category=("All", categories[leaf])))
        rows.append(middles[leaf] + 0.15 * generator.normal(size=dim))
    fused = np.asarray(rows, dtype=np.float32)
    fused /= np.linalg.norm(fused, axis=1, keepdims=True)
    there = np.ones(count, dtype=np.bool_)
    ids = [product.id for product in products]
    return products, ProductEmbeddings(ids, fused, fused, fused, there, there, "e", "s")


def picture(product: Product) -> str:
    return f"data:image/jpeg;base64,{product.id}"


@pytest.fixture(scope="module")
def drawn() -> CatalogueMap:
    products, embeddings = catalogue(160)
    found = catalogue_map(embeddings, products, picture, seed=7)
    assert found is not None
    return found


def test_products_of_one_category_lie_nearer_to_each_other_than_to_others(drawn: CatalogueMap) -> None:
    places = {each.name: np.array([(point.x, point.y) for point in each.points]) for each in drawn.categories}
    assert set(places) == set(CATEGORIES)
    for name, own in places.items():
        middle = own.mean(axis=0)
        within = np.linalg.norm(own - middle, axis=1).mean()
        for other, theirs in places.items():
            if other != name:
                assert within < 0.5 * np.linalg.norm(theirs - middle, axis=1).mean()
    assert drawn.near_space == drawn.near_map == 1.0


def test_the_same_vectors_give_the_same_map_and_it_stays_on_its_paper(drawn: CatalogueMap) -> None:
    products, embeddings = catalogue(160)
    assert catalogue_map(embeddings, products, picture, seed=7) == drawn
    points = [point for each in drawn.categories for point in each.points]
    assert len(points) == 160
    assert all(EDGE <= point.x <= WIDTH - EDGE and EDGE <= point.y <= HEIGHT - EDGE for point in points)


def test_landmarks_are_products_of_their_category_and_cover_no_other(drawn: CatalogueMap) -> None:
    leaves = {f"p{number:04}": CATEGORIES[number % 4] for number in range(160)}
    assert {mark.label for mark in drawn.landmarks} == set(CATEGORIES)
    for mark in drawn.landmarks:
        assert leaves[mark.picture.rpartition(",")[2]] == mark.label
        for other in drawn.landmarks:
            apart = max(abs(mark.x - other.x), abs(mark.y - other.y))
            assert mark is other or apart > drawn.side


def test_a_large_catalogue_is_drawn_by_lot_and_a_tiny_one_not_at_all() -> None:
    products, embeddings = catalogue(300)
    rows = sampled(embeddings, {product.id for product in products}, seed=7, most=40)
    assert len(rows) == len(set(rows.tolist())) == 40
    assert rows.tolist() == sorted(rows.tolist())
    assert rows.tolist() == sampled(embeddings, {product.id for product in products}, seed=7, most=40).tolist()
    assert sampled(embeddings, {"p0007"}, seed=7, most=40).tolist() == [7]
    assert catalogue_map(embeddings, products[: LEAST - 1], picture, seed=7) is None


def test_a_product_without_a_vector_is_on_no_map() -> None:
    products, embeddings = catalogue(30)
    embeddings.fused[4] = 0.0
    assert 4 not in sampled(embeddings, {product.id for product in products}, seed=7, most=99).tolist()


def test_the_largest_categories_have_colours_and_the_rest_are_others() -> None:
    products, embeddings = catalogue(66, tuple(f"c{number:02}" for number in range(COLOURED + 3)))
    found = catalogue_map(embeddings, products, lambda _: "", seed=7)
    assert found is not None
    assert [each.colour for each in found.categories] == [*range(1, COLOURED + 1), 0]
    assert (found.categories[-1].name, found.categories[-1].count) == ("others", 18)
    assert found.landmarks == []  # nobody has a picture


def test_how_often_the_nearest_is_of_the_same_category_is_counted() -> None:
    line = np.array([[0.0], [1.0], [5.0], [6.0], [6.5]])
    assert same_neighbour(line, np.array(["a", "a", "a", "b", "b"])) == 0.8
