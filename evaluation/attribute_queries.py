"""Queries with DERIVED grades: nobody judged them, a product is relevant when it has every facet that is mentioned.

They are phrased in the "judge" style of catalog.phrases, which shares no template with training. A query is kept when
1 to pool/4 products answer it: more would be found by chance. The sample takes turns over combinations of fields.
"""

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from catalog.phrases import Phrase, attribute_phrases, sayable
from catalog.products import CATEGORY, Product, Term
from catalog.terms import TermIndex
from evaluation.judgements import EvaluationQuery
from evaluation.kinds import ENGINE, KINDS
from evaluation.known_items import Judged, sampled
from evaluation.slices import shared_slices

Facets = tuple[tuple[str, str], ...]
Fields = tuple[str, ...]
Draft = tuple[Phrase, list[Product]]  # and the products that have all that it mentions

DRAWS = 4  # phrases drawn from each product before the sample is taken
LANGUAGES = ("en", "zh")


class FacetIndex:
    """Which products of the pool have a facet: the source of derived grades."""

    def __init__(self, pool: Sequence[Product]) -> None:
        self.pool = pool
        self._having: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        for number, product in enumerate(pool):
            for facet in product.facets().items():
                self._having[facet].add(number)

    def having(self, facets: Iterable[tuple[str, str]]) -> list[Product]:
        """The products that have all of `facets`, in the order of the pool."""
        found = [self._having.get(facet, set()) for facet in facets]
        return [self.pool[number] for number in sorted(set.intersection(*found))] if found else []

    def tells_apart(self, products: Sequence[Product]) -> bool:
        """Whether 1 to pool/4 products were found."""
        return 1 <= len(products) <= len(self.pool) / 4


def spoken_fields(terms: Sequence[Term], products: Iterable[Product]) -> frozenset[str]:
    """The facet fields that shoppers speak of: those the shop has terms for; without any term, all of them."""
    named = frozenset(term.field for term in terms)
    return named or frozenset(field for product in products for field in product.facets())


def attribute_queries(
    index: FacetIndex, terms: TermIndex, fields: frozenset[str], head: frozenset[str], *, seed: int, count: int
) -> Iterator[Judged]:
    """Up to `count` attribute queries in each language."""
    for language in LANGUAGES:
        drafts: defaultdict[Fields, list[Draft]] = defaultdict(list)
        seen: set[Facets] = set()
        for product in sampled(index.pool, seed):
            facets = {field: value for field, value in product.facets().items() if field in fields}
            for draw in range(DRAWS):
                rng = random.Random(f"{seed}:{language}:{draw}:{product.id}")
                phrase = attribute_phrases(facets, terms, language, rng, style="judge")
                if phrase is None or (key := tuple(sorted(phrase.facets))) in seen:
                    continue
                seen.add(key)
                relevant = index.having(phrase.facets)
                if index.tells_apart(relevant):
                    drafts[tuple(field for field, _ in key)].append((phrase, relevant))
        for phrase, relevant in _in_turns(drafts, count):
            yield _judged(f"attribute_{language}", language, phrase.text, phrase.facets, relevant, head)


def photo_and_words(
    index: FacetIndex, terms: TermIndex, fields: frozenset[str], head: frozenset[str], *, seed: int, count: int
) -> Iterator[Judged]:
    """Up to `count` queries of a photo and the name of a value that its product does not have.

    Relevant: products of the same category that have the value. English and Chinese take turns where both have words.
    """
    found = 0
    for product in sampled(index.pool, seed):
        if found == count:
            return
        rng = random.Random(f"{seed}:words:{product.id}")
        language = LANGUAGES[found % len(LANGUAGES)]
        other = _other_value(product, index, terms, fields, language, rng) if product.images else None
        if other is None and product.images:
            language = LANGUAGES[(found + 1) % len(LANGUAGES)]
            other = _other_value(product, index, terms, fields, language, rng)
        if other is not None:
            (field, value), relevant = other
            words = terms.names(field, value, language)[0]
            facets = ((CATEGORY, product.category[-1]), (field, value))
            found += 1
            yield _judged("photo_and_words", language, words, facets, relevant, head, product)


def _other_value(
    product: Product,
    index: FacetIndex,
    terms: TermIndex,
    fields: frozenset[str],
    language: str,
    rng: random.Random,
) -> tuple[tuple[str, str], list[Product]] | None:
    """Another value of a facet of `product`, sayable in `language`, that a product of its category has."""
    if not product.category:
        return None
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
        relevant = index.having([category, (field, value)])
        if index.tells_apart(relevant) and sayable({field: value}, terms, language, "judge"):
            return (field, value), relevant
    return None


def _in_turns(drafts: Mapping[Fields, Sequence[Draft]], count: int) -> list[Draft]:
    """`count` drafts, one of each combination of fields in turn, so no combination fills the sample.

    Phrases without a category ("red product") are rare in shops: beside phrases with one, all of them are one turn.
    """
    turns: defaultdict[Fields, list[Draft]] = defaultdict(list)
    categories = any(CATEGORY in fields for fields in drafts)
    for fields in sorted(drafts):
        turns[fields if CATEGORY in fields or not categories else ()].extend(drafts[fields])
    longest = max(map(len, turns.values()), default=0)
    in_order = [row[turn] for turn in range(longest) for _, row in sorted(turns.items()) if turn < len(row)]
    return in_order[:count]


def _judged(
    kind: str,
    language: str,
    text: str,
    facets: Iterable[tuple[str, str]],
    relevant: Sequence[Product],
    head: frozenset[str],
    photo_of: Product | None = None,
) -> Judged:
    name = "|".join(
        [*(f"{field}={value}" for field, value in sorted(facets)), photo_of.id if photo_of else "", language]
    )
    query = EvaluationQuery(
        query_id=f"{kind}:{hashlib.sha256(name.encode()).hexdigest()[:16]}",
        kind=kind,
        language=language,
        text=text,
        image=photo_of.images[0] if photo_of else None,
        legs=KINDS[kind].systems[ENGINE].legs,
        slices=(
            *shared_slices(relevant, head),
            f"language={language}",
            "facets=" + "+".join(sorted(field for field, _ in facets)),
        ),
    )
    return query, {product.id: 1 for product in relevant}
