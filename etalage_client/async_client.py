"""The client that does not block: for asyncio and trio."""

import logging
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self, Unpack

import anyio
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


class AsyncClient:
    """As Client; the deadline cuts off whatever is under way. Pictures are read from disk before the first await."""

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
        self._http = httpx.AsyncClient(base_url=self._url, headers=headers_with(key), verify=verify)

    async def search(self, text: str | None = None, **options: Unpack[SearchOptions]) -> SearchAnswer:
        """Products for words, pictures, or both. Raises OSError for a picture that cannot be read here."""
        return await self._ask("search", SearchAnswer, search_body(text, options))

    async def similar(
        self, id: str, *, k: int | None = None, filters: Filters | None = None, explain: bool | None = None
    ) -> SearchAnswer:
        """Products like one of the catalogue."""
        return await self._ask("similar", SearchAnswer, similar_body(id, k, filters, explain))

    async def product(self, id: str) -> ProductAnswer:
        """One product."""
        return await self._ask("product", ProductAnswer, path=path_of("product", id))

    async def picture(self, id: str) -> bytes:
        """A small JPEG of a product's picture; its `images` name them."""
        return await self._try("picture", read_bytes, path=path_of("picture", id))

    async def feedback(self, events: Sequence[Event]) -> FeedbackAnswer:
        """Report what users did with hits. May be told again: the service keeps an event once."""
        return await self._ask("feedback", FeedbackAnswer, feedback_body(events))

    async def healthz(self) -> Alive:
        """Whether the process answers. Asked once."""
        return await self._ask("healthz", Alive)

    async def readyz(self) -> Ready:
        """Whether a probe query is answered; NotReady with the reason where not. Asked once."""
        return await self._ask("readyz", Ready)

    async def metrics(self) -> str:
        """What Prometheus reads. Asked once."""
        return await self._try("metrics", read_text)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _ask(self, name: str, known: type[Known], body: Any = None, path: str = "") -> Known:
        return await self._try(name, partial(read, known, OPERATIONS[name]), body, path)

    async def _try(self, name: str, read: Callable[..., Told], body: Any = None, path: str = "") -> Told:
        operation, tries = OPERATIONS[name], Tries(self._patience)
        while True:
            try:
                return read(*await self._send(operation, path or operation.path, body, tries))
            except (Refused, Unreachable) as error:
                if not operation.patient:
                    raise
                pause = tries.pause(error)
                logger.info("%s %s: %s; again in %.1f s", operation.method, operation.path, words_of(error), pause)
            await anyio.sleep(pause)

    async def _send(self, operation: Operation, path: str, body: Any, tries: Tries) -> Reply:
        left = tries.left()
        request = self._http.build_request(operation.method, path, json=body, timeout=limits(self._patience, left))
        try:
            with anyio.fail_after(left):
                reply = await self._http.send(request)
        except TimeoutError:
            raise tries.too_late() from None
        except httpx.RequestError as error:
            raise failure_of(error, tries, self._url) from error
        return reply.status_code, reply.headers, reply.content
