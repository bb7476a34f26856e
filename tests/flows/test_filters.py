"""Filters typed on the command line."""

from typing import Any

import pytest

from catalog.errors import InvalidQuery
from flows.filters import typed_filters


@pytest.mark.parametrize(
    ("pairs", "filters"),
    [
        ([], {}),
        (["colour=Red"], {"colour": "Red"}),
        (["colour=Red", "colour=Navy Blue"], {"colour": ["Red", "Navy Blue"]}),
        (["price=10..30"], {"price": {"gte": 10.0, "lte": 30.0}}),
        (["price=..30"], {"price": {"lte": 30.0}}),
        (["in_stock=true"], {"in_stock": True}),
        (["note=a=b"], {"note": "a=b"}),
        (["note=wait..."], {"note": "wait..."}),
        (["颜色=红色"], {"颜色": "红色"}),
    ],
)
def test_typed_filters_are_the_filters_of_the_service(pairs: list[str], filters: dict[str, Any]) -> None:
    assert typed_filters(pairs) == filters


@pytest.mark.parametrize("pair", ["colour", "=Red", "colour=", ""])
def test_what_is_no_filter_is_a_sentence(pair: str) -> None:
    with pytest.raises(InvalidQuery, match="write field=value"):
        typed_filters([pair])
