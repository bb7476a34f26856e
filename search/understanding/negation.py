"""What a query does not want: "not black", "without laces", 不要黑色, 除了红色以外.

A negation reaches the first mention after it and goes on over "or", "and", 和, 、 to mentions of the same field, so
"not black shirts" still wants shirts. Where no mention follows, cues that can only mean "lacking" take the words up to
the next stop.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from search.understanding.pieces import Piece

# Cue -> whether it also takes words that are no attribute.
_CUES: dict[tuple[str, ...], bool] = {
    ("anything", "but"): False, ("everything", "but"): False, ("other", "than"): False, ("rather", "than"): False,
    ("instead", "of"): False, ("except", "for"): True, ("except",): True, ("excluding",): True, ("exclude",): True,
    ("without",): True, ("no",): True, ("not",): False, ("non",): False, ("minus",): True, ("never",): False,
    ("don't", "want"): True, ("don't", "like"): True, ("dont", "want"): True, ("do", "not", "want"): True,
    ("not", "want"): True,
    ("除了",): True, ("除",): False, ("除开",): True, ("排除",): True, ("拒绝",): True, ("非",): False, ("无",): False,
    ("不要",): True, ("不", "要"): True, ("不想要",): True, ("不想", "要"): True, ("不", "想", "要"): True,
    ("不是",): False, ("不", "是"): False, ("不能",): False, ("不",): False, ("不喜欢",): True, ("不", "喜欢"): True,
    ("不含",): True, ("不", "含"): True, ("不带",): True, ("不", "带"): True, ("别",): False, ("别要",): True,
    ("不想",): False, ("没有",): True, ("没", "有"): True, ("没",): False,
}  # fmt: skip
_MOST_CUE = max(map(len, _CUES))
_SKIPPED = frozenset(
    [
        "in",
        "a",
        "an",
        "the",
        "any",
        "too",
        "so",
        "of",
        "with",
        "made",
        "from",
        "be",
        "is",
        "want",
        "有",
        "要",
        "是",
        "太",
        "买",
    ]
)
_JOINS = frozenset(
    ["or", "and", "nor", "&", "/", ",", "和", "或", "或者", "跟", "与", "及", "、", "也", "以及", "还有"]
)
_STOPS = frozenset(
    ["but", "for", "with", "in", "under", "over", "below", "above", "please", "only", "just", "the", "that", "的"]
)
_TAILS = (("以外",), ("之外",), ("外",), ("以", "外"), ("之", "外"), ("的",))
_MOST_WORDS = 3


@dataclass(frozen=True, slots=True)
class Negation:
    """pieces[start:end] with the cue; `mentions` are the numbers of negated pieces, `words` those taken as words."""

    start: int
    end: int
    mentions: tuple[int, ...]
    words: tuple[int, ...] = ()


def negations(pieces: Sequence[Piece], field_of: Sequence[str | None]) -> list[Negation]:
    """The negations among `pieces`; `field_of[n]` is the field that piece n mentions, None for other pieces."""
    found: list[Negation] = []
    here = 0
    while here < len(pieces):
        negation = _negation(pieces, field_of, here)
        if negation:
            found.append(negation)
        here = negation.end if negation else here + 1
    return found


def _negation(pieces: Sequence[Piece], field_of: Sequence[str | None], start: int) -> Negation | None:
    length = _cue_at(pieces, field_of, start)
    if not length:
        return None
    cue = tuple(piece.text for piece in pieces[start : start + length])
    here = start + length
    while here < len(pieces) and field_of[here] is None and (pieces[here].text in _SKIPPED or pieces[here].text == "-"):
        here += 1
    if here == len(pieces):
        return None
    field, taken, place = field_of[here], [here], here + 1
    if field is None:
        return _of_words(pieces, field_of, start, here) if _CUES.get(cue, False) else None
    while place + 1 < len(pieces) and pieces[place].text in _JOINS and field_of[place + 1] == field:
        taken.append(place + 1)
        place += 2
    return Negation(start, _after_tail(pieces, place), tuple(taken))


def _of_words(pieces: Sequence[Piece], field_of: Sequence[str | None], start: int, first: int) -> Negation | None:
    taken = []
    for place in range(first, min(first + _MOST_WORDS, len(pieces))):
        piece = pieces[place]
        if piece.kind != "word" or field_of[place] is not None or piece.text in _STOPS or piece.text in _JOINS:
            break
        taken.append(place)
    return Negation(start, _after_tail(pieces, taken[-1] + 1), (), tuple(taken)) if taken else None


def _cue_at(pieces: Sequence[Piece], field_of: Sequence[str | None], start: int) -> int:
    """How many pieces from `start` are a cue, 0 for none. A "-" right before a word and after a space is one too."""
    for length in range(min(_MOST_CUE, len(pieces) - start), 0, -1):
        taken = pieces[start : start + length]
        if tuple(piece.text for piece in taken) in _CUES and not any(field_of[start : start + length]):
            return length
    if pieces[start].text == "-" and start + 1 < len(pieces) and pieces[start + 1].start == pieces[start].end:
        return int(start > 0 and pieces[start - 1].end < pieces[start].start)
    return 0


def _after_tail(pieces: Sequence[Piece], place: int) -> int:
    """Past what closes 除了...以外."""
    for tail in _TAILS:
        if tuple(piece.text for piece in pieces[place : place + len(tail)]) == tail:
            return _after_tail(pieces, place + len(tail))
    return place
