"""Other words for the same things, for judging alone: what people say who know no table of the shop.

other_words.csv: role, meaning (an English word of catalog/words/thesaurus.csv), and words in each language separated
by |. It was written by someone who saw the shop's own terms and not the thesaurus, so that it says how much of what
people type the thesaurus covers, and what becomes of the rest: `all_known` tells them apart. Nothing in it may be
moved there.
"""

import csv
import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from catalog.products import Term
from catalog.words.terms import TermIndex
from catalog.words.thesaurus import role_of, thesaurus
from catalog.words.tokens import holds, tokenize

FILE = Path(__file__).with_name("other_words.csv")

Words = Mapping[tuple[str, str, str], tuple[str, ...]]  # (role, meaning, language) -> words


@cache
def other_words() -> Words:
    """The built-in list, read once."""
    with FILE.open(encoding="utf-8", newline="") as stream:
        return {
            (row["role"], row["meaning"], language): tuple(row[language].split("|"))
            for row in csv.DictReader(stream)
            for language in ("en", "zh")
        }


def other_terms(
    facets: Mapping[str, str], terms: TermIndex, language: str, rng: random.Random
) -> tuple[dict[str, str], TermIndex]:
    """Those of `facets` (field -> value) for which there is a word that is none of the shop's, and the words, one
    drawn for each.
    """
    said = []
    for field, value in facets.items():
        role = role_of(field) or ""
        known = thesaurus().words(role, (*terms.names(field, value, "en"), value, *terms.terms_of(field, value)), "en")
        words = [word for meaning in known for word in other_words().get((role, meaning, language), ())]
        fresh = [word for word in words if not terms.values_named(word)]
        if fresh:
            said.append(Term(field, value, language, rng.choice(fresh)))
    return {term.field: term.value for term in said}, TermIndex(said)


def all_known(text: str, language: str) -> bool:
    """Whether the thesaurus has every word of other_words.csv that `text` is made of."""
    return not any(_within(word, text, language) for word in _unknown(language))


@cache
def _unknown(language: str) -> tuple[str, ...]:
    """The words that the thesaurus does not have in their meaning."""
    return tuple(
        word
        for (role, meaning, spoken), words in other_words().items()
        if spoken == language
        for word in words
        if tuple(tokenize(word))
        not in {tuple(tokenize(known)) for known in thesaurus().words(role, [meaning], language)}
    )


def _within(word: str, text: str, language: str) -> bool:
    if language == "zh":
        return word in text
    return holds(tokenize(text), tokenize(word))
