"""What the query wants of each field, in the names of both languages, and what the product has there."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from catalog.products import CATEGORY
from search.attributes import Wish
from search.filters import facet_tag
from search.reasons.reason import AttributeReason
from search.understanding.understood import Facet, Mention

Named = Callable[[Facet], Mapping[str, str]]  # a facet -> language -> its name


def wanted(
    mentions: Sequence[Mention],
    wish: Wish | None,
    product: Mapping[str, Any],
    tags: Sequence[str],
    adds: float | None,
    named: Named,
) -> tuple[AttributeReason, ...]:
    """Of each mention, those of `wish` in their order; `adds`: what the leg `attributes` adds to the product's score.

    It is shared out by what each mention gave the leg. None where the leg has no say in this product.
    """
    parts = [(None, None)] * len(mentions) if wish is None else wish.parts_of_score(tags)
    whole = sum(share for _, share in parts if share is not None)
    found = []
    for mention, (fit, share) in zip(mentions, parts, strict=True):
        meaning = next((m for m in mention.meanings if facet_tag(m.field, m.value) in tags), mention.meanings[0])
        own = None if adds is None or share is None else (adds * share / whole if whole > 0 else 0.0)
        found.append(
            AttributeReason(
                text=mention.text,
                how=mention.how,
                negated=mention.negated,
                field=meaning.field,
                value=meaning.value,
                names=named((meaning.field, meaning.value)),
                has=values_of(product, meaning.field),
                fit=None if own is None else fit,
                adds=own,
            )
        )
    return tuple(found)


def shared(one: Mapping[str, Any], other: Mapping[str, Any], named: Named) -> tuple[AttributeReason, ...]:
    """The attributes, brand and category in which two products are alike."""
    fields = (CATEGORY, "brand", *one["attributes"])
    found = []
    for field in fields:
        mine, theirs = values_of(one, field)[-1:], values_of(other, field)
        if mine and mine[0] in theirs:
            facet = (field, mine[0])
            found.append(AttributeReason("", "product", False, *facet, named(facet), theirs, None, None))
    return tuple(found)


def values_of(product: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """The product's values of a facet; every level of the category."""
    if field == CATEGORY:
        return tuple(product[CATEGORY])
    value = product["attributes"].get(field) or (product[field] if field == "brand" else None)
    return (value,) if value else ()
