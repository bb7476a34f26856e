"""What is told instead of a page: a status and one sentence, whatever happened."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

from pydantic import ValidationError
from starlette.exceptions import HTTPException

from bento.errors import INTERNAL, headers_of, one_sentence, refusal_of
from catalog.errors import EtalageError, GateRefused, InvalidSnapshot, ReleaseNotFound, TamperedRelease

logger = logging.getLogger("etalage.admin")


class Forged(EtalageError):
    """A form that did not come from a page of this session."""


class Overtaken(EtalageError):
    """What was asked for was true when its page was shown, and is not any more."""


# Where the service says that it is not ready, this view tells which release is unknown or damaged.
STATUSES: Mapping[type[Exception], int] = {
    Forged: 403,
    ReleaseNotFound: 404,
    GateRefused: 409,
    Overtaken: 409,
    TamperedRelease: 409,
    InvalidSnapshot: 409,
}
FAILED = "This page failed on its own account; the log of `etalage admin` has the reason."


def told(error: Exception) -> tuple[int, str, Mapping[str, str]]:
    """Status, sentence and headers. Paths may stand in the sentence: whoever reads it may read them."""
    if isinstance(error, HTTPException):
        words = {404: "There is no such page.", 405: "This page cannot be asked for like that."}
        return error.status_code, words.get(error.status_code, HTTPStatus(error.status_code).phrase + "."), {}
    status = next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), None)
    if status is not None:
        return status, one_sentence(str(error)), {}
    if refusal_of(error) is INTERNAL and not isinstance(error, EtalageError):
        logger.error("a page failed", exc_info=error)
        return 500, FAILED, {}
    return refusal_of(error).status, one_sentence(str(error)), headers_of(error)


def unreadable(what: str, error: ValidationError) -> str:
    """One sentence about a record that was written by another version, or by another hand."""
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{what} cannot be read: {'.'.join(map(str, first['loc'])) or 'the whole'}: {first['msg']}."
