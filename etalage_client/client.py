"""The client that waits: one connection pool, which several threads may share."""

import logging
import ssl
import time
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self, Unpack

import httpx

from etalage_client.answers import Alive, FeedbackAnswer, ProductAnswer, Ready, SearchAnswer
from etalage_client.bodies import Event, Filters, SearchOptions, feedback_body, search_body, similar_body
from etalage_client.errors import Refused, Unreachable
from etalage_client.operations import OPERATIONS, Operation, path_of
from etalage_client.patience import Patience, Tries
from etalage_client.wire import (
    Known,
    Told,
    checked_url,
    failure_of,
    headers_with,
    limits,
    read,
    read_bytes,
    read_text,
    words_of,
)

logger = logging.getLogger("etalage_client")

Reply = tuple[int, httpx.Headers, bytes]


class Client:
    """Asks one service. Every method raises what errors.py has, and nothing of the transport's.

    Each wait for the network ends at the deadline at the latest, and so does the reading of a body. Only headers that
    a hostile server sends drop by drop can hold it up longer; AsyncClient is cut off then too.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        patience: Patience | None = None,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        """`url` of the service, the API `key` if it wants one, how certificates are checked. Raises ValueError."""
        self._url = checked_url(url)
        self._patience = patience or Patience()
        self._http = httpx.Client(base_url=self._url, headers=headers_with(key), verify=verify)

    def search(self, text: str | None = None, **options: Unpack[SearchOptions]) -> SearchAnswer:
        """Products for words, pictures, or both. Raises OSError for a picture that cannot be read here."""
        return self._ask("search", SearchAnswer, search_body(text, options))

    def similar(
        self, id: str, *, k: int | None = None, filters: Filters | None = None, explain: bool | None = None
    ) -> SearchAnswer:
        """Products like one of the catalogue."""
        return self._ask("similar", SearchAnswer, similar_body(id, k, filters, explain))

    def product(self, id: str) -> ProductAnswer:
        """One product."""
        return self._ask("product", ProductAnswer, path=path_of("product", id))

    def picture(self, id: str) -> bytes:
        """A small JPEG of a product's picture; its `images` name them."""
        return self._try("picture", read_bytes, path=path_of("picture", id))

    def feedback(self, events: Sequence[Event]) -> FeedbackAnswer:
        """Report what users did with hits. May be told again: the service keeps an event once."""
        return self._ask("feedback", FeedbackAnswer, feedback_body(events))

    def healthz(self) -> Alive:
        """Whether the process answers. Asked once."""
        return self._ask("healthz", Alive)

    def readyz(self) -> Ready:
        """Whether a probe query is answered; NotReady with the reason where not. Asked once."""
        return self._ask("readyz", Ready)

    def metrics(self) -> str:
        """What Prometheus reads. Asked once."""
        return self._try("metrics", read_text)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def _ask(self, name: str, known: type[Known], body: Any = None, path: str = "") -> Known:
        return self._try(name, partial(read, known, OPERATIONS[name]), body, path)

    def _try(self, name: str, read: Callable[..., Told], body: Any = None, path: str = "") -> Told:
        operation, tries = OPERATIONS[name], Tries(self._patience)
        while True:
            try:
                return read(*self._send(operation, path or operation.path, body, tries))
            except (Refused, Unreachable) as error:
                if not operation.patient:
                    raise
                pause = tries.pause(error)
                logger.info("%s %s: %s; again in %.1f s", operation.method, operation.path, words_of(error), pause)
            time.sleep(pause)

    def _send(self, operation: Operation, path: str, body: Any, tries: Tries) -> Reply:
        within = limits(self._patience, tries.left())
        request = self._http.build_request(operation.method, path, json=body, timeout=within)
        try:
            reply = self._http.send(request, stream=True)
            try:
                content = bytearray()
                for chunk in reply.iter_bytes():
                    content += chunk
                    tries.left()
            finally:
                reply.close()
        except httpx.RequestError as error:
            raise failure_of(error, tries, self._url) from error
        return reply.status_code, reply.headers, bytes(content)
