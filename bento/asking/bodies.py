"""Collecting the bytes of a request under limits: size, time, and all requests together. Runs on the event loop."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from starlette.requests import ClientDisconnect, Request

from bento.errors import BodyTooLarge, BodyTooSlow, Busy, UnsupportedType
from bento.settings import ServiceSettings
from catalog.errors import InvalidQuery


class BodyReader:
    """Collects bodies under the limits of the settings; knows how many bytes are held at the same time."""

    def __init__(self, settings: ServiceSettings, most: int | None = None) -> None:
        """`most` bytes of one body; by default what the settings say."""
        self.settings = settings
        self.most = settings.max_body_bytes if most is None else most
        self.held = 0

    @contextmanager
    def holding(self) -> Iterator["Hold"]:
        """Bytes taken under this hold are given back when the request is over."""
        hold = Hold(self)
        try:
            yield hold
        finally:
            self.held -= hold.taken


class Hold:
    """The body of one request."""

    def __init__(self, reader: BodyReader) -> None:
        self.reader = reader
        self.taken = 0

    def take(self, size: int) -> None:
        """Count `size` more bytes before they are kept. Raises BodyTooLarge or Busy."""
        limits = self.reader.settings
        if self.taken + size > self.reader.most:
            raise _too_large(self.reader.most)
        if self.reader.held + size > limits.max_held_bytes:
            raise Busy("The service is reading too many requests at this moment: try again in a second.")
        self.taken += size
        self.reader.held += size

    async def read(self, request: Request) -> bytes:
        """The whole body, counted while it arrives: Content-Length is a hint that may lie or be missing.

        Raises BodyTooLarge, BodyTooSlow, Busy, UnsupportedType, InvalidQuery (it broke off).
        """
        limits = self.reader.settings
        if request.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
            raise UnsupportedType("A compressed request body is not read here: send it plain.")
        length = request.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and (len(length) > 15 or int(length) > self.reader.most):
            raise _too_large(self.reader.most)
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout(limits.body_timeout):
                async for chunk in _chunks(request):
                    self.take(len(chunk))
                    chunks.append(chunk)
        except TimeoutError:
            raise BodyTooSlow(f"The request body did not arrive within {limits.body_timeout:g} seconds.") from None
        return b"".join(chunks)


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        raise InvalidQuery("The request broke off before its body was complete.") from None


def _too_large(limit: int) -> BodyTooLarge:
    size = f"{limit / 2**20:.3g} MB" if limit >= 2**20 else f"{limit / 2**10:.3g} KB"
    return BodyTooLarge(f"The request is larger than {size}, the most this endpoint reads.")
