"""Guesses about words that no name explains: which of them stand together, and what the encoder puts them near.

篮球 | 鞋 -> "篮球鞋" near Sports Shoes, though 鞋 alone is a name of all shoes
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from catalog.products import CATEGORY
from search.understanding.fillers import FILLERS
from search.understanding.neighbours import Neighbours, Scores
from search.understanding.pieces import Piece
from search.understanding.vocabulary import Floats, Vocabulary

Guess = tuple[int, int, Piece, tuple[tuple[int, float], ...]]  # pieces[first:end] as one, its values with confidence

LEAST = 0.3  # what the values of a guess must have together to count
_SHOWN = 0.05  # a value with less is not told
_MOST_VALUES = 5
_MOST_WORDS = 3  # of one span
_MOST_CHARACTERS = 8  # of one Chinese span
MOST_SPANS = 24  # that are encoded for one query
_KEPT = 0.5  # what a name keeps of its meaning inside a longer guess
_LENGTH = 0.5


@dataclass(frozen=True, slots=True)
class _Span:
    first: int
    end: int
    text: str
    names: tuple[int, ...]  # numbers of the pieces in it that are names


class Guesser:
    """Spans of unexplained pieces, and the values near them."""

    def __init__(self, vocabulary: Vocabulary, encode: Callable[[Sequence[str]], Floats]) -> None:
        self._neighbours = Neighbours(vocabulary)
        self._facets = vocabulary.facets
        self._encode = encode
        self._speaks = bool(vocabulary.names)

    def guess(self, pieces: Sequence[Piece]) -> list[Guess]:
        """What the pieces that are no names may mean; spans do not overlap."""
        heads = [
            piece.kind == "name" and any(self._facets[value][0] == CATEGORY for value in piece.values)
            for piece in pieces
        ]
        spans = list(_spans(pieces, heads))[:MOST_SPANS] if self._speaks else []
        if not spans:
            return []
        chances = self._neighbours.probabilities(self._encode([span.text for span in spans]))
        worth = {}
        for span, chance in zip(spans, chances, strict=True):
            values = self._values(span, chance, pieces)
            if values:
                worth[span] = values
        return [
            (span.first, span.end, _joined(pieces[span.first : span.end]), worth[span])
            for span in _best(worth, len(pieces))
        ]

    def _values(self, span: _Span, chance: Scores, pieces: Sequence[Piece]) -> tuple[tuple[int, float], ...]:
        """(value, confidence), the likeliest first; () where the span does not count.

        A span that holds the name of a category counts only where it means one too, and the name keeps half its say.
        """
        ranked = [int(value) for value in (-chance).argsort(kind="stable")[:_MOST_VALUES]]
        found = {value: float(chance[value]) for value in ranked if chance[value] >= _SHOWN}
        if sum(found.values()) < LEAST:
            return ()
        for name in span.names:
            own = pieces[name].values
            if self._facets[ranked[0]][0] != CATEGORY:
                return ()
            found = {value: (1 - _KEPT) * say for value, say in found.items()}
            for value in own:
                found[value] = found.get(value, 0.0) + _KEPT / len(own)
        return tuple(sorted(found.items(), key=lambda value: (-value[1], value[0])))


def is_open(piece: Piece) -> bool:
    """Whether a guess may be made about it."""
    return piece.kind == "word" and piece.text not in FILLERS


def _spans(pieces: Sequence[Piece], heads: Sequence[bool]) -> Iterator[_Span]:
    """Runs of up to three open pieces; `heads`, names of categories, may end them (Chinese: begin them too)."""
    for first in range(len(pieces)):
        for end in range(min(first + _MOST_WORDS, len(pieces)), first, -1):
            taken = pieces[first:end]
            names = tuple(number for number in range(first, end) if heads[number])
            opened = sum(map(is_open, taken))
            if not opened or opened + len(names) < len(taken) or len(names) > 1 or not _adjacent(taken):
                continue
            if names and names[0] != end - 1 and not (names[0] == first and taken[0].han):
                continue
            text = _joined(taken).text
            if len(taken) == 1 and len(text) == 1:
                continue  # one character or letter means too much alone
            if any(piece.han for piece in taken) and len(text) > _MOST_CHARACTERS:
                continue
            yield _Span(first, end, text, names)


def _adjacent(taken: Sequence[Piece]) -> bool:
    """Whether nothing but a space or hyphen between words, and nothing beside Chinese characters, parts them."""
    return all(other.start - one.end <= (0 if one.han or other.han else 1) for one, other in pairwise(taken))


def _joined(taken: Sequence[Piece]) -> Piece:
    text = taken[0].text
    for one, other in pairwise(taken):
        text += (" " if other.start > one.end else "") + other.text
    return Piece(text, taken[0].start, taken[-1].end, "word", han=any(piece.han for piece in taken))


def _best(worth: dict[_Span, tuple[tuple[int, float], ...]], count: int) -> list[_Span]:
    """The spans that explain most, none over another: each is worth its confidence, and more with each piece it takes.

    A name that it takes in counts for nothing: it was explained before.
    """
    best: list[tuple[float, tuple[_Span, ...]]] = [(0.0, ())]
    for end in range(1, count + 1):
        choice = best[end - 1]
        for span, values in worth.items():
            if span.end == end:
                pieces = span.end - span.first - len(span.names)
                sure = sum(say for _, say in values) * max(say for _, say in values) ** 0.5
                gain = best[span.first][0] + sure * (1 + _LENGTH * (pieces - 1))
                if gain > choice[0]:
                    choice = (gain, (*best[span.first][1], span))
        best.append(choice)
    return list(best[-1][1])
