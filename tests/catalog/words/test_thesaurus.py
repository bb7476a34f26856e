"""The thesaurus file is well formed, and finds a meaning by any of its words."""

import csv
from collections import Counter

import pytest

from catalog.words.thesaurus import FILE, ROLES, role_of, thesaurus
from catalog.words.tokens import language_of

with FILE.open(encoding="utf-8", newline="") as stream:
    ROWS = list(csv.DictReader(stream))


def test_every_row_has_a_known_role_and_words_in_both_languages() -> None:
    for row in ROWS:
        assert row["role"] in set(ROLES.values()), row
        assert all(word.strip() == word and word for word in f"{row['en']}|{row['zh']}".split("|")), row
        assert all(language_of(word) == "en" for word in row["en"].split("|")), row
        assert all(language_of(word) != "en" for word in row["zh"].split("|")), row


def test_no_colour_word_means_two_colours() -> None:
    words = Counter(word for row in ROWS if row["role"] == "colour" for word in f"{row['en']}|{row['zh']}".split("|"))
    assert [word for word, count in words.items() if count > 1] == []


def test_the_first_english_word_of_a_row_belongs_to_that_row_alone() -> None:
    first = Counter((row["role"], row["en"].split("|")[0]) for row in ROWS)
    assert [word for word, count in first.items() if count > 1] == []


@pytest.mark.parametrize("name", ["T-Shirts", "tshirt", "tee", "T恤"])
def test_a_meaning_is_found_by_any_of_its_words(name: str) -> None:
    assert "tee" in thesaurus().words("category", [name], "en")
    assert "T恤" in thesaurus().words("category", [name], "zh")


def test_a_word_counts_only_in_its_role() -> None:
    assert thesaurus().words("colour", ["orange"], "zh")[0] == "橙色"
    assert thesaurus().words("material", ["orange"], "zh") == ()
    assert thesaurus().words(None, ["orange"], "zh") == ()


def test_roles_are_found_by_the_names_shops_use() -> None:
    assert [role_of(name) for name in ("Colour", "color", "base_colour", "Base Colour", "sex", "neckline")] == [
        "colour", "colour", "colour", "colour", "gender", None,
    ]  # fmt: skip
