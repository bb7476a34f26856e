"""What POST /feedback takes and answers, as frozen types; openapi.py publishes them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, field_validator
from pydantic_core import PydanticCustomError

from catalog.actions import ISO_TIME, Action
from catalog.products import MAX_ID
from search.query import MOST_HITS

MOST_EVENTS = 500
"""Of one request."""
AHEAD = timedelta(days=1)
"""How far a caller's clock may be ahead of ours."""

FEEDBACK_EXAMPLES: dict[str, dict[str, Any]] = {
    "click": {
        "summary": "A click on the third hit",
        "value": {"events": [{"request_id": "9f2c61d0a4b7e835", "product_id": "15970", "action": "click", "rank": 3}]},
    },
    "visit": {
        "summary": "What one visitor did, sent at once",
        "value": {
            "events": [
                {
                    "request_id": "9f2c61d0a4b7e835",
                    "product_id": "15970",
                    "action": action,
                    "user_id": "visit-5e1f",
                    "at": f"2026-11-21T10:0{minute}:00Z",
                }
                for minute, action in enumerate(("click", "cart", "buy"))
            ]
        },
    },
}


class FeedbackEvent(BaseModel):
    """What a user did with one hit of one answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request_id: StrictStr = Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$", description="X-Request-Id of the answer.")
    product_id: StrictStr = Field(min_length=1, max_length=MAX_ID, description="The hit's id.")
    action: Action = Field(description="view: it was shown to somebody; click, cart (put into it), buy.")
    rank: Annotated[StrictInt, Field(ge=1, le=MOST_HITS)] | None = Field(
        default=None, description="The hit's place in the answer, 1 is best; known for the first hits without it."
    )
    user_id: Annotated[StrictStr, Field(min_length=1, max_length=128)] | None = Field(
        default=None, description="Any name of a user or a visit. Kept as the service may log queries: by default not."
    )
    at: Annotated[StrictStr, Field(pattern=ISO_TIME)] | None = Field(
        default=None, description="When it happened, ISO 8601 with a time zone; by default now."
    )

    @field_validator("at")
    @classmethod
    def _is_a_time(cls, at: str | None) -> str | None:
        if at is None:
            return None
        try:
            ahead = datetime.fromisoformat(at) - datetime.now(UTC)
        except ValueError:
            raise PydanticCustomError("no_time", "there is no such time") from None
        if ahead > AHEAD:
            raise PydanticCustomError("future", "it lies in the future")
        return at


class FeedbackRequest(BaseModel):
    """The body of POST /feedback: all of its events are kept, or none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    events: list[FeedbackEvent] = Field(min_length=1, max_length=MOST_EVENTS)


class FeedbackAnswer(BaseModel):
    """What became of the events."""

    kept: int = Field(description="Events that are on the disk of the service.")
    repeated: int = Field(description="Events that were reported before: same request, product and action.")
