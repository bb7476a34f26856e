"""The reasons of one hit, as frozen types. docs/reasons.md says what each number means and which of them add up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.preprocess import Frame

MOST_HITS = 10
"""Hits of an answer that are given reasons: the first."""
DIGITS = 6


@dataclass(frozen=True, slots=True)
class LegReason:
    """Where a leg put the hit, and what it adds to the score of the first stage; with the others it sums to that.

    `leg` is "prior" for what naive Bayes starts from.
    """

    leg: str
    score: float | None
    rank: int | None
    adds: float


@dataclass(frozen=True, slots=True)
class WordReason:
    """A part of the query's text, and what the hit would lose of its score without it. No sum: words work together.

    `start` and `end` count characters of the text as it was given. `met`: the fields of the product that hold it, or
    hold what it means.
    """

    text: str
    start: int
    end: int
    loses: float
    met: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AttributeReason:
    """What the query was understood to want of one field, and what the hit has there.

    `names` of the wanted value by language; `has`: the product's values of the field, none where it does not tell.
    `fit`: 0 to 1; `adds`: what of the leg `attributes` is this one's, together all of it. Both are None where the
    attribute was not weighed: the leg was not asked, or two products simply share it (`how` is "product").
    """

    text: str
    how: str
    negated: bool
    field: str
    value: str
    names: Mapping[str, str]
    has: tuple[str, ...]
    fit: float | None
    adds: float | None


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Numbers [R][C] of the cells of a picture; `frame` says which part of it they cover (ImagePreprocess.frame),
    None where that is not known: of a product's picture that the encoder cuts or pads by its size.

    `photo`: number of the query's photo, from 0; None for the first picture of the product.
    """

    photo: int | None
    frame: Frame | None
    cells: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A word of the query and the one thing of the product that late interaction matched it with: a word of the title,
    a place (row, column) of the picture, or, with neither, the picture as a whole. `adds` up over all matches and the
    product's heat map to the score of late interaction.
    """

    text: str
    word: str | None
    place: tuple[int, int] | None
    adds: float


@dataclass(frozen=True, slots=True)
class Reasons:
    """Of one hit. `legs` sum to the score of the first stage, with `late_adds` to `sum`; that is the hit's score unless
    a ranker gave it (`ranked`), whose contributions then sum to it.

    `photos`: for each photo what the score loses where a region is hidden. `picture`: what late interaction found in
    the product's picture. `left_out`: what there was no time for.
    """

    legs: tuple[LegReason, ...]
    late_score: float | None = None
    late_adds: float = 0.0
    ranked: bool = False
    words: tuple[WordReason, ...] = ()
    attributes: tuple[AttributeReason, ...] = ()
    photos: tuple[HeatMap, ...] = ()
    picture: HeatMap | None = None
    matches: tuple[Match, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def sum(self) -> float:
        """Of the legs and late interaction."""
        return sum(leg.adds for leg in self.legs) + self.late_adds

    def to_json(self) -> dict[str, Any]:
        """What a caller is shown, as plain values."""
        late = None
        if self.late_score is not None:
            late = {
                "score": _cut(self.late_score),
                "adds": _cut(self.late_adds),
                "matches": [*map(_match, self.matches)],
            }
        return {
            "sum": _cut(self.sum),
            "is_score": not self.ranked,
            "legs": [{"leg": o.leg, "score": o.score, "rank": o.rank, "adds": _cut(o.adds)} for o in self.legs],
            "late": late,
            "words": [
                {"text": o.text, "start": o.start, "end": o.end, "loses": _cut(o.loses), "met": list(o.met)}
                for o in self.words
            ],
            "attributes": [_attribute(own) for own in self.attributes],
            "photos": [_heat_map(own) for own in self.photos],
            "picture": None if self.picture is None else _heat_map(self.picture),
            "left_out": list(self.left_out),
        }


def _attribute(own: AttributeReason) -> dict[str, Any]:
    return {
        "text": own.text,
        "how": own.how,
        "negated": own.negated,
        "field": own.field,
        "value": own.value,
        "names": dict(own.names),
        "has": list(own.has),
        "fit": None if own.fit is None else _cut(own.fit),
        "adds": None if own.adds is None else _cut(own.adds),
    }


def _heat_map(own: HeatMap) -> dict[str, Any]:
    frame = None if own.frame is None else [round(edge, 4) for edge in own.frame]
    return {"photo": own.photo, "frame": frame, "cells": [[_cut(cell) for cell in row] for row in own.cells]}


def _match(own: Match) -> dict[str, Any]:
    place = None if own.place is None else list(own.place)
    return {"text": own.text, "word": own.word, "place": place, "adds": _cut(own.adds)}


def _cut(number: float) -> float:
    return round(float(number), DIGITS) + 0.0  # + 0.0: no -0.0 in an answer
