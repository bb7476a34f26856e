"""The one table from exceptions to HTTP, and the exceptions that only a server has.

Every error body is {"error": one plain sentence, "kind": what kind}.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from pydantic import ValidationError

from catalog.errors import (
    EncoderMismatch,
    EtalageError,
    InvalidMedia,
    InvalidQuery,
    MediaTooLarge,
    NotReady,
    ReleaseNotFound,
    TamperedRelease,
    UnknownProduct,
    UrlFailed,
    UrlRefused,
)
from search.keys import InvalidKeys

MAX_SENTENCE = 300
REALM = "etalage"
PLACE = re.compile(r"[/\\]")
"""What stands in paths and addresses, and in no other sentence about the service."""


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


class UnknownPicture(EtalageError):
    """A picture that the service cannot show: HTTP 404."""


class Busy(EtalageError):
    """Too much is asked at this moment: HTTP 429; it is worth trying again in `seconds`."""

    def __init__(self, sentence: str, seconds: int = 1) -> None:
        super().__init__(sentence)
        self.headers = {"Retry-After": str(seconds)}


class TooSlow(EtalageError):
    """The query was not answered in time: HTTP 503 with Retry-After."""


class NoJournal(EtalageError):
    """Feedback where no journal is kept: HTTP 503, and no use in trying again."""


class NotKept(EtalageError):
    """Feedback that the disk did not take: HTTP 503 with Retry-After."""


class NoKey(EtalageError):
    """A request without an API key where one is needed: HTTP 401."""

    headers: ClassVar = {"WWW-Authenticate": f'Bearer realm="{REALM}"'}


class UnknownKey(EtalageError):
    """An API key that opens nothing: HTTP 401."""

    headers: ClassVar = {"WWW-Authenticate": f'Bearer realm="{REALM}", error="invalid_token"'}


class WrongScope(EtalageError):
    """An API key without the scope `need` of the endpoint: HTTP 403."""

    def __init__(self, sentence: str, need: str) -> None:
        super().__init__(sentence)
        challenge = f'Bearer realm="{REALM}", error="insufficient_scope", scope="{need}"'
        self.headers = {"WWW-Authenticate": challenge}


class RateLimited(EtalageError):
    """A caller who asks too often: HTTP 429; it may come again in `seconds`."""

    def __init__(self, sentence: str, seconds: int) -> None:
        super().__init__(sentence)
        self.headers = {"Retry-After": str(seconds)}


@dataclass(frozen=True)
class Refusal:
    """How one kind of error is told: status, `kind` of the body, and `retry_after` in seconds where a retry helps."""

    status: int
    kind: str
    retry_after: int | None = None


TABLE: dict[type[Exception], Refusal] = {
    InvalidQuery: Refusal(400, "invalid_query"),
    UrlFailed: Refusal(400, "image_url_failed"),
    NoKey: Refusal(401, "unauthorized"),
    UnknownKey: Refusal(401, "unauthorized"),
    WrongScope: Refusal(403, "forbidden"),
    UrlRefused: Refusal(403, "image_url_refused"),
    UnknownProduct: Refusal(404, "unknown_product"),
    UnknownPicture: Refusal(404, "unknown_picture"),
    UnknownRoute: Refusal(404, "unknown_route"),
    WrongMethod: Refusal(405, "wrong_method"),
    BodyTooSlow: Refusal(408, "too_slow_body"),
    MediaTooLarge: Refusal(413, "too_large"),
    BodyTooLarge: Refusal(413, "too_large"),
    InvalidMedia: Refusal(415, "invalid_media"),
    UnsupportedType: Refusal(415, "unsupported_type"),
    WrongShape: Refusal(422, "wrong_shape"),
    Busy: Refusal(429, "busy"),
    RateLimited: Refusal(429, "rate_limited"),
    InvalidKeys: Refusal(503, "not_ready", retry_after=30),
    NotReady: Refusal(503, "not_ready", retry_after=2),
    TamperedRelease: Refusal(503, "not_ready", retry_after=30),
    EncoderMismatch: Refusal(503, "not_ready", retry_after=30),
    ReleaseNotFound: Refusal(503, "not_ready", retry_after=30),
    TooSlow: Refusal(503, "timeout", retry_after=2),
    NoJournal: Refusal(503, "no_journal"),
    NotKept: Refusal(503, "not_kept", retry_after=5),
}
INTERNAL = Refusal(500, "internal")
INTERNAL_SENTENCE = "The service failed on its own account; its log has the reason under this X-Request-Id."
PRIVATE_SENTENCE = "The service is not ready; its log has the reason."


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
    """The answer's body. An error outside the table tells nothing of itself, nor does one about this machine."""
    refusal = refusal_of(error)
    words = one_sentence(str(error)) or HTTPStatus(refusal.status).phrase
    if refusal is INTERNAL:
        words = INTERNAL_SENTENCE
    elif is_private(error):
        words = PRIVATE_SENTENCE
    return {"error": words, "kind": refusal.kind}


def is_private(error: Exception) -> bool:
    """Whether its sentence names a path or an address of this machine's: for the log, and for no caller."""
    return refusal_of(error).status >= 500 and PLACE.search(str(error)) is not None


def headers_of(error: Exception) -> Mapping[str, str]:
    """Headers of the answer: when to try again, how to authenticate."""
    refusal = refusal_of(error)
    after = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    return {**after, **getattr(error, "headers", {})}


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
    elif finding["type"] == "model_type":  # pydantic would name the class
        sentence = f"'{where}' is wrong: it must be an object"
    else:
        reason = finding["msg"]
        sentence = f"'{where}' is wrong: {reason[:1].lower()}{reason[1:]}"
    more = f" (and {len(others)} more)" if others else ""
    return WrongShape(f"{sentence}{more}.")
