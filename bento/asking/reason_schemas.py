"""Reasons as they go out over HTTP (search.reasons.reason), as types; docs/reasons.md says how to read them."""

from pydantic import BaseModel, Field


class LegReasonAnswer(BaseModel):
    """Where one leg put the hit, and what it adds."""

    leg: str
    score: float | None
    rank: int | None = Field(description="1 is best; null where the leg did not find it.")
    adds: float = Field(description="To `sum`.")


class MatchAnswer(BaseModel):
    """A word and what late interaction matched it with: a word of the title, a place of the picture, or all of it."""

    text: str
    word: str | None
    place: list[int] | None = Field(description="Row and column in `picture`.")
    adds: float = Field(description="To the late score.")


class LateReasonAnswer(BaseModel):
    """The second look by words and places."""

    score: float
    adds: float = Field(description="To `sum`.")
    matches: list[MatchAnswer]


class WordReasonAnswer(BaseModel):
    """A part of the text; without it the hit would lose so much. These do not add up: words work together."""

    text: str
    start: int
    end: int
    loses: float
    met: list[str] = Field(description="Fields of the product that hold it, or what it means.")


class AttributeReasonAnswer(BaseModel):
    """What is wanted of a field, and what the product has there."""

    text: str = Field(description="As it was said; empty where a photo shows it.")
    how: str = Field(description="name, variant, neighbour, photo; product: both products have it.")
    negated: bool
    field: str
    value: str
    names: dict[str, str] = Field(description="The value by language, en and zh.")
    has: list[str] = Field(description="The product's values of the field; none where it does not tell.")
    fit: float | None = Field(description="0 to 1; null where it was not weighed.")
    adds: float | None = Field(description="Of what the leg attributes adds, this one's part.")


class HeatMapAnswer(BaseModel):
    """Numbers of the cells of a picture, row by row from the top left."""

    photo: int | None = Field(description="Number of the query's photo, from 0; null: the product's first picture.")
    frame: list[float] | None = Field(
        description="Left, top, right and bottom of the cells, in widths and heights of the picture; null: not known."
    )
    cells: list[list[float]] = Field(
        description="Of a photo: what the score loses where the cell is hidden. Of the product: what late interaction "
        "found there."
    )


class ReasonsAnswer(BaseModel):
    """Why a hit was found."""

    sum: float = Field(description="What legs and late interaction add up to.")
    is_score: bool = Field(description="Whether that is the score; else a ranker's `contributions` add up to it.")
    legs: list[LegReasonAnswer] = Field(description="What adds most first.")
    late: LateReasonAnswer | None = Field(description="null where late interaction had no say.")
    words: list[WordReasonAnswer]
    attributes: list[AttributeReasonAnswer]
    photos: list[HeatMapAnswer] = Field(description="Of the query's first two photos.")
    picture: HeatMapAnswer | None
    left_out: list[str] = Field(description="What there was no time for: words, photos.")
