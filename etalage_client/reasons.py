"""Why a hit was found, as the service tells it with `explain`; docs/reasons.md says how to read it."""

from pydantic import BaseModel, ConfigDict


class _Reason(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class LegReason(_Reason):
    """Where one leg put the hit, and what it adds to `sum`."""

    leg: str
    score: float | None
    rank: int | None
    adds: float


class Match(_Reason):
    """A word and what late interaction matched it with: a word of the title, a place [row, column] of the picture."""

    text: str
    word: str | None
    place: list[int] | None
    adds: float


class LateReason(_Reason):
    """The second look by words and places."""

    score: float
    adds: float
    matches: list[Match]


class WordReason(_Reason):
    """A part of the text, what the hit loses without it, and the product's fields that it met."""

    text: str
    start: int
    end: int
    loses: float
    met: list[str]


class AttributeReason(_Reason):
    """What is wanted of a field, and what the product has there."""

    text: str
    how: str
    negated: bool
    field: str
    value: str
    names: dict[str, str]
    has: list[str]
    fit: float | None
    adds: float | None


class HeatMap(_Reason):
    """Numbers of the cells of a picture, row by row from the top left; `frame` is where they lie in it, 0 to 1."""

    photo: int | None
    frame: list[float] | None
    cells: list[list[float]]


class Reasons(_Reason):
    """What legs and late interaction add up to, and which words, attributes and regions mattered."""

    sum: float
    is_score: bool
    legs: list[LegReason]
    late: LateReason | None
    words: list[WordReason]
    attributes: list[AttributeReason]
    photos: list[HeatMap]
    picture: HeatMap | None
    left_out: list[str]
