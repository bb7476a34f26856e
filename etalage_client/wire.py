"""What both clients send and read, without the sending: headers, time limits, and what becomes of a reply."""

import re
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import ValidationError

from etalage_client.answers import Answer
from etalage_client.errors import EtalageClientError, Refused, Unreachable, Unreadable, refused
from etalage_client.operations import Operation
from etalage_client.patience import Patience, Tries, seconds_of

VERSION = "0.1.0"
SANE_KEY = re.compile(r"[\x21-\x7e]+")

Known = TypeVar("Known", bound=Answer)
Told = TypeVar("Told")


def checked_url(url: str) -> str:
    """`url` if it can be the base of a service's. Raises ValueError, without telling a password in it."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("The service's URL must look like https://search.shop.example or http://127.0.0.1:3000.")
    return url


def headers_with(key: str | None) -> dict[str, str]:
    """Headers of every request. Raises ValueError for a key that no header can hold; no error tells the key."""
    headers = {"Accept": "application/json", "User-Agent": f"etalage-client/{VERSION}"}
    if key is None:
        return headers
    if not SANE_KEY.fullmatch(key):  # the transport would refuse it too, and quote it in its words
        raise ValueError("The API key holds something other than printable ASCII: was it read with a line's end?")
    return {**headers, "Authorization": f"Bearer {key}"}


def limits(patience: Patience, left: float) -> httpx.Timeout:
    """How long one step of a request may take that has `left` seconds."""
    return httpx.Timeout(left, connect=min(patience.connect, left))


def failure_of(error: httpx.RequestError, tries: Tries, url: str) -> EtalageClientError:
    """What an error of the transport comes to. Its words hold no header."""
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        return tries.too_late()
    if isinstance(error, httpx.TransportError):
        return Unreachable(f"{url} does not answer: {str(error) or type(error).__name__}.".replace("..", "."))
    return Unreadable(f"{url} answered with what cannot be read: {type(error).__name__}.")


def read_bytes(status: int, headers: Mapping[str, str], body: bytes) -> bytes:
    """The bytes of an answer. Raises Refused."""
    if status != 200:
        raise refused(status, body, headers.get("x-request-id", ""), seconds_of(headers.get("retry-after")))
    return body


def read_text(status: int, headers: Mapping[str, str], body: bytes) -> str:
    """The text of an answer. Raises Refused."""
    return read_bytes(status, headers, body).decode("utf-8", "replace")


def read(known: type[Known], operation: Operation, status: int, headers: Mapping[str, str], body: bytes) -> Known:
    """The answer in a reply. Raises Refused, Unreadable."""
    text = read_text(status, headers, body)
    try:
        answer = known.model_validate_json(text)
    except ValidationError as error:
        finding = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, finding["loc"])) or "the body"
        raise Unreadable(
            f"The answer to {operation.method} {operation.path} is none that this client knows: "
            f"{where}: {finding['msg']}."
        ) from None
    answer._request_id = headers.get("x-request-id", "")
    return answer


def words_of(error: Refused | Unreachable) -> str:
    """What a log may tell of a failure: nothing that a caller sent."""
    return f"{error.status} {error.kind}".strip() if isinstance(error, Refused) else type(error).__name__
