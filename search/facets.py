"""Facets with counts: how many of the products that a query found have each value of a field.

    counted(products, ("colour",)) -> {"colour": (("Red", 12), ("Blue", 3))}

Counted are the candidates of all legs, which is what narrowing by a value would leave to be ranked: some hundred, and
not the whole shop, most of which has nothing to do with the query.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from catalog.errors import InvalidQuery
from catalog.products import CATEGORY
from search.filters import FilterFields

ALL = "*"
MOST_VALUES = 50  # of one field
MOST_FIELDS = 20

FacetCounts = tuple[tuple[str, int], ...]  # (value, products), the most frequent first, equal ones by name


def facet_fields(asked: Sequence[str], fields: FilterFields) -> tuple[str, ...]:
    """The fields to count. Raises InvalidQuery for one that is no facet of the catalogue."""
    if ALL in asked:
        return fields.facets
    if len(asked) > MOST_FIELDS:
        raise InvalidQuery(f"A query takes at most {MOST_FIELDS} facets, and this one has {len(asked)}.")
    for name in asked:
        if name not in fields.facets:
            raise InvalidQuery(f"There is no facet '{name[:60]}': known are {', '.join(fields.facets[:40])}.")
    return tuple(dict.fromkeys(asked))


def counted(products: Iterable[Mapping[str, Any]], fields: Sequence[str]) -> dict[str, FacetCounts]:
    """Of each field; of the category every level. A field that no product tells has no values."""
    counts: dict[str, Counter[str]] = {field: Counter() for field in fields}
    for product in products:
        own = {"brand": product["brand"], "currency": product["currency"], "language": product["language"]}
        own |= product["attributes"]
        for field in fields:
            values = product[CATEGORY] if field == CATEGORY else [own[field]] if own.get(field) else []
            counts[field].update(dict.fromkeys(values, 1))
    return {field: _ordered(own) for field, own in counts.items()}


def _ordered(counts: Counter[str]) -> FacetCounts:
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_VALUES])
