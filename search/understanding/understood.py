"""What was understood of a query, as frozen types: shown to the caller, and used by the ranking.

"skirt 500以下, not black" -> Mention(skirt: category=Skirts), Mention(black: colour=Black, negated), PriceRange(<= 500)
"""

from dataclasses import dataclass
from typing import Any, Literal

from search.filters import Range

How = Literal["name", "variant", "neighbour", "photo"]
Facet = tuple[str, str]  # (field, value)


@dataclass(frozen=True, slots=True)
class Meaning:
    """A facet value that a part of the query may mean; `confidence` above 0, at most 1."""

    field: str
    value: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Mention:
    """A part of the query that means facet values, the likeliest first; their confidences sum to 1 at most.

    `how`: it is a name of the value, a spelling variant of one, or the text encoder puts it near names; or no words say
    it, and the photos show it. `start` and `end` count characters of Understood.text.
    """

    text: str
    start: int
    end: int
    how: How
    meanings: tuple[Meaning, ...]
    negated: bool = False

    @property
    def field(self) -> str:
        """The field of the likeliest meaning."""
        return self.meanings[0].field

    @property
    def confidence(self) -> float:
        """Of the likeliest meaning."""
        return self.meanings[0].confidence


@dataclass(frozen=True, slots=True)
class PriceRange:
    """What it may cost: `bounds` as search.filters.Range has them. `currency`: ISO 4217, None when none was said.

    `applied`: whether it narrows the answer; where not, `reason` says why in a few words.
    """

    text: str
    start: int
    end: int
    bounds: tuple[tuple[str, float], ...]
    currency: str | None = None
    applied: bool = False
    reason: str = ""

    def clause(self) -> Range:
        """As a filter."""
        return Range("price", self.bounds)


@dataclass(frozen=True, slots=True)
class Understood:
    """`text` is the query in normal form; `wanted_text` what is left of it to search for, without prices and negations.

    `plain_text` is the same with every other spelling, other word and likely guess that no title has replaced by the
    shop's own name of it, and `names` what the shop calls the wanted values in the languages of its titles, where the
    query calls them otherwise.
    `without`: words that are not wanted and are no attribute ("laces" of "without laces"). `told`: nearly all words are
    about attributes; a query that says more names a brand or a model, as titles do.
    """

    text: str
    wanted_text: str
    mentions: tuple[Mention, ...] = ()
    prices: tuple[PriceRange, ...] = ()
    plain_text: str = ""
    names: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    told: bool = True

    def wanted(self) -> tuple[Mention, ...]:
        """The mentions that are not negated."""
        return tuple(mention for mention in self.mentions if not mention.negated)

    def unwanted(self) -> tuple[Mention, ...]:
        """The negated ones."""
        return tuple(mention for mention in self.mentions if mention.negated)

    def to_json(self) -> dict[str, Any]:
        """What a caller is shown, as plain values."""
        return {
            "facets": [_shown(mention) for mention in self.mentions],
            "prices": [
                {
                    "text": price.text,
                    "price": dict(price.bounds),
                    "currency": price.currency,
                    "applied": price.applied,
                    "reason": price.reason,
                }
                for price in self.prices
            ],
            "without": list(self.without),
            "searched": " ".join((self.plain_text, *self.names)),
        }


def _shown(mention: Mention) -> dict[str, Any]:
    meanings = [{"field": m.field, "value": m.value, "confidence": m.confidence} for m in mention.meanings]
    return {"text": mention.text, "how": mention.how, "negated": mention.negated, "meanings": meanings}
