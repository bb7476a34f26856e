"""Real servers on this machine for the client: the service itself, and one that answers as badly as it is told to."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import uvicorn
from starlette.types import ASGIApp

from bento.app import create_app
from bento.settings import ServiceSettings
from search.engine import SearchEngine
from tests.bento.running import listening
from tests.bento.world import make_engine

MOST = 120.0
"""Seconds that a start may take on a machine with much other work."""


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """The address of `app` while uvicorn serves it from a thread."""
    with listening(uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))) as own:
        yield own


@contextmanager
def service(
    settings: ServiceSettings | None = None, load: Callable[[], SearchEngine] = make_engine, ready: bool = True
) -> Iterator[str]:
    """The address of the service over the small world of tests/bento; `ready`: once it answers its probe query."""
    with served(create_app(load, release=lambda: "r1", settings=settings or ServiceSettings())) as url:
        until = time.monotonic() + 20
        while not _answers(url, 200 if ready else 503):
            assert time.monotonic() < until
            time.sleep(0.02)
        yield url


def _answers(url: str, status: int) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == status
    except httpx.TransportError:
        return False


@dataclass
class Script:
    """What a server does with one connection after the other, and what it saw."""

    url: str
    requests: list[bytes] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    """When each request was there whole, in seconds."""


CUT = b""
"""Close without a word."""


@contextmanager
def scripted(acts: Sequence[bytes | Callable[[socket.socket], None]]) -> Iterator[Script]:
    """A server that reads a request a connection and answers it by the next act, the last one again and again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        script = Script(f"http://127.0.0.1:{listener.getsockname()[1]}")

        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(10)
                    if not (request := _request(connection)):
                        continue
                    script.at.append(time.monotonic())
                    act = acts[min(len(script.requests), len(acts) - 1)]
                    script.requests.append(request)
                    try:
                        connection.sendall(act) if isinstance(act, bytes) else act(connection)
                    except OSError:
                        continue  # the client went away first

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield script
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(15)


def answer(status: int, body: str, *headers: str) -> bytes:
    """A whole answer on the wire."""
    content = body.encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + content


def _request(connection: socket.socket) -> bytes:
    read = b""
    while b"\r\n\r\n" not in read:
        if not (piece := connection.recv(65536)):
            return b""
        read += piece
    head, _, body = read.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    while len(body) < int(lengths[0] if lengths else 0):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
