"""Which products have which facets: the source of DERIVED grades. Nobody judged them: they are read off attributes.

A product that has all that a query wants is graded 3, one that is of the wanted category alone is graded 1.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from catalog.products import CATEGORY, Product

ALL, TYPE_ALONE = 3, 1  # grades

Facet = tuple[str, str]  # field, value


class FacetIndex:
    """Which products of the pool have a facet. `askers` are those that queries are made from, all of the pool if None.

    >>> shoe = Product(id="a", group_id="a", title="", category=("Shoes",), attributes={"colour": "Red"})
    >>> sock = Product(id="b", group_id="b", title="", category=("Socks",), attributes={"colour": "Red"})
    >>> [product.id for product in FacetIndex([shoe, sock]).having([("colour", "Red"), ("category", "Socks")])]
    ['b']
    """

    def __init__(self, pool: Sequence[Product], askers: Sequence[Product] | None = None) -> None:
        self.pool = pool
        self.askers = pool if askers is None else askers
        self._having: defaultdict[Facet, set[int]] = defaultdict(set)
        for number, product in enumerate(pool):
            for facet in product.facets().items():
                self._having[facet].add(number)

    def having(self, facets: Iterable[Facet]) -> list[Product]:
        """The products that have all of `facets`, in the order of the pool."""
        found = [self._having.get(facet, set()) for facet in facets]
        return [self.pool[number] for number in sorted(set.intersection(*found))] if found else []

    def tells_apart(self, products: Sequence[Product]) -> bool:
        """Whether 1 to pool/4 products were found: more would be found by chance."""
        return 1 <= len(products) <= len(self.pool) / 4

    def grades(self, wanted: Iterable[Facet], without: str | None = None) -> dict[str, int]:
        """Product id -> grade, for the products that have all of `wanted` or are of its category; not `without`."""
        facets = list(wanted)
        category = [(field, value) for field, value in facets if field == CATEGORY]
        graded = {product.id: TYPE_ALONE for product in self.having(category)}
        graded |= {product.id: ALL for product in self.having(facets)}
        return {product_id: grade for product_id, grade in graded.items() if product_id != without}
