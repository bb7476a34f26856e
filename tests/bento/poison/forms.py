"""Forms and content types: boundaries, parts and headers that do not fit."""

import gzip
from typing import Any

from tests.bento.hostile import PNG, RED, b64, body, form, part
from tests.bento.poison.case import Poison, Request, Row, table

FORM = "multipart/form-data"
FILE = part("image", PNG, "a.png")
WHOLE = b"--b\r\n" + RED + b"\r\n--b--\r\n"


def typed(kind: str, content: bytes = WHOLE) -> Request:
    """A body under that Content-Type."""
    return lambda: body(content, {"content-type": kind})


def headed(head: str, data: bytes = b"red") -> Request:
    """A form of one part with that head, as bytes of Latin-1."""
    return lambda: form(head.encode("latin-1") + b"\r\n\r\n" + data)


def text_and(*parts: bytes) -> Request:
    """A form with a text and these parts."""
    return lambda: form(RED, *parts)


NO_COUNTS = ("٣", "３", "1e3", "0x10", "--3", "3 3", "3;4", "9" * 30)
NO_WEIGHTS = ("nan", "inf", "-inf", "1e400", "½")

ROWS: list[Row] = [
    ("no boundary", 400, typed(FORM)),
    ("an empty boundary", 400, typed(f"{FORM}; boundary=")),
    ("a boundary of quotes", 200, typed(f'{FORM}; boundary="b"')),
    ("a boundary that never closes its quote", 400, typed(f'{FORM}; boundary="b')),
    ("another's boundary", 400, typed(f"{FORM}; boundary=c")),
    ("a boundary of ten thousand characters", 400, typed(f"{FORM}; boundary={'b' * 10_000}")),
    ("a boundary of signs", 400, typed(f"{FORM}; boundary=;;==,,")),
    ("a boundary in Latin-1", 400, lambda: body(WHOLE, {"content-type": b"multipart/form-data; boundary=\xe9"})),
    ("two boundaries", 400, typed(f"{FORM}; boundary=b; boundary=c")),
    ("line feeds alone", 400, typed(f"{FORM}; boundary=b", WHOLE.replace(b"\r\n", b"\n"))),
    ("a megabyte before the first boundary", 400, typed(f"{FORM}; boundary=b", b"x" * 2**20 + b"\r\n" + WHOLE)),
    ("a megabyte behind the last boundary", 200, typed(f"{FORM}; boundary=b", WHOLE + b"x" * 2**20)),
    ("no last boundary", 400, typed(f"{FORM}; boundary=b", WHOLE[:-8])),
    ("half of the last boundary", 400, typed(f"{FORM}; boundary=b", WHOLE[:-4])),
    ("nothing at all", 400, typed(f"{FORM}; boundary=b", b"")),
    ("only the last boundary", 400, typed(f"{FORM}; boundary=b", b"--b--\r\n")),
    ("boundaries and nothing else", 400, typed(f"{FORM}; boundary=b", b"--b\r\n" * 10_000 + b"--b--\r\n")),
    ("a form in a form", 422, headed('Content-Disposition: form-data; name="f"\r\nContent-Type: a/b')),
    ("JSON as a form", 400, typed(f"{FORM}; boundary=b", b'{"text": "red"}')),
    ("a form as JSON", 400, typed("application/json")),
    ("ten thousand parts", 422, lambda: form(*[part("text", b"a")] * 10_000)),
    ("a head of a hundred thousand characters", 400, headed("X-A: " + "a" * 100_000)),
    ("ten thousand heads", 400, headed("\r\n".join(["X-A: a"] * 10_000))),
    ("a head without a colon", 400, headed("Content-Disposition")),
    ("a head with a NUL", 400, headed('Content-Disposition\0: form-data; name="text"')),
    ("a part of another disposition", 400, headed('Content-Disposition: attachment; name="text"')),
    ("a part with an empty name", 422, headed('Content-Disposition: form-data; name=""')),
    ("a part whose name is Latin-1", 422, headed('Content-Disposition: form-data; name="\xe9"')),
    ("a part whose name has a path", 422, headed('Content-Disposition: form-data; name="../text"')),
    ("a part with two names", 422, headed('Content-Disposition: form-data; name="text"; name="k"')),
    ("a text by an extended name", 400, headed("Content-Disposition: form-data; name*=UTF-8''text")),
    ("a text twice", 422, text_and(RED)),
    ("k twice", 422, text_and(part("k", b"1"), part("k", b"200"))),
    ("filters twice", 422, text_and(part("filters", b'{"colour":"Red"}'), part("filters", b'{"colour":"Blue"}'))),
    ("a filter twice in one field", 422, text_and(part("filters", b'{"colour":"Red","colour":"Blue"}'))),
    ("k as a file", 422, text_and(part("k", b"3", "k.txt"))),
    ("filters as a file", 422, text_and(part("filters", b"{}", "f.json"))),
    ("a picture in base64 beside one as it is", 200, text_and(part("image", b64(PNG).encode()), FILE)),
    ("a picture as a plain field", 400, text_and(part("image", PNG))),
    ("a picture whose name is a path", 200, lambda: form(part("image", PNG, "../../../../etc/passwd"))),
    ("a picture whose name has a NUL", 200, lambda: form(part("image", PNG, "a\0.png"))),
    ("a picture whose name is ten thousand characters", 400, lambda: form(part("image", PNG, "a" * 10_000))),
    ("a picture that says it is a page", 200, headed(
        'Content-Disposition: form-data; name="image"; filename="a.html"\r\nContent-Type: text/html', PNG)),
    ("a page that says it is a picture", 415, headed(
        'Content-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png', b"<html>" * 20)),
    ("a picture in transfer encoding", 415, headed(
        'Content-Disposition: form-data; name="image"; filename="a"\r\nContent-Transfer-Encoding: base64',
        b64(PNG).encode())),
    ("sixteen pictures", 400, lambda: form(*[part("image", PNG, "a.png")] * 16)),
    ("fifty megabytes of one picture", 413, lambda: form(part("image", bytes(50 * 2**20), "a.png"))),
    ("thirteen megabytes of line breaks", 413, lambda: form(part("image", b"\r\n" * (13 * 2**19), "a.png"))),
    ("thirteen megabytes that look like boundaries", 413, lambda: form(part("image", b"\r\n--a" * 2_700_000, "a.png"))),
    *((f"k = {k}", 422, text_and(part("k", k.encode()))) for k in NO_COUNTS),
    *((f"text_weight = {w}", 422, text_and(part("text_weight", w.encode()))) for w in NO_WEIGHTS),
    ("understand = 1", 422, text_and(part("understand", b"1"))),
    ("legs of commas", 400, text_and(part("legs", b",,,,"))),
    ("terms that are NaN", 400, text_and(part("terms", b'[{"text": "a", "weight": NaN}]'))),
]  # fmt: skip

GOOD = b'{"text": "red"}'
PACKED = gzip.compress(bytes(20 * 2**20))


def coded(encoding: str, content: bytes = GOOD) -> Request:
    """JSON under that Content-Encoding."""
    return lambda: body(content, {"content-type": "application/json", "content-encoding": encoding})


TYPES: list[Row] = [
    ("none", 415, lambda: {"content": GOOD}),
    ("empty", 415, typed("", GOOD)),
    ("everything", 415, typed("*/*", GOOD)),
    ("text/json", 415, typed("text/json", GOOD)),
    ("a problem in JSON", 415, typed("application/problem+json", GOOD)),
    ("a web form", 415, typed("application/x-www-form-urlencoded", b"text=red")),
    ("a picture", 415, typed("image/png", PNG)),
    ("bytes", 415, typed("application/octet-stream", GOOD)),
    ("XML", 415, typed("application/xml", b"<text>red</text>")),
    ("multipart/mixed", 415, typed("multipart/mixed; boundary=b")),
    ("ten thousand characters", 415, typed("application/" + "j" * 10_000, GOOD)),
    ("two in one", 415, typed("application/json, text/plain", GOOD)),
    ("capitals", 200, typed("APPLICATION/JSON; CHARSET=UTF-8", GOOD)),
    ("a charset that is none", 415, typed("application/json; charset=klingon", GOOD)),
    ("UTF-7", 415, typed("application/json; charset=utf-7", GOOD)),
    ("signs", 415, typed(";=;=;=", GOOD)),
    ("a packed bomb", 415, coded("gzip", PACKED)),
    ("brotli", 415, coded("br")),
    ("packed twice", 415, coded("gzip, gzip", PACKED)),
    ("plain, and said so", 200, coded("identity")),
]


def entries() -> list[Poison]:
    """All of them."""
    rows: list[tuple[str, Any, Request]] = [(f"form: {name}", allowed, request) for name, allowed, request in ROWS]
    rows += [(f"content type: {name}", allowed, request) for name, allowed, request in TYPES]
    return table(rows)
