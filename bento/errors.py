"""The one table from exceptions to HTTP, and the exceptions that only a server has.

Every error body is {"error": one plain sentence, "kind": what kind}.
"""

import unicodedata
from dataclasses import dataclass
from http import HTTPStatus

from pydantic import ValidationError

from catalog.errors import (
    EncoderMismatch,
    EtalageError,
    InvalidMedia,
    InvalidQuery,
    MediaTooLarge,
    NotReady,
    ReleaseNotFound,
    UnknownProduct,
)

MAX_SENTENCE = 300


class BodyTooLarge(EtalageError):
    """The request is over a size limit: HTTP 413."""


class BodyTooSlow(EtalageError):
    """The request did not arrive in time: HTTP 408."""


class UnsupportedType(EtalageError):
    """A Content-Type or Content-Encoding that /search does not read: HTTP 415."""


class WrongShape(EtalageError):
    """Readable JSON or form data whose fields are not those of the endpoint: HTTP 422."""


class UnknownRoute(EtalageError):
    """No endpoint has that path: HTTP 404."""


class WrongMethod(EtalageError):
    """The endpoint answers to another method: HTTP 405."""


class Busy(EtalageError):
    """The queue is full: HTTP 429 with Retry-After."""


class TooSlow(EtalageError):
    """The query was not answered in time: HTTP 503 with Retry-After."""


@dataclass(frozen=True)
class Refusal:
    """How one kind of error is told: status, `kind` of the body, and `retry_after` in seconds where a retry helps."""

    status: int
    kind: str
    retry_after: int | None = None


TABLE: dict[type[Exception], Refusal] = {
    InvalidQuery: Refusal(400, "invalid_query"),
    UnknownProduct: Refusal(404, "unknown_product"),
    UnknownRoute: Refusal(404, "unknown_route"),
    WrongMethod: Refusal(405, "wrong_method"),
    BodyTooSlow: Refusal(408, "too_slow_body"),
    MediaTooLarge: Refusal(413, "too_large"),
    BodyTooLarge: Refusal(413, "too_large"),
    InvalidMedia: Refusal(415, "invalid_media"),
    UnsupportedType: Refusal(415, "unsupported_type"),
    WrongShape: Refusal(422, "wrong_shape"),
    Busy: Refusal(429, "busy", retry_after=1),
    NotReady: Refusal(503, "not_ready", retry_after=2),
    EncoderMismatch: Refusal(503, "not_ready", retry_after=30),
    ReleaseNotFound: Refusal(503, "not_ready", retry_after=30),
    TooSlow: Refusal(503, "timeout", retry_after=2),
}
INTERNAL = Refusal(500, "internal")
INTERNAL_SENTENCE = "The service failed on its own account; its log has the reason under this X-Request-Id."


def refusal_of(error: Exception) -> Refusal:
    """The row of the nearest class in the error's line of descent; INTERNAL for everything else."""
    for ancestor in type(error).__mro__:
        if ancestor in TABLE:
            return TABLE[ancestor]
    return INTERNAL


def reasons() -> tuple[str, ...]:
    """Every `kind` that a refusal can have, sorted."""
    return tuple(sorted({refusal.kind for refusal in (*TABLE.values(), INTERNAL)}))


def body_of(error: Exception) -> dict[str, str]:
    """The answer's body. An error outside the table tells nothing of itself."""
    refusal = refusal_of(error)
    words = INTERNAL_SENTENCE if refusal is INTERNAL else one_sentence(str(error)) or HTTPStatus(refusal.status).phrase
    return {"error": words, "kind": refusal.kind}


def one_sentence(words: str) -> str:
    """`words` on one line, printable, at most MAX_SENTENCE characters: an error may quote what a caller sent."""
    shown = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in words[: 4 * MAX_SENTENCE])
    line = " ".join(shown.split())
    return line if len(line) <= MAX_SENTENCE else line[: MAX_SENTENCE - 1].rstrip() + "…"


def wrong_shape(error: ValidationError) -> WrongShape:
    """pydantic's findings folded into one sentence about the first of them."""
    finding, *others = error.errors(include_url=False, include_context=False)
    where = ".".join(map(str, finding["loc"])) or "the request"
    if finding["type"] == "extra_forbidden":
        sentence = f"'{where}' is not a field of this endpoint"
    elif finding["type"] == "missing":
        sentence = f"'{where}' is missing"
    else:
        reason = finding["msg"]
        sentence = f"'{where}' is wrong: {reason[:1].lower()}{reason[1:]}"
    more = f" (and {len(others)} more)" if others else ""
    return WrongShape(f"{sentence}{more}.")
