"""Files of word vectors: word2vec's text and binary forms, and GloVe's text.

    file = VectorFile.open(Path("glove.6B.300d.txt"))      # looks at the first row alone
    vectors = file.read(wanted={"dress", "红色"}, most=30_000)

word2vec begins with a line "words numbers", GloVe with its first word. A row of text is a word and its numbers between
spaces; a binary row is a word, a space and 32-bit floats.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from catalog.errors import InvalidParams
from catalog.words.tokens import tokenize

Floats = NDArray[np.float32]

_LONGEST_WORD = 10_000  # bytes


@dataclass(frozen=True)
class VectorFile:
    """`dim`: numbers of each word."""

    path: Path
    dim: int
    headed: bool
    binary: bool

    @classmethod
    def open(cls, path: Path) -> "VectorFile":
        """Find out which form it has. Raises InvalidParams for a file that is missing or of no known form."""
        if not path.is_file():
            raise InvalidParams(f"model.text_backbone: there is no file of word vectors at {path}.")
        with path.open("rb") as stream:
            first, second = stream.readline(_LONGEST_WORD).split(), stream.readline(_LONGEST_WORD * 10)
        if len(first) == 2 and all(part.isdigit() for part in first) and int(first[1]) > 0:
            dim = int(first[1])
            return cls(path, dim, headed=True, binary=_numbers(second.rstrip().rsplit(b" ", dim)[1:]) is None)
        if len(first) > 2 and _numbers(first[1:]) is not None:
            return cls(path, len(first) - 1, headed=False, binary=False)
        raise InvalidParams(f"{path} holds no word vectors: neither word2vec's form nor GloVe's.")

    def read(self, wanted: Collection[str], most: int) -> dict[str, Floats]:
        """Vectors [dim] by the word that catalog.words.tokens makes of the file's: all that are `wanted`, and others
        until there are `most`. The file's spelling that is a token already goes before those that are folded into it.

        Raises InvalidParams when a row is malformed.
        """
        found: dict[str, Floats] = {}
        exact: set[str] = set()
        for word, raw in self._rows():
            tokens = tokenize(word)
            token = word if word in tokens else tokens[0] if len(tokens) == 1 else None
            if token is None or (token not in wanted and token not in found and len(found) >= most):
                continue
            if token not in found or (token == word and token not in exact):
                found[token] = self._vector(word, raw)
            if token == word:
                exact.add(token)
        if not found:
            raise InvalidParams(f"{self.path} holds no vector of any word that Etalage can read.")
        return found

    def _rows(self) -> Iterator[tuple[str, bytes]]:
        with self.path.open("rb") as stream:
            if self.headed:
                stream.readline()
            yield from self._binary_rows(stream) if self.binary else self._text_rows(stream)

    def _text_rows(self, stream: IO[bytes]) -> Iterator[tuple[str, bytes]]:
        for line in stream:
            word, _, numbers = line.rstrip().partition(b" ")
            if numbers.count(b" ") >= self.dim:  # the word has spaces in it
                word, numbers = line.rstrip().rsplit(b" ", self.dim)[0], b" ".join(line.split()[-self.dim :])
            yield word.decode("utf-8", "replace"), numbers

    def _binary_rows(self, stream: IO[bytes]) -> Iterator[tuple[str, bytes]]:
        while True:
            letters = bytearray()
            while (letter := stream.read(1)) not in (b" ", b"") and len(letters) < _LONGEST_WORD:
                letters += letter
            if not letter:
                break
            yield letters.strip().decode("utf-8", "replace"), stream.read(4 * self.dim)
        if letters.strip():
            raise self._malformed(letters.decode("utf-8", "replace"))

    def _vector(self, word: str, raw: bytes) -> Floats:
        if self.binary:
            numbers = np.frombuffer(raw, dtype="<f4").astype(np.float32) if len(raw) == 4 * self.dim else None
        else:
            numbers = _numbers(raw.split())
        if numbers is None or len(numbers) != self.dim or not np.isfinite(numbers).all():
            raise self._malformed(word)
        return numbers

    def _malformed(self, word: str) -> InvalidParams:
        return InvalidParams(f"{self.path}: the row of '{word[:40]}' does not hold {self.dim} numbers.")


def _numbers(parts: list[bytes]) -> Floats | None:
    try:
        return np.array([float(part) for part in parts], dtype=np.float32) if parts else None
    except ValueError:
        return None
