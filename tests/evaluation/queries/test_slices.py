"""Slices: what is head, what is tail, and which slice a query with several answers is in."""

from catalog.products import Product
from evaluation.queries.slices import head_categories, product_slices, shared_slices


def product(number: int, *category: str, images: tuple[str, ...] = ("i",)) -> Product:
    return Product(id=str(number), group_id=str(number), title="t", category=category, images=images)


def test_the_head_is_the_fewest_categories_that_hold_the_share() -> None:
    counts = {"Shirts": 6, "Shoes": 2, "Ties": 1, "Caps": 1}
    products = [product(i, "All", name) for name, count in counts.items() for i in range(count)]
    assert head_categories(products, 0.6) == {"Shirts"}
    assert head_categories(products, 0.61) == {"Shirts", "Shoes"}


def test_categories_as_frequent_as_the_last_one_of_the_head_belong_to_it() -> None:
    products = [product(i, name) for name in ("A", "B", "C", "D") for i in range(5)]
    assert head_categories(products, 0.5) == {"A", "B", "C", "D"}


def test_no_products_have_no_head() -> None:
    assert head_categories([], 0.8) == frozenset()


def test_a_product_is_in_one_slice_of_every_dimension() -> None:
    assert product_slices(product(1, "Footwear", "Shoes", images=()), frozenset({"Shoes"})) == (
        "category=Footwear",
        "leaf=Shoes",
        "picture=missing",
        "frequency=head",
    )
    assert product_slices(product(1), frozenset())[:2] == ("category=none", "leaf=none")


def test_a_query_with_several_answers_is_only_where_all_of_them_are() -> None:
    answers = [product(1, "Footwear", "Shoes"), product(2, "Footwear", "Boots")]
    assert shared_slices(answers, frozenset({"Shoes"})) == ("category=Footwear", "picture=present")
    assert shared_slices([], frozenset()) == ()
