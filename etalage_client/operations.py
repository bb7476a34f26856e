"""What the service can be asked: one row for each operation of its OpenAPI document.

Every one of them may be sent again after it failed half-way: searches change nothing, and of feedback the service keeps
an event once, however often it is told of it (the same request, product and action).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from etalage_client.answers import Alive, Answer, FeedbackAnswer, ProductAnswer, Ready, SearchAnswer
from etalage_client.bodies import FeedbackBody, SearchBody, SimilarBody


@dataclass(frozen=True)
class Operation:
    """Method and path, the types of body and answer, and whether a failure is tried again."""

    method: str
    path: str
    answer: type[Answer | str | bytes]
    body: type | None = None
    patient: bool = True
    """False for probes, which are asked what is true now."""


OPERATIONS: Mapping[str, Operation] = {
    "search": Operation("POST", "/search", SearchAnswer, SearchBody),
    "similar": Operation("POST", "/similar", SearchAnswer, SimilarBody),
    "product": Operation("GET", "/products/{id}", ProductAnswer),
    "picture": Operation("GET", "/pictures/{id}", bytes),
    "feedback": Operation("POST", "/feedback", FeedbackAnswer, FeedbackBody),
    "healthz": Operation("GET", "/healthz", Alive, patient=False),
    "readyz": Operation("GET", "/readyz", Ready, patient=False),
    "metrics": Operation("GET", "/metrics", str, patient=False),
}
"""By the operationId of the document; a test compares the two."""


def path_of(name: Literal["product", "picture"], id: str) -> str:
    """The path of one product or picture. Dots alone would be read as a folder's."""
    quoted = quote(id, safe="")
    return OPERATIONS[name].path.format(id=quoted.replace(".", "%2E") if set(id) == {"."} else quoted)
