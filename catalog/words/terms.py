"""Names of facet values: the shop's own terms, and the English name that a value itself suggests."""

import re
from collections.abc import Iterable, Mapping

from catalog.products import CATEGORY, Product, Term
from catalog.words.tokens import fold, language_of, normalise, tokenize

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

# Worn or sold in pairs: people name them in the plural.
_PAIRS = frozenset({
    "shoe", "sandal", "heel", "flat", "sock", "boot", "sneaker", "slipper", "loafer", "flop", "glove", "mitten",
    "earring", "cufflink", "stocking", "curtain",
})  # fmt: skip
# No singular in use.
_PLURAL_ONLY = frozenset({
    "jeans", "trousers", "pants", "shorts", "leggings", "tights", "briefs", "boxers", "capris", "overalls", "pyjamas",
    "pajamas", "glasses", "sunglasses", "headphones", "scissors", "clothes", "accessories", "goods",
})  # fmt: skip
_SPELLINGS = {"tshirt": ("t-shirt", "tshirt"), "t-shirt": ("t-shirt", "tshirt")}
_MASS_ENDINGS = ("wear", "clothing", "jewellery", "jewelry", "perfume", "mist", "furniture", "bedding", "lighting")
_PLURALS = {"scarf": "scarves", "shelf": "shelves", "knife": "knives", "man": "men", "woman": "women"}


class TermIndex:
    """Names of facet values in any language, and back from a text to the values it names.

    `terms` are the shop's localised names. `products` (optional) adds every facet value they carry, so that values
    without a term can be named in English and recognised in a text too.
    """

    def __init__(self, terms: Iterable[Term], products: Iterable[Product] = ()) -> None:
        names: dict[tuple[str, str], dict[str, list[str]]] = {}
        for term in terms:
            of_value = names.setdefault((term.field, term.value), {})
            of_value.setdefault(_primary(term.language), []).append(term.term)
        for product in products:
            for facet in product.facets().items():
                names.setdefault(facet, {})
        self._names: Mapping[tuple[str, str], Mapping[str, list[str]]] = names
        self._words: dict[tuple[str, ...], dict[tuple[str, str], None]] = {}  # folded words -> facets
        self._han: dict[str, dict[tuple[str, str], None]] = {}  # normal form with Han characters -> facets
        for field, value in names:
            for name in (*self.terms_of(field, value), *_own_names(field, value)):
                self._remember(name, (field, value))
        self._most_words = max(map(len, self._words), default=0)
        self._most_han = max(map(len, self._han), default=0)

    def fields(self) -> tuple[str, ...]:
        """Facet fields that have a named value, sorted."""
        return tuple(sorted({field for field, _ in self._names}))

    def values(self, field: str) -> tuple[str, ...]:
        """Values of `field` that have a name, in the order they were first seen."""
        return tuple(value for known, value in self._names if known == field)

    def terms_of(self, field: str, value: str) -> tuple[str, ...]:
        """The shop's names of a value in all languages, without repeats."""
        found = self._names.get((field, value), {})
        return tuple(dict.fromkeys(name for names in found.values() for name in names))

    def names(self, field: str, value: str, language: str) -> tuple[str, ...]:
        """Names of a value in `language`, the plainest first; empty when it has none.

        The shop's terms first. Without one, the value itself in the language it is written in: English in lower case,
        categories in the singular where people say it ("Dresses" -> "dress", "dresses"; "Flip Flops" -> "flip flops").
        """
        language = _primary(language)
        own = tuple(self._names.get((field, value), {}).get(language, ()))
        if own:
            return tuple(dict.fromkeys(own))
        written_in = "zh" if language_of(value) != "en" else "en"
        return _own_names(field, value) if language == written_in else ()

    def is_name_of(self, name: str) -> tuple[tuple[str, str], ...]:
        """(field, value) pairs of which the whole of `name` is a name."""
        name = normalise(name)
        return tuple({**self._han.get(name, {}), **self._words.get(tuple(tokenize(name)), {})})

    def values_named(self, text: str) -> tuple[tuple[str, str], ...]:
        """(field, value) pairs that `text` names; the longest name wins ("navy blue" is not "blue").

        English is matched by folded words ("women's T-Shirts" names "Women" and "Tshirts"), Chinese by characters.
        """
        rest, found = self._take_han(normalise(text))
        tokens, start = tokenize(rest), 0
        while start < len(tokens):
            for length in range(min(self._most_words, len(tokens) - start), 0, -1):
                here = self._words.get(tuple(tokens[start : start + length]))
                if here:
                    found.update(here)
                    break
            else:
                length = 1
            start += length
        return tuple(found)

    def _take_han(self, text: str) -> tuple[str, dict[tuple[str, str], None]]:
        """Facets named in Chinese, and `text` with those names blanked out."""
        found: dict[tuple[str, str], None] = {}
        rest, start = [], 0
        while start < len(text):
            for length in range(min(self._most_han, len(text) - start), 1, -1):
                here = self._han.get(text[start : start + length])
                if here:
                    found.update(here)
                    rest.append(" ")
                    break
            else:
                rest.append(text[start])
                length = 1
            start += length
        return "".join(rest), found

    def _remember(self, name: str, facet: tuple[str, str]) -> None:
        name = normalise(name)
        if len(name) > 1 and language_of(name) != "en":
            self._han.setdefault(name, {})[facet] = None
        elif words := tuple(tokenize(name)):
            self._words.setdefault(words, {})[facet] = None


def spoken_fields(terms: Iterable[Term], products: Iterable[Product]) -> frozenset[str]:
    """The facet fields that shoppers speak of: those the shop has terms for; without any term, all of them."""
    named = frozenset(term.field for term in terms)
    return named or frozenset(field for product in products for field in product.facets())


def _primary(language: str) -> str:
    """Language without script or region: zh-CN -> zh."""
    return language.lower().replace("_", "-").split("-")[0]


def _own_names(field: str, value: str) -> tuple[str, ...]:
    name = normalise(_CAMEL.sub(" ", value).replace("_", " "))
    if not name or field != CATEGORY or language_of(name) != "en":
        return (name,) if name else ()
    *before, last = name.split(" ")
    if last in _PLURAL_ONLY or last.endswith(_MASS_ENDINGS):
        return (name,)
    single = last if last.endswith("'s") else fold(last.replace("-", "")) if last in _SPELLINGS else fold(last)
    singles = _SPELLINGS.get(single, (single,))
    plurals = tuple(_PLURALS.get(word, _plural(word)) for word in singles)
    order = (*plurals, *singles) if single in _PAIRS else (singles[0], plurals[0], *singles[1:], *plurals[1:])
    return tuple(" ".join([*before, word]) for word in order)


def _plural(word: str) -> str:
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    return word[:-1] + "ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else word + "s"
