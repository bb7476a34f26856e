"""What goes in and out over HTTP, as frozen types; openapi.py publishes them."""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    WithJsonSchema,
)

from bento.asking.reason_schemas import ReasonsAnswer
from search.query import USUAL

Scalar = str | int | float | bool


def _listed(images: Any) -> Any:
    """One picture as a list of one."""
    return [] if images is None else [images] if isinstance(images, str) else images


Pictures = Annotated[
    list[StrictStr],
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}]}),
]


class TermRequest(BaseModel):
    """One weighted term of a query."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: StrictStr
    weight: StrictFloat | StrictInt = Field(
        default=USUAL, description="-2 to 2, not 0: above 0 pulls, below pushes away; the rest of the query weighs 1."
    )


class SearchRequest(BaseModel):
    """The body of POST /search. Text, pictures, terms, or all of it. Ranges are checked by the engine: 400, not 422."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: StrictStr | None = Field(default=None, description="Words in English, Chinese or both.")
    image: Pictures = Field(
        default_factory=list,
        description="A picture in base64, or a data: URL with one; or a list of up to 8. In a form: files.",
    )
    image_url: StrictStr | None = Field(
        default=None,
        description="Where a picture is fetched from, besides `image`; only from hosts that this service allows.",
    )
    k: StrictInt = Field(default=10, description="How many hits, 1 to 200.")
    filters: dict[StrictStr, Any] = Field(
        default_factory=dict,
        description='Field to value, list of values (any of them) or range: {"colour": "Red", "price": {"lt": 50}}.',
    )
    legs: list[StrictStr] | None = Field(
        default=None, description="Use these legs only (dense, image, text, lexical, attributes); for diagnosis."
    )
    text_weight: StrictFloat | StrictInt = Field(
        default=0.5, description="With text and a picture: the share of the text, 0 to 1."
    )
    understand: StrictBool = Field(
        default=True, description="Read attributes, negations and prices in the text; false takes it as plain words."
    )
    terms: list[TermRequest] = Field(
        default_factory=list,
        description='Up to 16 wishes beside it: [{"text": "wool"}, {"text": "black", "weight": -0.5}].',
    )
    explain: StrictBool = Field(
        default=False,
        description="Say of each hit what adds up to its score, and of the first 10 the reasons; takes longer.",
    )
    facets: list[StrictStr] = Field(
        default_factory=list,
        description='Count the values of these fields, or with "*" of all, over what the query found.',
    )


class SimilarRequest(BaseModel):
    """The body of POST /similar: products like one of the catalogue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: StrictStr = Field(description="A product's id.")
    k: StrictInt = Field(default=10, description="How many hits, 1 to 200.")
    filters: dict[StrictStr, Any] = Field(default_factory=dict, description="As in POST /search.")
    explain: StrictBool = Field(default=False, description="As in POST /search: legs, and what both products share.")


class LegScore(BaseModel):
    """Where one leg put a hit, null where it did not; scores compare within the leg only."""

    score: float | None
    rank: int | None = Field(description="1 is best.")


class HitAnswer(BaseModel):
    """One product that was found, with its own fields beside these."""

    model_config = ConfigDict(extra="allow")

    id: str
    score: float = Field(
        description="From all legs together, or of the ranker; more is better, within one answer only."
    )
    rank: int = Field(description="1 is best.")
    title: str
    legs: dict[str, LegScore]
    contributions: dict[str, float] | None = Field(
        default=None, description="With explain: what each leg or feature adds; together they are the score."
    )
    reasons: ReasonsAnswer | None = Field(
        default=None, description="With explain, of the first 10 hits: why it was found."
    )


class MeaningAnswer(BaseModel):
    """A facet value that a part of the text may mean."""

    field: str
    value: str
    confidence: float


class FacetAnswer(BaseModel):
    """A part of the text that means facet values: a soft boost, never a cut."""

    text: str
    how: Literal["name", "variant", "neighbour", "photo"] = Field(
        description="photo: shown by a photo, said by no word."
    )
    negated: bool
    meanings: list[MeaningAnswer] = Field(description="The likeliest first.")


class PriceAnswer(BaseModel):
    """A price that the text speaks of; `applied` prices filter."""

    text: str
    price: dict[str, float] = Field(description="As in a filter: gte, lte.")
    currency: str | None
    applied: bool
    reason: str = Field(description="Why it was not applied.")


class UnderstoodAnswer(BaseModel):
    """How the query was read."""

    facets: list[FacetAnswer]
    prices: list[PriceAnswer]
    without: list[str] = Field(description="Words that are not wanted and are no facet.")
    searched: str = Field(description="The words that were looked for in the end.")


class FacetCount(BaseModel):
    """A value and how many of the products that the query found have it."""

    value: str
    count: int


class SearchAnswer(BaseModel):
    """The body of an answer of POST /search and POST /similar."""

    hits: list[HitAnswer] = Field(description="Best first.")
    understood: UnderstoodAnswer | None = Field(
        default=None,
        description="How the query was read; null where nothing was, or where it was taken as it is.",
    )
    facets: dict[str, list[FacetCount]] | None = Field(
        default=None, description="With facets: field to its values, the most frequent first, at most 50 of a field."
    )
    release: str = Field(description="The release that answered; also the header X-Etalage-Release.")
    took_ms: float = Field(description="From the request's headers to the answer.")
    timings_ms: dict[str, float] = Field(
        description="By phase: read, wait, parse, fetch_image, understand, decode (of pictures), encode, retrieve, "
        "rank, fetch, explain."
    )


class ProductAnswer(BaseModel):
    """The body of an answer of GET /products/{id}."""

    product: dict[str, Any]
    release: str
    took_ms: float


class ErrorAnswer(BaseModel):
    """The body of every refusal."""

    error: str = Field(description="One plain sentence.")
    kind: str = Field(description="What kind of refusal, for programs.")
