"""The facet values of a catalogue, and every name that a shopper may know them by."""

from collections import Counter
from collections.abc import Iterable, Sequence

from catalog.products import CATEGORY, Product, Term
from catalog.words.terms import TermIndex
from catalog.words.thesaurus import role_of, thesaurus
from catalog.words.tokens import language_of, normalise, tokenize
from search.understanding.scripts import simplified
from search.understanding.understood import Facet

BRAND = "brand"
LANGUAGES = ("en", "zh")
_MOST_WORDS = 5  # a value with more words is a sentence, not a thing to ask for


def facet_counts(products: Iterable[Product]) -> Counter[Facet]:
    """How many products have each facet value: attributes, every level of the category, brand.

    Bare numbers ("2011"), single letters (sizes) and values of more than five words are left out: in a query they
    mean anything.
    """
    counts: Counter[Facet] = Counter()
    for product in products:
        facets = {(CATEGORY, level) for level in product.category} | set(product.attributes.items())
        if product.brand:
            facets.add((BRAND, product.brand))
        counts.update(sorted(facets))
    return Counter({facet: count for facet, count in counts.items() if _sayable(facet[1])})


def names_of(facets: Sequence[Facet], terms: Sequence[Term], products: Sequence[Product]) -> list[tuple[str, int]]:
    """(name, number of its facet), by facet, the shop's own names first; of equal spellings the first.

    A word of the thesaurus that the shop itself uses for another value of the field is left to that value.
    """
    index = TermIndex(terms, products)
    found: list[tuple[str, int]] = []
    for number, (field, value) in enumerate(facets):
        own = [name for language in LANGUAGES for name in index.names(field, value, language)]
        names = (*own, value, *index.terms_of(field, value))
        for language in LANGUAGES if field != BRAND else ():
            for word in thesaurus().words(role_of(field), names, language):
                if all(known != field or other == value for known, other in index.is_name_of(word)):
                    own.append(word)
        spelled: dict[str, str] = {}
        for name in (*own, value):
            spelled.setdefault(simplified(normalise(name)), name)
        found += [(name, number) for name in spelled.values() if _tellable(normalise(name))]
    return found


def title_words(products: Iterable[Product], least: int = 2) -> frozenset[str]:
    """Folded words that at least `least` titles hold: they are spelt as they are meant."""
    counts = Counter(word for product in products for word in set(tokenize(product.title)))
    return frozenset(word for word, count in counts.items() if count >= least and word.isascii())


def title_languages(products: Sequence[Product]) -> tuple[str, ...]:
    """The languages that a tenth of the titles or more are in."""
    written = Counter(language_of(product.title) for product in products if product.title)
    shares = {"en": written["en"], "zh": written["zh"] + written["mixed"]}
    return tuple(language for language, count in shares.items() if count and count >= 0.1 * written.total())


def _sayable(value: str) -> bool:
    letters = sum(character.isalpha() for character in value)
    return letters > (1 if language_of(value) == "en" else 0) and len(value.split()) <= _MOST_WORDS


def _tellable(name: str) -> bool:
    return bool(tokenize(name)) and (len(name) > 1 or language_of(name) != "en")
