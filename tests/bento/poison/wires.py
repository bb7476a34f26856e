"""What no HTTP client sends: lengths that contradict each other, broken chunks, bodies that drip, no HTTP at all."""

from collections.abc import Callable, Iterable

from tests.bento.poison.case import Wire

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
    "a header of a hundred thousand characters": asked(LENGTH, b"X-Note: " + b"a" * 100_000 + b"\r\n"),
    "ten thousand headers": asked(LENGTH, b"X-Note: aaaa\r\n" * 10_000),
    "no host": asked(LENGTH, host=b""),
    "two hosts": asked(LENGTH, host=b"Host: a\r\nHost: b\r\n"),
    "a path of a hundred thousand characters": asked(LENGTH, line=b"POST /" + b"a" * 100_000 + b" HTTP/1.1"),
    "a path with a space": asked(LENGTH, line=b"POST /search me HTTP/1.1"),
    "a path of raw bytes": asked(LENGTH, line=b"POST /\xff\xfe HTTP/1.1"),
    "HTTP/9.9": asked(LENGTH, line=b"POST /search HTTP/9.9.9"),
    "HTTP/0.9": b"GET /search\r\n\r\n",
    "the first bytes of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
    "the first bytes of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n",
    "noise": bytes(range(256)) * 4 + b"\r\n\r\n",
    "NULs": bytes(10_000) + b"\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.0\r\n\r\n",
}

READ: dict[str, tuple[tuple[int, ...], bytes]] = {
    "the same length twice": ((200, 400), asked(LENGTH, LENGTH)),
    "a length and chunks": ((200, 400), asked(LENGTH, CHUNKED, body=IN_CHUNKS)),
    "a request hidden behind chunks": (
        (200,),
        asked(CHUNKED, body=IN_CHUNKS + b"GET /admin HTTP/1.1\r\nHost: a\r\n\r\n"),
    ),
    "a length beyond the limit": ((413,), asked(b"Content-Length: 99999999999\r\n")),
    "a length of nothing": ((400,), asked(b"Content-Length: 0\r\n")),
    "no length": ((400,), asked()),
    "a chunk's length that is no number": ((400,), asked(CHUNKED, body=b"zz\r\n" + GOOD + b"\r\n0\r\n\r\n")),
    "a chunk's length below zero": ((400,), asked(CHUNKED, body=b"-1\r\n" + GOOD + b"\r\n0\r\n\r\n")),
    "a chunk longer than it says": ((400,), asked(CHUNKED, body=b"3\r\n" + GOOD + b"\r\n0\r\n\r\n")),
    "a chunk's length of sixty digits": ((400, 413), asked(CHUNKED, body=b"f" * 60 + b"\r\n" + GOOD)),
    "a chunk with a note of a hundred thousand characters": (
        (200, 400),
        asked(CHUNKED, body=b"1d;" + b"a" * 100_000 + b"\r\n"),
    ),
    "a thousand chunks of one byte": ((400,), asked(CHUNKED, body=b"1\r\n[\r\n" * 1_000 + b"0\r\n\r\n")),
    "trailers behind chunks": ((200,), asked(CHUNKED, body=IN_CHUNKS[:-2] + b"X-Evil: 1\r\n\r\n")),
    "a folded header": ((200, 400), asked(LENGTH, b"X-Note: a\r\n  b\r\n")),
    "line feeds alone": ((200, 400), asked(LENGTH).replace(b"\r\n", b"\n")),
    "a blank line first": ((200, 400), b"\r\n" + asked(LENGTH)),
    "HTTP/1.0": ((200,), asked(LENGTH, line=b"POST /search HTTP/1.0", host=b"")),
    "a whole address": ((200, 404), asked(LENGTH, line=b"POST http://evil.example/search HTTP/1.1")),
    "every path": ((404, 405), asked(LENGTH, line=b"OPTIONS * HTTP/1.1")),
    "a tunnel": ((404, 405), asked(LENGTH, line=b"CONNECT evil.example:443 HTTP/1.1")),
    "a query of fifty thousand characters": (
        (200,),
        asked(LENGTH, line=b"POST /search?k=" + b"9" * 50_000 + b" HTTP/1.1"),
    ),
    "an expectation that nobody meets": ((200, 417), asked(LENGTH, b"Expect: 42-miracles\r\n")),
    "another protocol asked for": ((200, 400), asked(LENGTH, b"Connection: Upgrade\r\nUpgrade: h2c\r\n")),
    "a content type twice": ((200, 415), asked(LENGTH, b"Content-Type: image/png\r\n")),
    "twenty requests at once": ((200,), asked(LENGTH) * 20),
}


def drips(head: bytes, piece: bytes) -> Callable[[], Iterable[bytes]]:
    """A body that comes a little at a time, for longer than the service waits."""
    return lambda: [head, *[piece] * 8]


def entries() -> list[Wire]:
    """All of them."""
    found = [Wire(f"wire: {name}", (400,), whole(request), unread=True) for name, request in REFUSED_BELOW.items()]
    for name, (allowed, request) in READ.items():
        found.append(Wire(f"wire: {name}", allowed, whole(request)))
    half = asked(LENGTH)[:-9]
    return [
        *found,
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
