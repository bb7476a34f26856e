"""The hostile requests: each with the status it must get. Every one is a caller's fault, so every one is a 4xx."""

import base64
import io
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

JSON = {"content-type": "application/json"}
FORM = {"content-type": "multipart/form-data; boundary=b"}


@dataclass(frozen=True)
class Hostile:
    """One request, by the keyword arguments of an HTTP client, and the status of its refusal."""

    name: str
    status: int
    request: dict[str, Any]
    method: str = "POST"
    path: str = "/search"
    headers: dict[str, str] = field(default_factory=dict)


def picture(side: tuple[int, int] = (32, 32), kind: str = "PNG") -> bytes:
    """A plain picture of that size."""
    file = io.BytesIO()
    Image.new("RGB", side, (180, 30, 40)).save(file, kind)
    return file.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it has width x height pixels, and in a few kilobytes really has."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compressobj()
    row = b"\0" * (1 + width // 8)
    packed = b"".join(rows.compress(row * 100) for _ in range(height // 100)) + rows.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def b64(data: bytes) -> str:
    """As a caller puts a picture into JSON."""
    return base64.b64encode(data).decode()


def body(content: bytes | str, headers: dict[str, str] = JSON) -> dict[str, Any]:
    """A raw body with its Content-Type."""
    return {"content": content, "headers": headers}


def fields(**values: Any) -> dict[str, Any]:
    """A JSON object that is sound but for its values (escapes stay ASCII, so half characters can travel)."""
    return body(json.dumps(values))


def form(*parts: bytes, end: bytes = b"--b--\r\n") -> dict[str, Any]:
    """A hand-made form."""
    return body(b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + end, FORM)


def part(name: str, data: bytes, file: str | None = None) -> bytes:
    """One part of a hand-made form."""
    filename = "" if file is None else f'; filename="{file}"'
    return f'Content-Disposition: form-data; name="{name}"{filename}\r\n\r\n'.encode() + data


def chunks(size: int) -> Iterator[bytes]:
    """A body that never says how long it is."""
    for _ in range(size // 2**20):
        yield b" " * 2**20


RED = part("text", b"red dress")
PNG = picture()
JPEG = picture((200, 200), "JPEG")

BAD_JSON = [
    ("an empty body", 400, body(b"")),
    ("half of an object", 400, body('{"text": "red')),
    ("an object and a tail", 400, body('{"text": "red"} x')),
    ("single quotes", 400, body("{'text': 'red'}")),
    ("a byte order mark", 400, body(b'\xef\xbb\xbf{"text": "red"}')),
    ("UTF-16", 400, body('{"text": "red"}'.encode("utf-16"))),
    ("Latin-1", 400, body('{"text": "café"}'.encode("latin-1"))),
    ("null", 422, body("null")),
    ("a list", 422, body("[]")),
    ("a string", 422, body('"red dress"')),
    ("a hundred thousand open brackets", 413, body("[" * 100_000)),
    ("five thousand open brackets", 400, body("[" * 5_000)),
    ("five thousand nested objects", 400, body('{"filters":' * 5_000 + "1" + "}" * 5_000)),
    ("filters fifty levels deep", 400, body('{"text":"red","filters":{"colour":' + "[" * 50 + "]" * 50 + "}}")),
    ("thirty thousand values", 413, body(json.dumps({"text": "red", "filters": {"colour": ["Red"] * 30_000}}))),
    ("NaN", 400, body('{"text": "red", "k": NaN}')),
    ("-Infinity", 400, body('{"text": "red", "text_weight": -Infinity}')),
    ("a number beyond a float", 400, body('{"text": "red", "filters": {"price": {"lt": 1e999}}}')),
    ("a number of five thousand digits", 400, body('{"text": "red", "k": ' + "9" * 5_000 + "}")),
    ("half a character in the text", 400, fields(text="red \ud83d dress")),
    ("half a character in a filter", 400, fields(text="red", filters={"colour": "\udc00"})),
    ("half a character in a filter's name", 400, fields(text="red", filters={"\ud800": "Red"})),
    ("a NUL in the text", 400, fields(text="red\x00dress")),
    ("an escape sequence in the text", 400, fields(text="\x1b[31mred")),
]

BAD_FIELDS = [
    ("nothing asked", 400, fields()),
    ("an empty text", 400, fields(text="")),
    ("a blank text", 400, fields(text=" \n\t ")),
    ("a null text", 400, fields(text=None)),
    ("a text that is a number", 422, fields(text=7)),
    ("a text that is a list", 422, fields(text=["red"])),
    ("a text of a hundred thousand characters", 400, fields(text="a" * 100_000)),
    ("a Chinese text of thirty thousand characters", 400, fields(text="红" * 30_000)),
    ("a text of a million characters", 413, fields(text="a" * 1_000_000)),
    ("a field that nobody knows", 422, fields(text="red", query="blue")),
    ("k = -1", 400, fields(text="red", k=-1)),
    ("k = 0", 400, fields(text="red", k=0)),
    ("k = 201", 400, fields(text="red", k=201)),
    ("k = 10^9", 400, fields(text="red", k=10**9)),
    ("k = 10^400", 400, fields(text="red", k=10**400)),
    ("k = 1e9", 422, body('{"text": "red", "k": 1e9}')),
    ("k = ten", 422, fields(text="red", k="ten")),
    ("k = true", 422, fields(text="red", k=True)),
    ("k = null", 422, fields(text="red", k=None)),
    ("k = 1.5", 422, fields(text="red", k=1.5)),
    ("filters that are a list", 422, fields(text="red", filters=["colour"])),
    ("filters that are a string", 422, fields(text="red", filters="colour == 'Red'")),
    ("a filter field that nobody knows", 400, fields(text="red", filters={"colr": "Red"})),
    ("a filter on the primary key of the store", 400, fields(text="red", filters={"fused": [1.0]})),
    ("a filter operator that nobody knows", 400, fields(text="red", filters={"price": {"$gt": 1}})),
    ("a price that is a word", 400, fields(text="red", filters={"price": {"lt": "cheap"}})),
    ("a filter value that is an object", 400, fields(text="red", filters={"colour": {"a": {"b": 1}}})),
    ("legs that are a string", 422, fields(text="red", legs="dense")),
    ("a leg that is a number", 422, fields(text="red", legs=[1])),
    ("a leg that nobody knows", 400, fields(text="red", legs=["sparse"])),
    ("no leg", 400, fields(text="red", legs=[])),
    ("a text weight of 2", 400, fields(text="red", text_weight=2)),
    ("a text weight of -0.1", 400, fields(text="red", text_weight=-0.1)),
    ("terms that are a string", 422, fields(text="red", terms="wool")),
    ("terms that are words", 422, fields(text="red", terms=["wool"])),
    ("seventeen terms", 400, fields(text="red", terms=[{"text": "wool"}] * 17)),
    ("a term without words", 422, fields(text="red", terms=[{"weight": 1}])),
    ("an empty term", 400, fields(text="red", terms=[{"text": ""}])),
    ("a term that is a number", 422, fields(text="red", terms=[{"text": 7}])),
    ("a term that nobody knows", 422, fields(text="red", terms=[{"text": "wool", "boost": 2}])),
    ("a term of weight 0", 400, fields(text="red", terms=[{"text": "wool", "weight": 0}])),
    ("a term of weight 3", 400, fields(text="red", terms=[{"text": "wool", "weight": 3}])),
    ("a term of weight -10^400", 400, fields(text="red", terms=[{"text": "wool", "weight": -(10**400)}])),
    ("a term whose weight is a word", 422, fields(text="red", terms=[{"text": "wool", "weight": "much"}])),
    ("a term whose weight is true", 422, fields(text="red", terms=[{"text": "wool", "weight": True}])),
    ("a term of three thousand characters", 400, fields(text="red", terms=[{"text": "a" * 3_000}])),
    ("half a character in a term", 400, fields(text="red", terms=[{"text": "\ud83d"}])),
    ("only what is not wanted", 400, fields(terms=[{"text": "black", "weight": -1}])),
    (
        "a text and the same text away from it",
        400,
        fields(text="red", terms=[{"text": "red", "weight": -1}], legs=["dense"]),
    ),
    ("a text weight that is a word", 422, fields(text="red", text_weight="half")),
]

BAD_PICTURES = [
    ("an empty picture", 415, b""),
    ("one byte", 415, b"\xff"),
    ("zero bytes", 415, bytes(4096)),
    ("a text file called .jpg", 415, b"Dear shop, do you have red dresses?\n" * 40),
    ("a 1x1 picture", 415, picture((1, 1))),
    ("a 3000x1 picture", 415, picture((3000, 1))),
    ("half a PNG", 415, picture((300, 300))[:150]),
    ("half a JPEG", 415, JPEG[: len(JPEG) // 3]),
    ("a JPEG's first bytes and noise", 415, JPEG[:4] + bytes(range(256)) * 20),
    ("a web page", 415, b"<!doctype html><script>alert(1)</script>" * 10),
    ("an SVG", 415, b'<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>'),
    ("a PDF", 415, b"%PDF-1.7\n" + bytes(500)),
    ("a ZIP", 415, b"PK\x03\x04" + bytes(500)),
    ("a GIF that is a script", 415, b"GIF89a/*" + b"\0" * 40 + b"*/=1;alert(1)"),
    ("a web page with a PNG behind it", 415, b"<html>" + PNG),
    ("an EPS program", 415, b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n showpage"),
    ("a bomb of 400 megapixels", 413, bomb(20_000, 20_000)),
    ("a bomb of 60 megapixels", 413, bomb(60_000, 1_000)),
    ("eleven megabytes", 413, PNG + bytes(11 * 2**20 - len(PNG))),
]

BAD_BASE64 = [
    ("an image that is a number", 422, fields(image=7)),
    ("nine images", 400, fields(image=[b64(PNG)] * 9)),
    ("a list with an empty image", 415, fields(image=[b64(PNG), ""])),
    ("a list with an image that is a number", 422, fields(image=[b64(PNG), 7])),
    ("a list with a broken image", 415, fields(image=[b64(PNG), b64(b"no picture at all")])),
    ("a list with a null for an image", 422, fields(image=[None])),
    ("an image in a list in a list", 422, fields(image=[[b64(PNG)]])),
    ("an image in an object", 422, fields(image={"data": b64(PNG)})),
    ("an image that is a list of bytes", 422, fields(image=[137, 80, 78, 71])),
    ("an image that is no base64", 400, fields(image="!!!! not base64 !!!!")),
    ("an image whose base64 lacks a character", 400, fields(image=b64(PNG).rstrip("=") + "AA" + "A" * 3 + "=A")),
    ("an image in other letters", 400, fields(image="红色连衣裙")),
    ("an address instead of an image", 400, fields(image="https://example.org/a.jpg")),
    ("a path instead of an image", 415, fields(image="/etc/passwd0")),
    ("a data: URL without content", 400, fields(image="data:image/png;base64")),
    ("a data: URL that is not base64", 400, fields(image="data:text/plain,red dress")),
    ("a data: URL with an empty picture", 415, fields(image="data:image/png;base64,")),
    ("a good text beside a broken picture", 415, fields(text="red dress", image=b64(b"no picture at all"))),
]

BAD_FORMS = [
    ("a form without a boundary", 400, body(b"--b\r\n", {"content-type": "multipart/form-data"})),
    ("a form that is another's", 400, body(b"--x\r\n" + RED + b"\r\n--x--\r\n", FORM)),
    ("a form that is empty", 400, form()),
    ("a form that breaks off", 400, form(RED, end=b"")),
    ("a form that is noise", 400, body(bytes(range(256)) * 8, FORM)),
    ("a part without a name", 400, form(b"Content-Disposition: form-data\r\n\r\nred dress")),
    ("a part without headers", 400, form(b"\r\nred dress")),
    ("seventeen parts", 422, form(*[part(f"text{i}", b"red") for i in range(17)])),
    ("nine pictures", 400, form(*[part("image", PNG, f"{i}.png") for i in range(9)])),
    ("a picture and half of one", 415, form(part("image", PNG, "a.png"), part("image", PNG[:60], "b.png"))),
    ("a form's terms that are no JSON", 400, form(RED, part("terms", b"wool"))),
    ("a form's terms that are an object", 422, form(RED, part("terms", b'{"text": "wool"}'))),
    ("a form's terms with a NUL", 400, form(RED, part("terms", b'[{"text": "wo\\u0000ol"}]'))),
    ("a form's terms fifty levels deep", 400, form(RED, part("terms", b"[" * 50 + b"]" * 50))),
    ("two texts", 422, form(RED, RED)),
    ("a file in the text", 422, form(part("text", b"red dress", "a.txt"))),
    ("a field of a form that nobody knows", 422, form(RED, part("query", b"x"))),
    ("a form's text in Latin-1", 400, form(part("text", "café".encode("latin-1")))),
    ("a form's text with a NUL", 400, form(part("text", b"red\0dress"))),
    ("a form's text of 300,000 characters", 413, form(part("text", b"a" * 300_000))),
    ("a form's k = ten", 422, form(RED, part("k", b"ten"))),
    ("a form's k = NaN", 422, form(RED, part("k", b"NaN"))),
    ("a form's k = 1e9", 422, form(RED, part("k", b"1e9"))),
    ("a form's k = 10^9", 400, form(RED, part("k", b"1000000000"))),
    ("a form's k = -1", 400, form(RED, part("k", b"-1"))),
    ("a form's filters that are no JSON", 400, form(RED, part("filters", b"colour=Red"))),
    ("a form's filters that are a list", 422, form(RED, part("filters", b"[1]"))),
    ("a form's unknown filter field", 400, form(RED, part("filters", b'{"colr": "Red"}'))),
    ("a form's unknown leg", 400, form(RED, part("legs", b"dense,sparse"))),
]

BAD_TYPES = [
    ("no content type", 415, {"content": b'{"text": "red"}'}),
    ("plain text", 415, body('{"text": "red"}', {"content-type": "text/plain"})),
    ("a web form", 415, body("text=red", {"content-type": "application/x-www-form-urlencoded"})),
    ("a bare picture", 415, body(PNG, {"content-type": "image/png"})),
    ("JSON in UTF-16", 415, body('{"text": "red"}', {"content-type": "application/json; charset=utf-16"})),
    ("a content type that is noise", 415, body('{"text": "red"}', {"content-type": ";;;=\x80".encode("latin-1")})),
    ("a compressed body", 415, body(zlib.compress(b'{"text": "red"}'), {**JSON, "content-encoding": "deflate"})),
    ("fifty megabytes of JSON", 413, body(b'{"text": "' + b"a" * (50 * 2**20) + b'"}')),
    ("fifty megabytes of picture", 413, form(part("image", bytes(50 * 2**20), "a.jpg"))),
    ("fifty megabytes of no announced length", 413, {"content": chunks(50 * 2**20), "headers": JSON}),
]

OTHER_PLACES = [
    Hostile("search by GET", 405, {}, "GET", "/search"),
    Hostile("search by PUT", 405, {}, "PUT", "/search"),
    Hostile("search by a method of one's own", 405, {}, "BREW", "/search"),
    Hostile("a path that is none", 404, {}, "GET", "/searches"),
    Hostile("a path with a tail", 404, {}, "POST", "/search/"),
    Hostile("a path of BentoML", 404, {}, "GET", "/docs.json"),
    Hostile("a product that is none", 404, {}, "GET", "/products/no-such-product"),
    Hostile("a product without an id", 404, {}, "GET", "/products/"),
    Hostile("a product outside the shop", 404, {}, "GET", "/products/%2e%2e/%2e%2e/etc/passwd"),
    Hostile("a product of NUL", 404, {}, "GET", "/products/%00%0d%0aX-Evil:%201"),
    Hostile("a product of ten thousand characters", 404, {}, "GET", "/products/" + "9" * 10_000),
    Hostile("a product of broken UTF-8", 404, {}, "GET", "/products/%ff%fe"),
    Hostile("similar to nothing", 422, fields(), path="/similar"),
    Hostile("similar to no product", 404, fields(id="no-such-product"), path="/similar"),
    Hostile("similar to a number", 422, fields(id=1), path="/similar"),
    Hostile("similar to half a character", 400, fields(id="\ud800"), path="/similar"),
    Hostile("similar with k = -1", 400, fields(id="p0", k=-1), path="/similar"),
    Hostile("similar with an unknown filter", 400, fields(id="p0", filters={"colr": "Red"}), path="/similar"),
    Hostile("similar by a form", 415, form(part("id", b"p0")), path="/similar"),
]


def hostile_requests() -> list[Hostile]:
    """All of them."""
    plain = BAD_JSON + BAD_FIELDS + BAD_BASE64 + BAD_FORMS + BAD_TYPES
    for name, status, data in BAD_PICTURES:
        plain.append((f"{name}, in JSON", status, fields(image=b64(data))))
        plain.append((f"{name}, in a form", status, form(part("image", data, "photo.jpg"))))
    return [Hostile(*row) for row in plain] + OTHER_PLACES
