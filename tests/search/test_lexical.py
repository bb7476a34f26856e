"""BM25 in process: the formula by hand, and tokens that every analyzer keeps."""

import logging
from math import log

import pytest

from search.lexical import BM25, K1, B, stored_words


def test_a_score_is_the_formula_of_the_docstring():
    index = BM25(["red dress", "red red shirt and hat", "blue sock"])
    mean_length = (2 + 5 + 2) / 3

    def term(times: int, length: int, having: int) -> float:
        idf = log(1 + (3 - having + 0.5) / (having + 0.5))
        return idf * times * (K1 + 1) / (times + K1 * (1 - B + B * length / mean_length))

    expected = [
        term(times=1, length=2, having=2) + term(times=1, length=2, having=1),  # red, dress
        term(times=2, length=5, having=2),  # red twice
        0.0,
    ]
    assert index.scores("red dress").tolist() == pytest.approx(expected, rel=1e-5)


def test_a_token_said_twice_counts_twice_and_an_unknown_one_not_at_all():
    index = BM25(["red dress", "blue sock", "green hat"])
    once, twice = index.scores("red")[0], index.scores("red RED zzz")[0]
    assert twice == pytest.approx(2 * once)
    assert not index.scores("zzz !!!").any()
    assert not index.scores("").any()


def test_an_index_of_no_texts_and_of_empty_texts_answers_with_zeros():
    assert BM25([]).scores("red").shape == (0,)
    assert BM25(["", "!!!"]).scores("red").tolist() == [0.0, 0.0]


def test_chinese_words_meet_in_the_same_tokens():
    index = BM25(["红色连衣裙", "蓝色衬衫"])
    scores = index.scores("红色")
    assert scores[0] > 0 and scores[1] == 0


@pytest.mark.parametrize("text", ["红色连衣裙 Crème t恤", "a'b 100% \U0001f600 naïve", "x" * 5000, "ß ﬁ ½ ²"])
def test_stored_words_are_short_ascii_letters_and_digits(text: str):
    words = stored_words(text)
    assert words
    assert all(word.isascii() and word.isalnum() and word == word.lower() and len(word) <= 38 for word in words)


def test_stored_words_keep_different_tokens_apart():
    texts = ["红", "黄", "red", "y" * 50, "y" * 51, "u" + "红".encode().hex()[:-1]]
    assert len({tuple(stored_words(text)) for text in texts}) == len(texts)


def test_an_index_is_made_without_a_line_in_the_log(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG):
        assert BM25(["red dress", "blue shoe"]).scores("red")[0] > 0
    assert not [record for record in caplog.records if record.name == "bm25s"]
