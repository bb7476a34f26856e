"""Spellings of one word meet in one token, in English and in Chinese."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.words.tokens import language_of, normalise, tokenize


@pytest.mark.parametrize(
    ("spellings", "token"),
    [
        (("T-Shirt", "t-shirts", "tshirts", "t shirt", "TSHIRT", "T\u2011Shirts"), "tshirt"),
        (("women", "Women's", "womens", "woman", "WOMEN\u2019S"), "woman"),
        (("v-neck", "V neck", "vneck"), "vneck"),
        (("dress", "dresses", "Dress's"), "dress"),
        (("watch", "watches"), "watch"),
        (("scarf", "scarves"), "scarf"),
        (("accessory", "accessories"), "accessory"),
        (("tie", "ties"), "tie"),
        (("grey", "gray"), "grey"),
        (("kurti", "kurtis"), "kurti"),
        (("café", "cafe", "ＣＡＦＥ"), "cafe"),
        (("T恤", "t恤", "T恤衫", "Ｔ恤"), "t恤"),
    ],
)
def test_spellings_of_a_word_meet(spellings: tuple[str, ...], token: str) -> None:
    assert [tokenize(spelling) for spelling in spellings] == [[token]] * len(spellings)


@pytest.mark.parametrize("word", ["glass", "bus", "canvas", "basis", "gas", "lens"])
def test_words_that_only_look_like_plurals_stay(word: str) -> None:
    assert tokenize(word) == [word]


def test_a_size_is_not_glued_to_the_next_word() -> None:
    assert tokenize("size m black dress") == ["size", "m", "black", "dress"]


def test_hyphens_and_punctuation_separate_words() -> None:
    assert tokenize("off-white/flip-flops, (2-pack)") == ["off", "white", "flip", "flop", "2", "pack"]


def test_chinese_is_cut_to_words_and_their_parts() -> None:
    assert tokenize("红色女士连衣裙") == ["红色", "女士", "连衣", "衣裙", "连衣裙"]
    assert set(tokenize("裤子")) <= set(tokenize("Nike 裤子 42"))


def test_mixed_text_gives_tokens_of_both() -> None:
    assert tokenize("Acme红色Sneakers") == ["acme", "红色", "sneaker"]


@given(st.text(max_size=60))
def test_any_text_has_tokens_without_space_or_upper_case(text: str) -> None:
    for token in tokenize(text):
        assert token and token == token.lower().strip()


@given(st.text(st.sampled_from("abs'- 红色裙T恤"), max_size=20))
def test_normal_form_is_stable(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("red dress", "en"),
        ("", "en"),
        ("42", "en"),
        ("红色连衣裙", "zh"),
        ("红色T恤 42", "zh"),
        ("Nike 红色", "mixed"),
        ("Ｎｉｋｅ红色", "mixed"),
    ],
)
def test_language_is_told_by_its_letters(text: str, language: str) -> None:
    assert language_of(text) == language


def test_cutting_chinese_is_silent_and_leaves_no_file(tmp_path: Path) -> None:
    code = "from catalog.words.tokens import tokenize; print(len(tokenize('藏青色男士休闲鞋')))"
    env = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("6\n", "")
    assert list(tmp_path.iterdir()) == []
