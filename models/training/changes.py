"""Pairs of products that differ in exactly one facet: what a composer learns from.

    pairs = ChangePairs(products, fields)
    pairs.draw(rng) -> Change(source=17, field="colour", value="Red", target=52)

Legend: N products, by row number.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from catalog.products import CATEGORY, Product
from catalog.words.changes import change_phrases
from catalog.words.phrases import Phrase
from catalog.words.terms import TermIndex

Facet = tuple[str, str]  # field, value


@dataclass(frozen=True, slots=True)
class Change:
    """Row `target` has all facets of row `source`, but `value` in `field`."""

    source: int
    field: str
    value: str
    target: int


class ChangePairs:
    """Every pair of `products` that agree in all of `fields` but one, in which both have a value.

    A source needs a picture, and so does its target; a source without a category is left out, since products that
    agree in a colour alone have nothing to do with each other.
    """

    def __init__(self, products: Sequence[Product], fields: Iterable[str]) -> None:
        self.facets: list[dict[str, str]] = [
            {field: value for field, value in product.facets().items() if field in fields or field == CATEGORY}
            for product in products
        ]
        alike: defaultdict[tuple[str, frozenset[Facet]], defaultdict[str, list[int]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for row, (product, facets) in enumerate(zip(products, self.facets, strict=True)):
            if product.images and CATEGORY in facets:
                for field, value in facets.items():
                    alike[_rest(facets, field)][value].append(row)
        self._alike = {key: {value: tuple(rows) for value, rows in sorted(own.items())} for key, own in alike.items()}
        self.options: dict[int, tuple[Facet, ...]] = {}
        for row, facets in enumerate(self.facets):
            own = tuple(self._options(row, facets)) if products[row].images and CATEGORY in facets else ()
            if own:
                self.options[row] = own
        self.sources = tuple(self.options)

    def by_field(self) -> dict[str, int]:
        """How many (source, value) there are to ask for in each field."""
        counts: defaultdict[str, int] = defaultdict(int)
        for own in self.options.values():
            for field, _ in own:
                counts[field] += 1
        return dict(sorted(counts.items()))

    def values(self) -> tuple[Facet, ...]:
        """Every facet that a source can be changed to, sorted."""
        return tuple(sorted({facet for own in self.options.values() for facet in own}))

    def keep(self, facets: Iterable[Facet]) -> None:
        """Leave only changes to `facets`: those that can be said."""
        kept = frozenset(facets)
        self.options = {
            row: left for row, own in self.options.items() if (left := tuple(facet for facet in own if facet in kept))
        }
        self.sources = tuple(self.options)

    def draw(self, rng: random.Random) -> Change:
        """One change of a random source to a random value."""
        source = rng.choice(self.sources)
        field, value = rng.choice(self.options[source])
        return Change(source, field, value, rng.choice(self._alike[_rest(self.facets[source], field)][value]))

    def wanted(self, change: Change) -> dict[str, str]:
        """All facets that the answer must have."""
        return {**self.facets[change.source], change.field: change.value}

    def _options(self, row: int, facets: Mapping[str, str]) -> Iterable[Facet]:
        for field, value in facets.items():
            yield from ((field, other) for other in self._alike[_rest(facets, field)] if other != value)


class ChangeWords:
    """The phrases that ask for a facet, drawn once: `texts` are all of them, `of` numbers into it."""

    def __init__(
        self, facets: Iterable[Facet], terms: TermIndex, languages: Sequence[str], count: int, seed: int
    ) -> None:
        self.texts: list[str] = []
        self.of: dict[Facet, tuple[tuple[str, tuple[int, ...]], ...]] = {}
        numbers: dict[str, int] = {}
        for field, value in facets:
            said = []
            for language in languages:
                rng = random.Random(f"{seed}/{language}/{field}={value}")
                phrases = change_phrases(field, value, terms, language, rng, count)
                if phrases:
                    said.append((language, tuple(numbers.setdefault(phrase, len(numbers)) for phrase in phrases)))
            if said:
                self.of[field, value] = tuple(said)
        self.texts = list(numbers)

    def draw(self, change: Change, wanted: Mapping[str, str], rng: random.Random) -> tuple[int, Phrase]:
        """The number of a phrase for `change`, and the phrase as one that mentions all that is `wanted`."""
        language, numbers = rng.choice(self.of[change.field, change.value])
        number = rng.choice(numbers)
        return number, Phrase(self.texts[number], language, tuple(wanted.items()))


def _rest(facets: Mapping[str, str], field: str) -> tuple[str, frozenset[Facet]]:
    return field, frozenset((name, value) for name, value in facets.items() if name != field)
