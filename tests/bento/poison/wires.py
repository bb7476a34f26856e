"""What no HTTP client sends: lengths that contradict each other, broken chunks, bodies that drip, no HTTP at all."""

from collections.abc import Callable, Iterable

from tests.bento.poison.case import CLOSED, Wire

GOOD = b'{"text": "red dress", "k": 3}'
LENGTH = b"Content-Length: %d\r\n" % len(GOOD)
JSON = b"Content-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
IN_CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)


def asked(
    *headers: bytes, body: bytes = GOOD, line: bytes = b"POST /search HTTP/1.1", host: bytes = b"Host: a\r\n"
) -> bytes:
    """A request on one connection."""
    return line + b"\r\n" + host + JSON + b"".join(headers) + b"\r\n" + body


def whole(request: bytes) -> Callable[[], Iterable[bytes]]:
    """All at once."""
    return lambda: [request]


REFUSED_BELOW: dict[str, bytes] = {
    "two lengths that differ": asked(LENGTH, b"Content-Length: 3\r\n"),
    "two lengths in one header": asked(b"Content-Length: 29, 3\r\n"),
    "a length below zero": asked(b"Content-Length: -1\r\n"),
    "a length that is a word": asked(b"Content-Length: many\r\n"),
    "a length with a plus": asked(b"Content-Length: +29\r\n"),
    "a length of hexadecimal": asked(b"Content-Length: 0x1d\r\n"),
    "a length of Arabic digits": asked("Content-Length: ٢٩\r\n".encode()),
    "a space before the colon": asked(b"Content-Length : 29\r\n"),
    "a transfer encoding that is none": asked(b"Transfer-Encoding: xchunked\r\n", body=IN_CHUNKS),
    "a transfer encoding in two": asked(b"Transfer-Encoding: gzip, chunked\r\n", body=IN_CHUNKS),
    "a header without a colon": asked(LENGTH, b"X-Note\r\n"),
    "a header without a name": asked(LENGTH, b": a\r\n"),
    "a header with a NUL": asked(LENGTH, b"X-Note: a\0b\r\n"),
    "a name of signs": asked(LENGTH, b"X(Note): a\r\n"),
    "no host": asked(LENGTH, host=b""),
    "two hosts": asked(LENGTH, host=b"Host: a\r\nHost: b\r\n"),
    "a path with a space": asked(LENGTH, line=b"POST /search me HTTP/1.1"),
    "a path of raw bytes": asked(LENGTH, line=b"POST /\xff\xfe HTTP/1.1"),
    "HTTP/9.9": asked(LENGTH, line=b"POST /search HTTP/9.9.9"),
    "HTTP/0.9": b"GET /search\r\n\r\n",
    "the first bytes of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n",
    "noise": bytes(range(256)) * 4 + b"\r\n\r\n",
    "NULs": bytes(10_000) + b"\r\n\r\n",
    "a blank line first": b"\r\n" + asked(LENGTH),
    "a chunk's length that is no number": asked(CHUNKED, body=b"zz\r\n" + GOOD + b"\r\n0\r\n\r\n"),
    "a chunk's length below zero": asked(CHUNKED, body=b"-1\r\n" + GOOD + b"\r\n0\r\n\r\n"),
    "a chunk longer than it says": asked(CHUNKED, body=b"3\r\n" + GOOD + b"\r\n0\r\n\r\n"),
    "a chunk's length of sixty digits": asked(CHUNKED, body=b"f" * 60 + b"\r\n" + GOOD),
    "another protocol": b"SSH-2.0-OpenSSH_9.0\r\n\r\n",
}

ENDLESS: dict[str, bytes] = {
    "a header of five megabytes": asked(LENGTH, b"X-Note: " + b"a" * (5 * 2**20) + b"\r\n"),
    "half a million headers": asked(LENGTH, b"X-Note: aaaa\r\n" * 500_000),
    "a path of five megabytes": asked(LENGTH, line=b"POST /" + b"a" * (5 * 2**20) + b" HTTP/1.1"),
    "a chunk with a note of five megabytes": asked(CHUNKED, body=b"1d;" + b"a" * (5 * 2**20) + b"\r\n" + GOOD),
}
"""Refused before they end. The refusal may be lost on the way, as the caller still sends when the connection closes."""

READ: dict[str, tuple[int, bytes]] = {
    "the same length twice": (200, asked(LENGTH, LENGTH)),
    "a length and chunks": (200, asked(LENGTH, CHUNKED, body=IN_CHUNKS)),
    "a request hidden behind chunks": (
        200,
        asked(CHUNKED, body=IN_CHUNKS + b"GET /admin HTTP/1.1\r\nHost: a\r\n\r\n"),
    ),
    "a length beyond the limit": (413, asked(b"Content-Length: 99999999999\r\n")),
    "a length of nothing": (400, asked(b"Content-Length: 0\r\n")),
    "no length": (400, asked()),
    "a thousand chunks of one byte": (400, asked(CHUNKED, body=b"1\r\n[\r\n" * 1_000 + b"0\r\n\r\n")),
    "trailers behind chunks": (200, asked(CHUNKED, body=IN_CHUNKS[:-2] + b"X-Evil: 1\r\n\r\n")),
    "a folded header": (200, asked(LENGTH, b"X-Note: a\r\n  b\r\n")),
    "line feeds alone": (200, asked(LENGTH).replace(b"\r\n", b"\n")),
    "HTTP/1.0": (200, asked(LENGTH, line=b"POST /search HTTP/1.0", host=b"")),
    "a whole address": (404, asked(LENGTH, line=b"POST http://evil.example/search HTTP/1.1")),
    "the first bytes of HTTP/2": (404, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"),
    "a path with two slashes": (404, asked(LENGTH, line=b"POST //search HTTP/1.1")),
    "every path": (404, asked(LENGTH, line=b"OPTIONS * HTTP/1.1")),
    "a tunnel": (404, asked(LENGTH, line=b"CONNECT evil.example:443 HTTP/1.1")),
    "a query of fifty thousand characters": (
        200,
        asked(LENGTH, line=b"POST /search?k=" + b"9" * 50_000 + b" HTTP/1.1"),
    ),
    "an expectation that nobody meets": (200, asked(LENGTH, b"Expect: 42-miracles\r\n")),
    "another protocol asked for": (200, asked(LENGTH, b"Connection: Upgrade\r\nUpgrade: h2c\r\n")),
    "a content type twice": (200, asked(LENGTH, b"Content-Type: image/png\r\n")),
    "twenty requests at once": (200, asked(LENGTH) * 20),
}


def drips(head: bytes, piece: bytes) -> Callable[[], Iterable[bytes]]:
    """A body that comes a little at a time, for longer than the service waits."""
    return lambda: [head, *[piece] * 8]


def entries() -> list[Wire]:
    """All of them."""
    found = [Wire(f"wire: {name}", (400,), whole(request), unread=True) for name, request in REFUSED_BELOW.items()]
    for name, (status, request) in READ.items():
        found.append(Wire(f"wire: {name}", (status,), whole(request)))
    for name, request in ENDLESS.items():
        found.append(Wire(f"wire: {name}", (400, CLOSED), whole(request), unread=True))
    return [
        *found,
        Wire("wire: a body that breaks off", (CLOSED,), whole(asked(LENGTH)[:-9]), hang_up=True),
        Wire("wire: a body that drips", (408,), drips(asked(b"Content-Length: 900\r\n", body=b""), b" "), pause=0.45),
        Wire("wire: chunks that drip", (408,), drips(asked(CHUNKED, body=b""), b"1\r\n \r\n"), pause=0.45),
        Wire("wire: a body that never comes", (408,), whole(asked(LENGTH, b"Expect: 100-continue\r\n", body=b""))),
        Wire(
            "wire: a body that comes in single bytes",
            (200,),
            lambda: [asked(LENGTH)[at : at + 1] for at in range(len(asked(LENGTH)))],
            hits=3,
        ),
    ]
