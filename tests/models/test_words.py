"""models/words.py: which words have numbers, and how the others are spelled."""

from pathlib import Path

import pytest

from models.text_tokens import TokenizerSpec, load_tokens
from models.words import FIRST, NOTHING, PIECES, Vocabulary, pieces

TEXTS = ["red dress", "Red shoes", "red bag", "红色连衣裙", "红色鞋", "a dress"]


@pytest.fixture
def words() -> Vocabulary:
    return Vocabulary.of(TEXTS).known(10)


def test_the_commonest_words_have_the_first_numbers_and_rare_ones_are_spelled(words: Vocabulary) -> None:
    assert list(words.counts.items()) == [("red", 3), ("dress", 2), ("红色", 2)]  # held by two texts or more
    assert words.ids("dress red") == (FIRST + 1, FIRST)
    assert len(words.ids("shoes")) == len(pieces("shoe")) == 4 and min(words.ids("shoes")) >= FIRST + 3
    assert len(words) == 2 + 3 + PIECES and max(words.ids("unheard of")) < len(words)
    assert list(Vocabulary.of(TEXTS).known(1).counts) == ["red"]


def test_the_same_text_many_times_counts_once() -> None:
    assert Vocabulary.of(["red", "red", "red shoe"]).counts == {"red": 2, "shoe": 1}


def test_chinese_is_cut_into_words_and_spelled_by_characters(words: Vocabulary) -> None:
    assert words.ids("红色") == (FIRST + 2,)
    assert words.ids("跑鞋")[-2:] == tuple(words.spelled("跑鞋"))
    assert set(words.spelled("鞋")) < set(words.spelled("跑鞋"))  # they share a character


@pytest.mark.parametrize("text", ["", "!!! ...", " \n"])
def test_a_text_without_words_reads_as_nothing(words: Vocabulary, text: str) -> None:
    assert words.ids(text) == (NOTHING,)


def test_a_misspelled_word_shares_most_pieces_with_the_right_one(words: Vocabulary) -> None:
    assert len(set(words.spelled("sweater")) & set(words.spelled("sweatter"))) >= 5


def test_written_and_read_it_gives_the_same_numbers(words: Vocabulary, tmp_path: Path) -> None:
    words.write(tmp_path / "words.json")
    assert Vocabulary.read(tmp_path / "words.json") == words
    spec = TokenizerSpec("words", "words.json", max_tokens=5, pad_id=0, inputs=("word_ids",))
    tokens = load_tokens(tmp_path, spec)
    assert tokens.ids("red 连衣裙 shoes") == words.ids("red 连衣裙 shoes")[:5]
    assert tokens(["red", "dress red"])["word_ids"].tolist() == [[FIRST, 0], [FIRST + 1, FIRST]]
    (tmp_path / "words.json").write_text('{"pieces": 7, "texts": 0, "words": {}}')
    with pytest.raises(ValueError, match="in 7 pieces"):
        Vocabulary.read(tmp_path / "words.json")


def test_a_hundred_thousand_characters_take_no_longer_than_a_page(words: Vocabulary, tmp_path: Path) -> None:
    words.write(tmp_path / "words.json")
    tokens = load_tokens(tmp_path, TokenizerSpec("words", "words.json", 16, 0, inputs=("word_ids",)))
    assert len(tokens.ids("long " * 100_000)) == 16
