"""What is asked and what is answered, as frozen types. A query is checked here, once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import InvalidQuery
from search.collection import LEGS, LEXICAL
from search.ranking import QueryKind

MOST_HITS = 200
MOST_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Query:
    """Words, a photo (the bytes of a picture file), or both.

    `filters` as the caller wrote them (search.filters); `legs`: these only, None for those that the ranking weighs;
    `text_weight`: with words and a photo, the share of the words, 0 to 1.
    """

    text: str | None = None
    image: bytes | None = None
    k: int = 10
    filters: Mapping[str, Any] = field(default_factory=dict)
    legs: tuple[str, ...] | None = None
    text_weight: float = 0.5

    def kind(self) -> QueryKind:
        """Which weights rank it."""
        if self.image is None:
            return "text"
        return "image" if self.text is None else "text+image"


@dataclass(frozen=True, slots=True)
class LegScore:
    """Where one leg put a hit: its own score, and its rank from 1; None when it was not among the leg's candidates."""

    score: float | None
    rank: int | None


@dataclass(frozen=True, slots=True)
class Hit:
    """One ranked product. `legs` has every leg that was asked; `product` is what search.rows.payload_of shows."""

    id: str
    score: float
    rank: int
    legs: Mapping[str, LegScore]
    product: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """Hits, best first, the release that gave them, and milliseconds: encode, retrieve, rank, fetch, total."""

    hits: tuple[Hit, ...]
    release: str
    took_ms: Mapping[str, float]


def check(query: Query) -> None:
    """Raise InvalidQuery, with one sentence, when the query cannot be asked."""
    check_k(query.k)
    if query.text is None and query.image is None:
        raise InvalidQuery("The query is empty: give it a text, an image or both.")
    if query.text is not None:
        _check_text(query.text)
    if query.image is not None and not query.image:
        raise InvalidQuery("The query's image is empty.")
    weight = query.text_weight
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1:
        raise InvalidQuery("'text_weight' must be a number from 0 to 1.")
    if query.legs is not None:
        _check_legs(query.legs, query.text is not None)


def check_k(k: int) -> None:
    """Raise InvalidQuery unless `k` is a whole number from 1 to MOST_HITS."""
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MOST_HITS:
        raise InvalidQuery(f"'k' must be a whole number from 1 to {MOST_HITS}.")


def _check_text(text: str) -> None:
    if not text.strip():
        raise InvalidQuery("The query's text is empty.")
    if len(text) > MOST_CHARACTERS:
        raise InvalidQuery(f"The query's text has {len(text):,} characters; the limit is {MOST_CHARACTERS:,}.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidQuery("The query's text holds half a character, which is not text.")


def _check_legs(legs: tuple[str, ...], worded: bool) -> None:
    unknown = [str(leg)[:40] for leg in legs if leg not in LEGS]
    if unknown or not legs:
        wrong = f"there is no leg '{unknown[0]}'" if unknown else "the list is empty"
        raise InvalidQuery(f"'legs' must name some of {', '.join(LEGS)}: {wrong}.")
    if len(set(legs)) < len(legs):
        raise InvalidQuery("'legs' names one leg twice.")
    if LEXICAL in legs and not worded:
        raise InvalidQuery("The lexical leg needs words, and the query has none.")
