"""Other words for the same things, for judging alone: no training phrase and no table of the shop has them.

other_words.csv: role, meaning (an English word of catalog/thesaurus.csv), and words in each language separated by |.
A test keeps them apart from the thesaurus, which training reads.
"""

import csv
import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from catalog.products import Term
from catalog.terms import TermIndex
from catalog.thesaurus import role_of, thesaurus

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
    """Those of `facets` (field -> value) for which there is a word that neither the shop nor the thesaurus has, and
    the words, one drawn for each.
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
