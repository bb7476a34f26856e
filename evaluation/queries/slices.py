"""Named subsets of the queries, as "dimension=value" strings: category, picture, frequency, language, facets, and
language x facets, which counts the facets wanted."""

from collections import Counter
from collections.abc import Iterable, Sequence

from catalog.products import Product

NO_CATEGORY = "none"


def head_categories(products: Iterable[Product], share: float) -> frozenset[str]:
    """The leaf categories, most frequent first, that together hold `share` of the products: the head.

    Categories as frequent as the last one taken belong to the head too, so ties do not depend on names.
    """
    counts = Counter(leaf(product) for product in products)
    wanted, covered, least = share * counts.total(), 0, 0
    for _, count in counts.most_common():
        if covered >= wanted:
            break
        covered, least = covered + count, count
    return frozenset(name for name, count in counts.items() if count >= least)


def leaf(product: Product) -> str:
    """The narrowest category of a product."""
    return product.category[-1] if product.category else NO_CATEGORY


def product_slices(product: Product, head: frozenset[str]) -> tuple[str, ...]:
    """The slices of a query that looks for `product`."""
    return (
        f"category={product.category[0] if product.category else NO_CATEGORY}",
        f"leaf={leaf(product)}",
        f"picture={'present' if product.images else 'missing'}",
        f"frequency={'head' if leaf(product) in head else 'tail'}",
    )


def shared_slices(products: Sequence[Product], head: frozenset[str]) -> tuple[str, ...]:
    """The slices that all of `products` (the answers to one query) have: a mixed query is in no category."""
    if not products:
        return ()
    shared = set(product_slices(products[0], head)).intersection(
        *(product_slices(product, head) for product in products[1:])
    )
    return tuple(name for name in product_slices(products[0], head) if name in shared)
