"""A server of pictures and of mischief on this machine, and a name server that the tests tell what to answer."""

import asyncio
import gzip
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpcore

HOST = "photos.example"
REDIRECTS = {
    "/loopback": "http://127.0.0.1/admin",
    "/metadata": "http://169.254.169.254/latest/meta-data/",
    "/file": "file:///etc/passwd",
    "/ftp": "ftp://photos.example/red.jpg",
    "/elsewhere": "https://evil.example/red.jpg",
    "/slashes": "//169.254.169.254/",
    "/login": "http://photos.example@169.254.169.254/",
    "/nowhere": "",
    "/noise": "\xff\xfe",
    "/round": "/round",
    "/here": "/red.jpg",
    "/there": "http://photos.example:{port}/red.jpg?size=1#top",
}


@dataclass
class Shelved:
    """A picture that the server keeps under a path: `first` are the statuses, with headers, of its first answers, where
    0 breaks the connection half-way.
    """

    data: bytes
    etag: str = ""
    modified: str = ""
    first: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    def is_what(self, headers: dict[str, str]) -> bool:
        """Whether the one who asks has it already."""
        has = headers.get("if-none-match"), headers.get("if-modified-since")
        return has != (None, None) and has == (self.etag or None, self.modified or None)


@dataclass
class Site:
    """What the server was asked: its port, and method, path and headers of each request.

    `shelf` holds pictures by path; `most` is how many were asked for at the same time, each held for `slow` seconds.
    """

    red: bytes
    port: int = 0
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    shelf: dict[str, Shelved] = field(default_factory=dict)
    slow: float = 0.0
    now: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [path for _, path, _ in self.asked]

    def url(self, path: str) -> str:
        """A URL of it by its name."""
        return f"http://{HOST}:{self.port}{path}"


@contextmanager
def pictures(red: bytes, tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """The server, while it runs; `red` is its picture."""
    site = Site(red=red)

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.asked.append((self.command, self.path, {name.lower(): words for name, words in self.headers.items()}))
            try:
                answer(self, site)
            except OSError:
                self.close_connection = True  # who asked had enough

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


def answer(asked: BaseHTTPRequestHandler, site: Site) -> None:
    """One answer, by the path."""
    path = asked.path.split("?")[0]
    if path in site.shelf:
        shelved(asked, site, site.shelf[path])
    elif path == "/cut":
        asked.send_response(200)
        asked.send_header("Content-Length", str(len(site.red) // 2))  # less than comes
        asked.end_headers()
        asked.wfile.write(site.red)
        asked.close_connection = True
    elif path.startswith("/farther/"):
        whole(asked, b"", 302, Location=f"/farther/{int(path.rpartition('/')[2]) + 1}")
    elif path in REDIRECTS:
        whole(asked, b"", 302, Location=REDIRECTS[path].format(port=site.port))
    elif path == "/red.jpg":
        whole(asked, site.red, 200, **{"Content-Type": "text/html", "Set-Cookie": "a=b"})
    elif path == "/words.jpg":
        whole(asked, b"Dear shop" * 99, 200, **{"Content-Type": "image/jpeg"})
    elif path == "/empty":
        whole(asked, b"", 200)
    elif path == "/gzip":
        whole(asked, gzip.compress(bytes(50 * 2**20)), 200, **{"Content-Encoding": "gzip"})
    elif path == "/long":
        asked.send_response(200)
        asked.send_header("Content-Length", str(10**12))
        asked.end_headers()
    elif path in ("/endless", "/drip"):
        asked.send_response(200)
        asked.end_headers()
        for _ in range(2000):
            asked.wfile.write(bytes(2**16) if path == "/endless" else b"\xff")
            asked.wfile.flush()
            time.sleep(0 if path == "/endless" else 0.05)
    elif path == "/headers":
        asked.send_response_only(200)
        for number in range(2000):
            asked.wfile.write(b"".join(asked._headers_buffer) if number == 0 else b"X-%d: %s\r\n" % (number, b"a" * 99))
    elif path == "/silent":
        time.sleep(5)
    elif path == "/short":
        asked.send_response(200)
        asked.send_header("Content-Length", "900")
        asked.end_headers()
        asked.wfile.write(b"short")
        asked.close_connection = True
    elif path == "/noise.http":
        asked.wfile.write(b"SSH-2.0-OpenSSH_9.0\r\n")
        asked.close_connection = True
    else:
        whole(asked, b"Traceback: /etc/passwd", 404)


def shelved(asked: BaseHTTPRequestHandler, site: Site, picture: Shelved) -> None:
    """A picture of the shelf, or what comes before it, or that it has not changed."""
    with site.lock:
        site.now += 1
        site.most = max(site.most, site.now)
        status, told = picture.first.pop(0) if picture.first else (200, {})
    time.sleep(site.slow)
    with site.lock:
        site.now -= 1
    named = {"ETag": picture.etag, "Last-Modified": picture.modified}
    if status == 0:
        asked.send_response(200)
        asked.send_header("Content-Length", str(len(picture.data)))
        asked.end_headers()
        asked.wfile.write(picture.data[: len(picture.data) // 2])
        asked.close_connection = True
    elif status != 200:
        whole(asked, b"Later", status, **told)
    elif picture.is_what({name.lower(): words for name, words in asked.headers.items()}):
        asked.send_response(304)
        asked.send_header("ETag", picture.etag)
        asked.end_headers()
    else:
        whole(asked, picture.data, 200, **{name: words for name, words in named.items() if words})


def whole(asked: BaseHTTPRequestHandler, content: bytes, status: int, **headers: str) -> None:
    """An answer of known length."""
    asked.send_response(status)
    for name, words in {**headers, "Content-Length": str(len(content))}.items():
        asked.send_header(name, words)
    asked.end_headers()
    asked.wfile.write(content)


@dataclass
class Names:
    """A name server: each question for a name takes the next of its answers, the last one again and again."""

    answers: dict[str, Sequence[Sequence[str]]]
    asked: list[str] = field(default_factory=list)

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """As catalog.fetching.guard.Resolve."""
        await asyncio.sleep(0)
        self.asked.append(host)
        if host not in self.answers:
            if host.replace(".", "").isdigit() or ":" in host:
                return [host]  # an address, as the system's resolver answers it
            raise OSError("no such name")
        answers = self.answers[host]
        return answers[min(self.asked.count(host), len(answers)) - 1]


@dataclass
class Wires(httpcore.AsyncNetworkBackend):
    """Notes which address is connected to, and really connects to the server on this machine."""

    connected: list[str] = field(default_factory=list)
    broken: frozenset[str] = frozenset()

    async def connect_tcp(self, host: str, port: int, *arguments: Any, **_: Any) -> httpcore.AsyncNetworkStream:
        self.connected.append(host)
        if host in self.broken:
            raise httpcore.ConnectError("nobody listens")
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", port, *arguments)
