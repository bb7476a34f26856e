"""Methods, paths, ids, and headers that a caller may set."""

from typing import Any

from tests.bento.hostile import fields
from tests.bento.poison.case import Poison

METHODS = ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "search", "X" * 200)
PATHS = (
    "/searches", "/search/", "//search", "/search/../metrics", "/Search", "/search;a=b", "/search%00", "/search%2f",
    "/.env", "/.git/config", "/admin", "/docs", "/docs.json", "/schema.json", "/static_content/index.css",
    "/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "/etalage/search", "/metrics/", "/healthz/x",
    "/" + "a" * 20_000, "/%ff%fe", "/%F0%9F%91%97", "/%u0041", "/bento/service.py",
)  # fmt: skip
IDS = (
    "", "nobody", "../../../etc/passwd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "p0%00", "p0%0d%0aX-Evil:%201", "P0",
    "p0%20", "p0/", "/p0", "p0%22%20or%20key%20!=%20%22", "p0'%20OR%20'1'='1", "%ff", "%ed%a0%80", "*", "%25",
    "9" * 20_000,
    "%F0%9F%91%97" * 500, "sku/7/", "sku//7", "sku/./8",
)  # fmt: skip
LIKE: tuple[tuple[Any, int], ...] = (
    ("", 404), ("nobody", 404), ("p0 ", 404), ('p0" or key != "', 404), ("p0\u202e", 404), ("../p0", 404),
    ("a" * 200_000, 404), ("p0\0", 400), ("\ud800", 400), (0, 422), (None, 422), (["p0"], 422), ({"$ne": ""}, 422),
    (True, 422), (1e300, 422),
)  # fmt: skip
HEADERS: dict[str, dict[str, str | bytes]] = {
    "another method in a header": {"X-HTTP-Method-Override": "DELETE"},
    "another path in a header": {"X-Original-URL": "/admin", "X-Rewrite-URL": "/admin"},
    "another host": {"Host": "evil.example:99999"},
    "a caller from elsewhere": {"X-Forwarded-For": "127.0.0.1, ::1", "Forwarded": "for=_x;proto=gopher"},
    "an origin": {"Origin": "https://evil.example"},
    "a cookie of ten thousand characters": {"Cookie": "a=" + "b" * 10_000},
    "a login": {"Authorization": "Basic " + "A" * 1000},
    "a range": {"Range": "bytes=0-18446744073709551615"},
    "an answer in XML": {"Accept": "application/xml;q=1, */*;q=0"},
    "an answer in another packing": {"Accept-Encoding": "compress, x;q=9"},
    "bytes that are no ASCII": {"X-Note": b"\xff\xfe\x80"},
    "a request id that is a script": {"X-Request-Id": "<script>alert(1)</script>"},
    "a trace that is noise": {"traceparent": "zz-" + "f" * 500, "tracestate": "=,=,"},
    "a condition": {"If-None-Match": "*", "If-Modified-Since": "yesterday"},
    "five hundred headers": {f"X-{at}": "a" for at in range(500)},
}


def entries() -> list[Poison]:
    """All of them."""
    found = [Poison(f"method: {method[:20]}", (405,), method=method) for method in METHODS]
    found += [
        Poison(f"method of a product: {method}", (405,), method=method, path="/products/p0") for method in METHODS[1:4]
    ]
    found += [Poison(f"path: {path[:60]}", (404,), method="GET", path=path) for path in PATHS]
    found += [Poison(f"id: {name[:60]!r}", (404,), method="GET", path=f"/products/{name}") for name in IDS]
    found += [
        Poison(f"similar to {str(name)[:40]!r}", (status,), lambda name=name: fields(id=name, k=3), path="/similar")
        for name, status in LIKE
    ]
    found += [
        Poison(f"similar by {extra}", (422,), lambda extra=extra: fields(id="p0", **{extra: "red"}), path="/similar")
        for extra in ("text", "image", "legs", "without")
    ]
    for name, headers in HEADERS.items():
        found.append(Poison(f"header: {name}", (200,), lambda headers=headers: _with(headers), hits=3))
    return found


def _with(headers: dict[str, str | bytes]) -> dict[str, Any]:
    asked = fields(text="red dress", k=3)
    return {**asked, "headers": {**asked["headers"], **headers}}
