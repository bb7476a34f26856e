"""The lexical leg in process: exact BM25 over catalog.words.text.tokenize, with the constants that Milvus is given too.

score(D, Q) = sum over tokens t of Q:  idf(t) * f(t, D) * (K1 + 1) / (f(t, D) + K1 * (1 - B + B * |D| / mean |D|))
idf(t) = ln(1 + (N - n(t) + 0.5) / (n(t) + 0.5))      f: times t is in D    n: documents with t    N: documents
"""

import hashlib
import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.words.text import tokenize

K1 = 1.2  # how soon repeating a word stops to help
B = 0.75  # how much long texts are held back

_LONGEST_WORD = 38  # characters; some analyzers drop longer ones

Scores = NDArray[np.float32]


class BM25:
    """An index of N texts, in their order."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._open([tokenize(text) for text in texts])

    @classmethod
    def of_tokens(cls, documents: Sequence[Sequence[str]]) -> "BM25":
        """An index of N texts that are tokenised already."""
        index = cls.__new__(cls)
        index._open(documents)
        return index

    def _open(self, documents: Sequence[Sequence[str]]) -> None:
        self._count = len(documents)
        self._ids: dict[str, int] = {}
        ids = [[self._ids.setdefault(token, len(self._ids)) for token in tokens] for tokens in documents]
        import bm25s  # it loads scipy, and who only reads or writes rows has no index

        logging.getLogger("bm25s").setLevel(logging.WARNING)  # its import sets DEBUG, whatever the program logs
        self._index = bm25s.BM25(k1=K1, b=B, method="lucene", backend="numpy")
        if self._ids:
            self._index.index((ids, self._ids), create_empty_token=False, show_progress=False)

    def scores(self, query: str) -> Scores:
        """Scores [N] of the texts for `query`, 0 where they share no token."""
        return self.scores_of(tokenize(query))

    def scores_of(self, tokens: Sequence[str]) -> Scores:
        """Scores [N] for a query that is tokenised already; a token said twice counts twice."""
        known = [self._ids[token] for token in tokens if token in self._ids]
        if not known:
            return np.zeros(self._count, dtype=np.float32)
        scores: Scores = self._index.get_scores_from_ids(known) * np.float32(K1 + 1)  # bm25s leaves the constant out
        return scores


def stored_words(text: str) -> list[str]:
    """Tokens of `text` as the stores keep them: ASCII letters and digits, so any analyzer keeps each one whole.

    A token with other characters becomes u + its UTF-8 bytes in hexadecimal, a very long one h + a digest.
    """
    return [_ascii(token) for token in tokenize(text)]


def _ascii(token: str) -> str:
    word = token if token.isascii() and token.isalnum() else f"u{token.encode('utf-8', 'surrogatepass').hex()}"
    return word if len(word) <= _LONGEST_WORD else f"h{hashlib.sha256(word.encode()).hexdigest()[:32]}"
