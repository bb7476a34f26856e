"""Words as numbers: the vocabulary of the towers that read whole words. No torch: serving reads it too.

    words = Vocabulary.of(texts).known(30_000)
    words.ids("red dress") -> (17, 4)

A word is what catalog.words.tokens cuts, so Chinese is segmented and "women's" is "woman". The commonest words have
numbers of their own. Any other word is spelled: each of its Han characters, or each run of three characters with its
beginning and end marked, has one of `PIECES` numbers by hash (Bojanowski et al. 2017), which rare words of the
training texts have taught. Without pieces it is passed over. A text of which nothing is left reads as NOTHING.
"""

import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from catalog.words.tokens import HAN, tokenize

PAD, NOTHING, FIRST = 0, 1, 2  # FIRST is the number of the first word
PIECES = 2048

_HAN = re.compile(f"[{HAN}]")


@dataclass(frozen=True)
class Vocabulary:
    """`counts`: known words in the order of their numbers, and how many of `texts` training texts hold each.
    `pieces`: how many numbers there are to spell other words with; 0: other words are passed over.
    """

    counts: Mapping[str, int]
    texts: int
    pieces: int = PIECES

    def __len__(self) -> int:
        """How many numbers there are: PAD, NOTHING, words, pieces."""
        return FIRST + len(self.counts) + self.pieces

    @cached_property
    def place(self) -> Mapping[str, int]:
        """Number of each known word."""
        return {word: number for number, word in enumerate(self.counts, FIRST)}

    def ids(self, text: str) -> tuple[int, ...]:
        """The numbers of a text's words, in their order; (NOTHING,) when it has none."""
        found: list[int] = []
        for word in tokenize(text):
            number = self.place.get(word)
            found.extend(self.spelled(word) if number is None else (number,))
        return tuple(found) or (NOTHING,)

    def spelled(self, word: str) -> list[int]:
        """The numbers of a word's pieces; none where nothing is spelled."""
        first = FIRST + len(self.counts)
        return [first + zlib.crc32(piece.encode()) % self.pieces for piece in pieces(word)] if self.pieces else []

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Vocabulary":
        """Every word of the different `texts`, the commonest first."""
        counted: Counter[str] = Counter()
        different = set(texts)
        for text in different:
            counted.update(set(tokenize(text)))
        ordered = sorted((-count, word) for word, count in counted.items())
        return cls({word: -count for count, word in ordered}, len(different))

    def known(self, most: int, besides: Iterable[str] = ()) -> "Vocabulary":
        """The `most` commonest words, of those that two texts or more hold, and the words of `besides`.

        A word that only one text holds is spelled otherwise, so that training teaches the pieces.
        """
        common = [word for word, count in self.counts.items() if count > 1][:most]
        counts = {word: self.counts.get(word, 0) for word in dict.fromkeys([*common, *besides])}
        return Vocabulary(counts, self.texts, self.pieces)

    def without_pieces(self) -> "Vocabulary":
        """The same words, and no others."""
        return Vocabulary(self.counts, self.texts, pieces=0)

    def write(self, path: Path) -> None:
        """As JSON."""
        document = {"texts": self.texts, "pieces": self.pieces, "words": dict(self.counts)}
        path.write_text(json.dumps(document, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Vocabulary":
        """The inverse of `write`. Raises ValueError when it was written with another number of pieces."""
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["pieces"] not in (0, PIECES):
            raise ValueError(f"{path} spells words in {document['pieces']} pieces, this version in {PIECES}")
        return cls(document["words"], document["texts"], document["pieces"])


def pieces(word: str) -> list[str]:
    """What a word is spelled in.

    >>> pieces("belt")
    ['<be', 'bel', 'elt', 'lt>']
    >>> pieces("跑鞋")
    ['跑', '鞋']
    """
    if _HAN.search(word):
        return list(word)
    marked = f"<{word}>"
    return [marked[start : start + 3] for start in range(len(marked) - 2)]
