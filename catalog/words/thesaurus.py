"""Other words for general shop words, English and Chinese: thesaurus.csv.

Training phrases use them as synonyms; judging phrases never do.
"""

import csv
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from catalog.words.tokens import normalise, tokenize

FILE = Path(__file__).with_name("thesaurus.csv")

# What a facet field is about, by the names shops give it. Any other field has no role and still works.
ROLES = {
    "category": "category",
    "colour": "colour", "color": "colour", "base_colour": "colour", "base_color": "colour", "basecolour": "colour",
    "gender": "gender", "sex": "gender", "audience": "gender", "age_group": "gender",
    "usage": "usage", "use": "usage", "occasion": "usage", "style": "usage",
    "season": "season",
    "pattern": "pattern", "print": "pattern",
    "material": "material", "fabric": "material",
}  # fmt: skip


class Thesaurus:
    """Rows of (role, English words, Chinese words); a row is one meaning, found by any of its words."""

    def __init__(self, path: Path = FILE) -> None:
        self._rows: list[dict[str, tuple[str, ...]]] = []
        self._words_of: dict[str, list[str]] = {}  # role -> all words
        self._row_of: dict[tuple[str, tuple[str, ...]], int] = {}
        with path.open(encoding="utf-8", newline="") as stream:
            for number, row in enumerate(csv.DictReader(stream)):
                words = {language: tuple(row[language].split("|")) for language in ("en", "zh")}
                self._rows.append(words)
                self._words_of.setdefault(row["role"], []).extend((*words["en"], *words["zh"]))
                for word in (*words["en"], *words["zh"]):
                    self._row_of.setdefault((row["role"], tuple(tokenize(word))), number)

    def words(self, role: str | None, names: Iterable[str], language: str) -> tuple[str, ...]:
        """Words in `language` that mean what one of `names` means in this role; empty when no row knows them."""
        for name in names:
            row = self._row_of.get((role or "", tuple(tokenize(normalise(name)))))
            if row is not None:
                return self._rows[row].get(language, ())
        return ()

    def all_words(self, roles: Iterable[str]) -> list[str]:
        """Every word of these roles in every language."""
        return [word for role in roles for word in self._words_of.get(role, ())]


def role_of(field: str) -> str | None:
    """What a facet field is about: category, colour, gender, usage, season, pattern, material, or None."""
    return ROLES.get(field.strip().lower().replace(" ", "_").replace("-", "_"))


@cache
def thesaurus() -> Thesaurus:
    """The built-in thesaurus, read once."""
    return Thesaurus()
