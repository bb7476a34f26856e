"""Queries with a photo and derived grades: more of the same, and the same with one thing changed.

The product whose photo is shown is never among the answers: finding it again says nothing.
"""

import random
from collections.abc import Iterator

from catalog.products import CATEGORY, Product
from catalog.words.phrases import sayable
from catalog.words.terms import TermIndex
from catalog.words.thesaurus import role_of
from evaluation.queries.attribute_queries import LANGUAGES, judged
from evaluation.queries.facets import Facet, FacetIndex
from evaluation.queries.known_items import Judged, sampled


def photo_to_alike(index: FacetIndex, head: frozenset[str], *, seed: int, count: int) -> Iterator[Judged]:
    """Up to `count` photos; wanted are products of the same category, colour and gender, as far as known."""
    found = 0
    for product in sampled(index.askers, seed):
        if found == count:
            return
        wanted = _looks(product)
        full = [other for other in index.having(wanted) if other.id != product.id]
        if product.images and len(wanted) > 1 and wanted[0][0] == CATEGORY and index.tells_apart(full):
            found += 1
            grades = index.grades(wanted, without=product.id)
            yield judged("photo_to_alike", None, None, wanted, full, head, grades, product)


def photo_and_words(
    index: FacetIndex, terms: TermIndex, fields: frozenset[str], head: frozenset[str], *, seed: int, count: int
) -> Iterator[Judged]:
    """Up to `count` queries of a photo and the name of a value that its product does not have ("like this, in red").

    Wanted: the category, the value, and whom it is for where that is known and was not what changed. English and
    Chinese take turns where both have words.
    """
    found = 0
    for product in sampled(index.askers, seed):
        if found == count:
            return
        if not product.images or not product.category:
            continue
        rng = random.Random(f"{seed}:words:{product.id}")
        for turn in range(len(LANGUAGES)):
            language = LANGUAGES[(found + turn) % len(LANGUAGES)]
            wanted = _changed(product, index, terms, fields, language, rng)
            if wanted:
                words = terms.names(*wanted[1], language)[0]
                found += 1
                grades = index.grades(wanted, without=product.id)
                yield judged("photo_and_words", language, words, wanted, index.having(wanted), head, grades, product)
                break


def _looks(product: Product) -> list[Facet]:
    """Category first, then colour and gender, of those that the product has."""
    facets = product.facets().items()
    return [(f, v) for f, v in facets if f == CATEGORY] + [
        (f, v) for f, v in facets if f != CATEGORY and role_of(f) in ("colour", "gender")
    ]


def _changed(
    product: Product,
    index: FacetIndex,
    terms: TermIndex,
    fields: frozenset[str],
    language: str,
    rng: random.Random,
) -> list[Facet]:
    """Category, another value of a facet (sayable in `language`, and a product of the category has it), and whom it is
    for; empty when there is no such value."""
    category = (CATEGORY, product.category[-1])
    neighbours = [other.attributes for other in index.having([category])]
    options = sorted(
        {
            (field, other[field])
            for field, value in product.attributes.items()
            if field in fields
            for other in neighbours
            if field in other and other[field] != value
        }
    )
    rng.shuffle(options)
    for field, value in options:
        whose = [(f, v) for f, v in product.attributes.items() if role_of(f) == "gender" and f != field]
        wanted = [category, (field, value), *whose]
        if index.tells_apart(index.having(wanted)) and sayable({field: value}, terms, language, "judge"):
            return wanted
    return []
