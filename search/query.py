"""What is asked and what is answered, as frozen types. A query is checked here, once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import InvalidQuery
from search.collection import LEXICAL, QUERY_LEGS
from search.facets import FacetCounts
from search.ranking import QueryKind
from search.reasons.reason import Reasons
from search.understanding.understood import Understood

MOST_HITS = 200
MOST_CHARACTERS = 2_000  # of the text, and of all terms together
MOST_IMAGES = 8
MOST_TERMS = 16
HEAVIEST = 2.0  # weight of a term
USUAL = 0.5  # weight of a term that is given without one


@dataclass(frozen=True, slots=True)
class WeightedTerm:
    """Words that pull the query towards them, or with a weight below 0 push it away; the rest of the query weighs 1."""

    text: str
    weight: float = USUAL


@dataclass(frozen=True, slots=True)
class Query:
    """Words, photos (the bytes of picture files), weighted terms, or all of these.

    `filters` as the caller wrote them (search.filters); `legs`: these only, None for those that the ranking weighs;
    `text_weight`: with words and photos, the share of the words, 0 to 1; several photos weigh the same.
    `without`: the id of a product that is never answered, nor asked about: the one that the photo is of.
    `understand`: read attributes, negations and prices in the words (search.understanding) and what the photos show
    (search.votes), or take both as they are.
    `explain`: say of each hit what adds up to its score.
    `facets`: fields whose values are counted over what was found (search.facets).
    """

    text: str | None = None
    images: tuple[bytes, ...] = ()
    k: int = 10
    filters: Mapping[str, Any] = field(default_factory=dict)
    legs: tuple[str, ...] | None = None
    text_weight: float = 0.5
    terms: tuple[WeightedTerm, ...] = ()
    without: str | None = None
    understand: bool = True
    explain: bool = False
    facets: tuple[str, ...] = ()

    def kind(self) -> QueryKind:
        """Which weights rank it."""
        worded = self.text is not None or bool(self.terms)
        if not self.images:
            return "text"
        return "text+image" if worded else "image"

    def words(self) -> str | None:
        """What the lexical leg looks for: the text and the terms that pull, None where there are none."""
        said = [self.text or "", *(term.text for term in self.terms if term.weight > 0)]
        return " ".join(part for part in said if part) or None


@dataclass(frozen=True, slots=True)
class LegScore:
    """Where one leg put a hit: its own score, and its rank from 1; None when it was not among the leg's candidates."""

    score: float | None
    rank: int | None


@dataclass(frozen=True, slots=True)
class Hit:
    """One ranked product. `legs` has every leg that was asked; `product` is what search.rows.payload_of shows.

    `contributions`, for a query that asks to explain: what each leg, or each feature of the ranker, adds to the score.
    `reasons`: why it was found (search.reasons), of the first hits of such a query.
    """

    id: str
    score: float
    rank: int
    legs: Mapping[str, LegScore]
    product: Mapping[str, Any]
    contributions: Mapping[str, float] | None = None
    reasons: Reasons | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Hits, best first, the release that gave them, and milliseconds: understand, encode, retrieve, rank, fetch, total.

    `facets`: of the fields that were asked for. `understood`: how the text was read; None where there was none, or
    nothing to read it with, or it was not to be.
    """

    hits: tuple[Hit, ...]
    release: str
    took_ms: Mapping[str, float]
    understood: Understood | None = None
    facets: Mapping[str, FacetCounts] | None = None


def check(query: Query) -> None:
    """Raise InvalidQuery, with one sentence, when the query cannot be asked."""
    check_k(query.k)
    if query.text is None and not query.images and not query.terms:
        raise InvalidQuery("The query is empty: give it a text, an image or both.")
    if query.text is not None:
        _check_text(query.text, "text")
    if len(query.images) > MOST_IMAGES:
        raise InvalidQuery(f"A query takes at most {MOST_IMAGES} images, and this one has {len(query.images)}.")
    if not all(query.images):
        raise InvalidQuery("The query's image is empty.")
    if not _is_number(query.text_weight, 0, 1):
        raise InvalidQuery("'text_weight' must be a number from 0 to 1.")
    _check_terms(query)
    if query.legs is not None:
        _check_legs(query.legs, query.words() is not None)


def check_k(k: int) -> None:
    """Raise InvalidQuery unless `k` is a whole number from 1 to MOST_HITS."""
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MOST_HITS:
        raise InvalidQuery(f"'k' must be a whole number from 1 to {MOST_HITS}.")


def _check_terms(query: Query) -> None:
    terms = query.terms
    if len(terms) > MOST_TERMS:
        raise InvalidQuery(f"A query takes at most {MOST_TERMS} terms, and this one has {len(terms)}.")
    for term in terms:
        _check_text(term.text, "term")
        if not _is_number(term.weight, -HEAVIEST, HEAVIEST) or term.weight == 0:
            raise InvalidQuery(f"The weight of a term must be a number from -{HEAVIEST:g} to {HEAVIEST:g}, and not 0.")
    if sum(len(term.text) for term in terms) > MOST_CHARACTERS:
        raise InvalidQuery(f"The query's terms have more than {MOST_CHARACTERS:,} characters together.")
    if not query.images and query.words() is None:
        raise InvalidQuery("The query says only what is not wanted: add a text, an image or a term that is.")


def _is_number(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _check_text(text: str, name: str) -> None:
    if not text.strip():
        raise InvalidQuery(f"The query's {name} is empty.")
    if len(text) > MOST_CHARACTERS:
        raise InvalidQuery(f"The query's {name} has {len(text):,} characters; the limit is {MOST_CHARACTERS:,}.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidQuery(f"The query's {name} holds half a character, which is not text.")


def _check_legs(legs: tuple[str, ...], worded: bool) -> None:
    unknown = [str(leg)[:40] for leg in legs if leg not in QUERY_LEGS]
    if unknown or not legs:
        wrong = f"there is no leg '{unknown[0]}'" if unknown else "the list is empty"
        raise InvalidQuery(f"'legs' must name some of {', '.join(QUERY_LEGS)}: {wrong}.")
    if len(set(legs)) < len(legs):
        raise InvalidQuery("'legs' names one leg twice.")
    if LEXICAL in legs and not worded:
        raise InvalidQuery("The lexical leg needs words, and the query has none.")
