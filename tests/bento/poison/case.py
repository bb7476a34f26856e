"""One hostile request and what may come back, for the tables beside this file."""

import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpx

Request = Callable[[], dict[str, Any]]
"""Makes the keyword arguments of an HTTP client; called only when the request is sent, so a table costs no memory."""
Row = tuple[str, int | tuple[int, ...], Request]
CLOSED = 0
"""Among the statuses of a Wire: the connection may be closed without an answer."""
SECONDS = 15
"""No answer takes longer than this, however slowly the caller sends."""


@dataclass(frozen=True)
class Poison:
    """A request by an HTTP client: `allowed` are all statuses it may get, `hits` how many hits where that is known."""

    name: str
    allowed: tuple[int, ...]
    request: Request = dict
    method: str = "POST"
    path: str = "/search"
    hits: int | None = None

    def sent(self, client: httpx.Client) -> httpx.Response:
        """The answer. The path goes out as it is written: a client would tidy it up."""
        exactly = {"target": self.path.encode("ascii")}
        return client.request(self.method, "/", timeout=SECONDS, extensions=exactly, **self.request())


@dataclass(frozen=True)
class Wire:
    """A request as bytes on a socket, for what no HTTP client would send; `pause` seconds between the pieces.

    `unread`: the HTTP server below the application refuses it, in words of its own.
    """

    name: str
    allowed: tuple[int, ...]
    pieces: Callable[[], Iterable[bytes]]
    pause: float = 0.0
    unread: bool = False
    hang_up: bool = False
    """Send no more after the last piece, so that the service sees the end of the connection."""
    hits: int | None = None

    def sent(self, client: httpx.Client) -> httpx.Response | None:
        """The first answer on the connection; None where it was closed without one, or before it could be read."""
        with socket.create_connection((client.base_url.host, client.base_url.port or 80), SECONDS) as wire:
            try:
                for piece in self.pieces():
                    wire.sendall(piece)
                    time.sleep(self.pause)
                if self.hang_up:
                    wire.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # the service may refuse before it has read all: its answer is there to read
            try:
                return _answer(wire)
            except ConnectionResetError:
                return None


def table(rows: Iterable[Row], path: str = "/search") -> list[Poison]:
    """Rows of (name, status or statuses, request) as entries."""
    return [
        Poison(name, allowed if isinstance(allowed, tuple) else (allowed,), request, path=path)
        for name, allowed, request in rows
    ]


def _answer(wire: socket.socket) -> httpx.Response | None:
    reply = wire.makefile("rb")
    line = reply.readline()
    while line.startswith(b"HTTP/1.1 100"):  # Continue, and the blank line behind it
        reply.readline()
        line = reply.readline()
    if not line:
        return None
    assert line.startswith(b"HTTP/1.1 "), f"no answer, but {line!r}"
    headers: dict[str, str] = {}
    while (header := reply.readline()) not in (b"\r\n", b""):
        name, _, value = header.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    length = headers.get("content-length")
    content = reply.read() if length is None else reply.read(int(length))
    if headers.pop("transfer-encoding", "") == "chunked":  # the server's own refusals: one chunk and the last
        content = content.split(b"\r\n")[1]
    return httpx.Response(
        int(line.split()[1]), headers={**headers, "content-length": str(len(content))}, content=content
    )
