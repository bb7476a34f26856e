"""Filters as they are typed on a command line: colour=Red, price=10..30, in_stock=true."""

from collections.abc import Sequence
from typing import Any

from catalog.errors import InvalidQuery

IN_STOCK = "in_stock"


def typed_filters(pairs: Sequence[str]) -> dict[str, Any]:
    """ "field=value" texts as the service's filters; a field named twice means any of its values.

    "10..30", "10.." and "..30" are ranges, both ends included. Raises InvalidQuery for text without "=".
    """
    filters: dict[str, Any] = {}
    for pair in pairs:
        field, equals, text = pair.partition("=")
        field, text = field.strip(), text.strip()
        if not equals or not field or not text:
            raise InvalidQuery(f"'{pair}' is not a filter: write field=value, as in colour=Red or price=10..30.")
        value = _value(field, text)
        if field in filters:
            before = filters[field]
            filters[field] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            filters[field] = value
    return filters


def _value(field: str, text: str) -> Any:
    if field == IN_STOCK and text.lower() in ("true", "false"):
        return text.lower() == "true"
    low, dots, high = text.partition("..")
    if dots and (low or high):
        try:
            return {name: float(end) for name, end in (("gte", low), ("lte", high)) if end}
        except ValueError:
            return text
    return text
