"""What can go wrong. Every refusal of the service is a class of its own, with the service's one sentence as its words.

EtalageClientError -> Refused -> Busy, InvalidQuery, ...   the service said no
                   -> Unreachable                          nobody answered
                   -> NoAnswer                             not before the deadline
                   -> Unreadable                           whoever answered is no Etalage that this client knows
"""

from collections.abc import Mapping

from pydantic import ValidationError

from etalage_client.answers import ErrorBody


class EtalageClientError(Exception):
    """Any error of this package."""


class Unreachable(EtalageClientError):
    """No connection, or it broke before the answer was complete."""


class NoAnswer(EtalageClientError):
    """No answer before the deadline."""


class Unreadable(EtalageClientError):
    """An answer that is none of the service's: a proxy's page, or another version's."""


class Refused(EtalageClientError):
    """The service refused. `str` of it is the service's sentence."""

    def __init__(self, sentence: str, status: int, kind: str, request_id: str = "", after: float | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        """Of HTTP."""
        self.kind = kind
        """What kind of refusal, for programs; "" where a proxy refused."""
        self.request_id = request_id
        """Under which the service's log knows it."""
        self.after = after
        """Seconds after which a retry may help, of Retry-After; None where the service names none."""


class InvalidQuery(Refused):
    """400: the query cannot be answered."""


class ImageUrlFailed(Refused):
    """400: the picture could not be fetched from its URL."""


class Unauthorized(Refused):
    """401: no API key, or one that is unknown or revoked."""


class Forbidden(Refused):
    """403: the key lacks the scope."""


class ImageUrlRefused(Refused):
    """403: the service fetches no picture from there."""


class UnknownProduct(Refused):
    """404: no product has that id."""


class UnknownPicture(Refused):
    """404: the service has no picture of that id."""


class UnknownRoute(Refused):
    """404: nothing is at that path, so the base URL may be wrong."""


class WrongMethod(Refused):
    """405: the path does not answer to this method."""


class TooSlowBody(Refused):
    """408: the request came too slowly."""


class TooLarge(Refused):
    """413: a picture, or the whole request."""


class InvalidMedia(Refused):
    """415: not a picture."""


class UnsupportedType(Refused):
    """415: a body of a type that is not read."""


class WrongShape(Refused):
    """422: a field is missing, unknown, or of the wrong type."""


class Busy(Refused):
    """429: the service answers as many queries as it can."""


class RateLimited(Refused):
    """429: this caller asks too often."""


class ServiceFailed(Refused):
    """500: the service's own fault."""


class NotReady(Refused):
    """503: no release is open; the sentence says why."""


class QueryTimeout(Refused):
    """503: the query took too long in the service."""


class NoJournal(Refused):
    """503: the service takes no feedback, and no retry will change that."""


class NotKept(Refused):
    """503: the disk of the service did not take the feedback."""


KINDS: Mapping[str, type[Refused]] = {
    "busy": Busy,
    "forbidden": Forbidden,
    "image_url_failed": ImageUrlFailed,
    "image_url_refused": ImageUrlRefused,
    "internal": ServiceFailed,
    "invalid_media": InvalidMedia,
    "invalid_query": InvalidQuery,
    "no_journal": NoJournal,
    "not_kept": NotKept,
    "not_ready": NotReady,
    "rate_limited": RateLimited,
    "timeout": QueryTimeout,
    "too_large": TooLarge,
    "too_slow_body": TooSlowBody,
    "unauthorized": Unauthorized,
    "unknown_picture": UnknownPicture,
    "unknown_product": UnknownProduct,
    "unknown_route": UnknownRoute,
    "unsupported_type": UnsupportedType,
    "wrong_method": WrongMethod,
    "wrong_shape": WrongShape,
}
"""`kind` of a refusal's body -> its class; another kind, of a newer service, is a plain Refused."""

FINAL = frozenset({"no_journal"})
"""Kinds of which the service says that no retry helps, whatever their status."""


def refused(status: int, body: bytes, request_id: str, after: float | None) -> Refused:
    """The refusal in an answer; where it is not the service's own, one that says so."""
    try:
        told = ErrorBody.model_validate_json(body)
    except ValidationError:
        return Refused(f"Status {status} came with no reason: it is not the service that answered.", status, "")
    return KINDS.get(told.kind, Refused)(told.error, status, told.kind, request_id, after)
