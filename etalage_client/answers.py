"""What the service answers, as frozen types. tests/etalage_client holds them against /openapi.json, field by field.

A field that this version does not know is passed over, so a newer service does not break an older client.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, PrivateAttr

from etalage_client.reasons import Reasons


class Answer(BaseModel):
    """Any answer, and the id under which the service's log and journal know it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    _request_id: str = PrivateAttr(default="")

    @property
    def request_id(self) -> str:
        """X-Request-Id of the answer: what feedback is reported under."""
        return self._request_id


class LegScore(BaseModel):
    """Where one leg put a hit, None where it did not; scores compare within the leg only. Rank 1 is best."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    score: float | None
    rank: int | None


class Hit(BaseModel):
    """One product that was found. `own` has its fields beside these: brand, price, attributes..."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str
    score: float
    rank: int
    title: str
    legs: dict[str, LegScore]
    contributions: dict[str, float] | None = None
    reasons: Reasons | None = None

    @property
    def own(self) -> dict[str, Any]:
        """The product's own fields, as the catalogue has them."""
        return self.model_extra or {}


class Meaning(BaseModel):
    """A facet value that a part of the text may mean."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    field: str
    value: str
    confidence: float


class Facet(BaseModel):
    """A part of the text that means facet values, the likeliest first."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str
    how: Literal["name", "variant", "neighbour", "photo"]
    negated: bool
    meanings: list[Meaning]


class Price(BaseModel):
    """A price that the text speaks of; `applied` ones filter, `reason` says why another does not."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str
    price: dict[str, float]
    currency: str | None
    applied: bool
    reason: str


class Understood(BaseModel):
    """How the query was read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    facets: list[Facet]
    prices: list[Price]
    without: list[str]
    searched: str


class FacetCount(BaseModel):
    """A value, and how many of the products that the query found have it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    value: str
    count: int


class SearchAnswer(Answer):
    """Hits, best first, of POST /search and POST /similar."""

    hits: list[Hit]
    understood: Understood | None = None
    facets: dict[str, list[FacetCount]] | None = None
    release: str
    took_ms: float
    timings_ms: dict[str, float]


class ProductAnswer(Answer):
    """One product with its own fields."""

    product: dict[str, Any]
    release: str
    took_ms: float


class FeedbackAnswer(Answer):
    """What became of the events: on the disk of the service, or reported before."""

    kept: int
    repeated: int


class Alive(Answer):
    """The process answers; `release` is "" while none is known."""

    status: Literal["alive"]
    release: str


class Ready(Answer):
    """A probe query was answered just now."""

    status: Literal["ready"]
    release: str
    probe_ms: float


class ErrorBody(BaseModel):
    """The body of every refusal."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    error: str
    kind: str
