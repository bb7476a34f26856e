"""The query as it is asked of the vectors and words, once it was understood."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from search.filters import Filter
from search.query import MOST_TERMS, Query, WeightedTerm
from search.understanding.understood import Understood

NAMED = 1.0  # weight of the names beside the text, which weighs 1
REFUSED = -0.5  # weight of what is not wanted, as a term of the query


def meant(query: Query, understood: Understood) -> Query:
    """Said plainly: in the shop's own names, without prices and without what is not wanted, which pushes away instead.

    The names of what is wanted in the language of the titles are a term beside it: titles share words with those. Not
    so beside a photo, where the words say one thing of many and would say it twice.
    """
    refused = [*understood.without, *(mention.text for mention in understood.unwanted())]
    pushed = tuple(WeightedTerm(text, REFUSED) for text in refused)
    if not understood.wanted_text:  # "not black" alone: without a photo nothing else is there to look for
        return replace(query, text=None, terms=(*query.terms, *pushed)[:MOST_TERMS]) if query.images else query
    names = (WeightedTerm(" ".join(understood.names), NAMED),) if understood.names and not query.images else ()
    return replace(query, text=understood.plain_text, terms=(*query.terms, *names, *pushed)[:MOST_TERMS])


def priced(narrow: Filter, understood: Understood, filters: Mapping[str, Any]) -> Filter:
    """`narrow` within the prices that the query speaks of, unless the caller narrows the price himself."""
    if "price" in filters:
        return narrow
    for price in understood.prices:
        if price.applied:
            narrow = narrow.also(price.clause())
    return narrow
