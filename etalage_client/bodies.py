"""What is asked of the service: what callers give, and the bodies that are sent.

Nothing is checked twice: what is wrong with a request the service says, in one sentence (errors.py).
"""

from collections.abc import Mapping, Sequence
from typing import (
    Any,
    Literal,
    NotRequired,  # below Python 3.12 pydantic reads no other
)

from typing_extensions import TypedDict

from etalage_client.pictures import Picture, pictures_and_url

Scalar = str | int | float | bool
Filters = Mapping[str, Scalar | Sequence[Scalar] | Mapping[str, float]]
"""Field to value, to values of which any will do, or to a range: {"colour": "Red", "price": {"gte": 10, "lt": 50}}."""


class Term(TypedDict):
    """A wish beside the query: a weight above 0 (at most 2) pulls, below 0 pushes away."""

    text: str
    weight: NotRequired[float]


class Event(TypedDict):
    """What a user did with one hit of one answer; `at` is ISO 8601 with a time zone, by default now."""

    request_id: str
    product_id: str
    action: Literal["view", "click", "cart", "buy"]
    rank: NotRequired[int | None]
    user_id: NotRequired[str | None]
    at: NotRequired[str | None]


class SearchOptions(TypedDict, total=False):
    """What a search may be given beside its words. What is left out is as the service has it by default."""

    image: Picture | Sequence[Picture]
    k: int
    filters: Filters
    legs: Sequence[str]
    text_weight: float
    understand: bool
    terms: Sequence[Term]
    explain: bool
    facets: Sequence[str]


class SearchBody(TypedDict, total=False):
    """The body of POST /search."""

    text: str | None
    image: str | list[str] | None
    image_url: str | None
    k: int
    filters: dict[str, Any]
    legs: list[str] | None
    text_weight: float
    understand: bool
    terms: list[Term]
    explain: bool
    facets: list[str]


class SimilarBody(TypedDict):
    """The body of POST /similar."""

    id: str
    k: NotRequired[int]
    filters: NotRequired[dict[str, Any]]
    explain: NotRequired[bool]


class FeedbackBody(TypedDict):
    """The body of POST /feedback."""

    events: list[Event]


def search_body(text: str | None, options: SearchOptions) -> SearchBody:
    """What is sent for a search. Raises OSError for a picture that cannot be read, ValueError for two picture URLs."""
    body: SearchBody = {}
    if text is not None:
        body["text"] = text
    if "image" in options:
        pictures, url = pictures_and_url(options["image"])
        if pictures:
            body["image"] = pictures
        if url is not None:
            body["image_url"] = url
    for name, value in options.items():
        if name != "image":
            body[name] = value  # type: ignore[literal-required]  # a name that is no field the service refuses
    return body


def similar_body(id: str, k: int | None, filters: Filters | None, explain: bool | None) -> SimilarBody:
    """What is sent for products like the one with `id`."""
    body: SimilarBody = {"id": id}
    if k is not None:
        body["k"] = k
    if filters is not None:
        body["filters"] = dict(filters)
    if explain is not None:
        body["explain"] = explain
    return body


def feedback_body(events: Sequence[Event]) -> FeedbackBody:
    """What is sent for events."""
    return {"events": list(events)}
