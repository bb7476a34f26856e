"""Requests that come when they come, whether or not the earlier ones were answered: Poisson arrivals over HTTP/1.1.

Asking again only after an answer would wait politely while a service is slow, and hide what a crowd would see.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

HOST = "127.0.0.1"
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Reply:
    """`at`: when it was due, in seconds of time.monotonic; `took`: seconds from then to the last byte of the answer."""

    at: float
    took: float
    status: int
    retry_after: int | None


class Caller:
    """Sends prepared requests to one port, each on a connection that no other request uses meanwhile."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._idle: list[Connection] = []

    async def ask(self, request: bytes, due: float) -> Reply:
        """Send `request` now; it was `due` then, and what the sender was late counts."""
        kept = bool(self._idle)
        reader, writer = self._idle.pop() if kept else await asyncio.open_connection(HOST, self.port)
        writer.write(request)
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            if not kept:
                raise
            return await self.ask(request, due)  # the server had closed it while it was idle
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        await reader.readexactly(int(headers.get("content-length", 0)))
        reply = Reply(due, time.monotonic() - due, int(lines[0].split()[1]), _whole(headers.get("retry-after")))
        if headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        return reply

    async def arrive(self, draw: Callable[[], bytes], rate: float, seconds: float, luck: random.Random) -> list[Reply]:
        """Requests at `rate` a second for `seconds`, and every reply."""
        asked, due = [], time.monotonic()
        until = due + seconds
        while (due := due + luck.expovariate(rate)) < until:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            asked.append(asyncio.create_task(self.ask(draw(), due)))
        return list(await asyncio.gather(*asked))

    async def crowd(self, draw: Callable[[], bytes], callers: int, until: Callable[[int], bool]) -> list[Reply]:
        """`callers` who each ask again as soon as they were answered, until `until` (of the replies so far) says so."""
        replies: list[Reply] = []

        async def one() -> None:
            while not until(len(replies)):
                replies.append(await self.ask(draw(), time.monotonic()))

        await asyncio.gather(*(one() for _ in range(callers)))
        return replies

    def close(self) -> None:
        """Close every connection."""
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()


def post(path: str, fields: dict[str, object]) -> bytes:
    """A JSON request as it goes over the wire."""
    body = json.dumps(fields, ensure_ascii=False).encode()
    lines = [f"POST {path} HTTP/1.1", f"Host: {HOST}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _whole(words: str | None) -> int | None:
    return None if words is None else int(words)
