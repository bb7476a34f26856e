"""A query cut to pieces: names of facet values wherever they fit, words between them.

The cheapest path over all ways to cut, as in "黑色羊毛衫女" -> 黑色 | 羊毛衫 | 女: a name costs less than a word of the
dictionary, a word less than its characters, and one long name less than two short ones.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from catalog.words.tokens import HAN, han_words, normalise, tokenize
from search.understanding.scripts import simplified

PieceKind = Literal["name", "word", "number", "mark"]

_ATOM = re.compile(
    rf"(?P<han>[{HAN}])|(?P<number>\d+(?:[.,]\d+)*)|(?P<word>[^\W\d_{HAN}][^\W_{HAN}]*(?:'[^\W_{HAN}]+)*)"
)
_NAME = 0.5
_SHORT_NAME = 1.2  # of one Chinese character: it may as well be a part of a longer word
_WORD = 3.0
_HAN_WORD, _HAN_CHARACTER = 1.0, 0.4  # a word of the dictionary costs the first, and the second for each character
_LONE_CHARACTER = 2.0
_LONGEST_HAN_WORD = 6


@dataclass(frozen=True, slots=True)
class Piece:
    """text[start:end]. `values`: numbers of the values that it is a name of, empty for any other kind."""

    text: str
    start: int
    end: int
    kind: PieceKind
    values: tuple[int, ...] = ()
    han: bool = False


class NameTable:
    """Names of values, found in a text. Values are numbers here."""

    def __init__(self, names: Sequence[tuple[str, int]]) -> None:
        """`names`: (name, number of its value); a name may have several values."""
        self.han: dict[str, tuple[int, ...]] = {}
        self.words: dict[tuple[str, ...], tuple[int, ...]] = {}
        for given, value in names:
            name = simplified(normalise(given))
            if _has_han(name):
                self.han[name] = _with(self.han.get(name, ()), value)
            elif key := tuple(tokenize(name)):
                self.words[key] = _with(self.words.get(key, ()), value)
        self.most_words = max(map(len, self.words), default=0)
        self.most_han = max(map(len, self.han), default=0)

    def cut(self, text: str) -> list[Piece]:
        """`text` in normal form -> its pieces from left to right; spaces are no pieces."""
        atoms = list(_atoms(text))
        ends = {atom.end: number + 1 for number, atom in enumerate(atoms)}
        least = [0.0] + [float("inf")] * len(atoms)  # cost of the cheapest path to each place between atoms
        last: list[tuple[int, Piece]] = [(0, first) for first in atoms]  # its last piece, and where that begins
        words = _words_of_runs(text, atoms)
        for here in range(len(atoms)):
            for piece, cost in self._from(text, atoms, here, words):
                there = ends.get(piece.end)
                if there is not None and least[here] + cost < least[there]:
                    least[there], last[there - 1] = least[here] + cost, (here, piece)
        pieces: list[Piece] = []
        place = len(atoms)
        while place > 0:
            place, piece = last[place - 1]
            pieces.append(piece)
        return pieces[::-1]

    def _from(
        self, text: str, atoms: Sequence[Piece], here: int, words: Mapping[int, Sequence[int]]
    ) -> Iterator[tuple[Piece, float]]:
        """Every piece that begins at atom `here`, with its cost."""
        first = atoms[here]
        yield first, _LONE_CHARACTER if first.han else 0.0 if first.kind == "mark" else _WORD
        for end in words.get(first.start, ()):
            surface = text[first.start : end]
            yield Piece(surface, first.start, end, "word", han=True), _HAN_WORD + _HAN_CHARACTER * len(surface)
        for length in range(1, min(self.most_han, len(text) - first.start) + 1):
            surface = text[first.start : first.start + length]
            if values := self.han.get(surface):
                cost = _SHORT_NAME if length == 1 else _NAME
                yield Piece(surface, first.start, first.start + length, "name", values, True), cost
        if first.han or first.kind == "mark":
            return
        for before, last in pairwise((first, *atoms[here : here + 2 * self.most_words])):
            if last.han or text[before.end : last.start] not in ("", " ") or (last.kind == "mark" and last.text != "-"):
                return
            surface = text[first.start : last.end]
            if last.kind != "mark" and (values := self.words.get(tuple(tokenize(surface)))):
                yield Piece(surface, first.start, last.end, "name", values), _NAME


def _atoms(text: str) -> Iterator[Piece]:
    """The smallest pieces: Chinese characters, words, numbers, and each other sign but spaces."""
    place = 0
    while place < len(text):
        found = _ATOM.match(text, place)
        if found:
            kind: PieceKind = "number" if found.lastgroup == "number" else "word"
            yield Piece(found.group(), place, found.end(), kind, han=found.lastgroup == "han")
            place = found.end()
        else:
            if not text[place].isspace():
                yield Piece(text[place], place, place + 1, "mark")
            place += 1


def _words_of_runs(text: str, atoms: Sequence[Piece]) -> dict[int, list[int]]:
    """Ends of the dictionary's words, by where they start."""
    found: dict[int, list[int]] = {}
    start = 0
    while start < len(atoms):
        end = start
        while end < len(atoms) and atoms[end].han and (end == start or atoms[end].start == atoms[end - 1].end):
            end += 1
        if end > start:
            offset = atoms[start].start
            for first, last in han_words(text[offset : atoms[end - 1].end], _LONGEST_HAN_WORD):
                found.setdefault(offset + first, []).append(offset + last)
        start = max(end, start + 1)
    return found


def _has_han(name: str) -> bool:
    return any(_ATOM.match(character, 0) is not None and character >= "\u3400" for character in name)


def _with(values: tuple[int, ...], value: int) -> tuple[int, ...]:
    return values if value in values else (*values, value)
