"""Feedback: batches that are too much, fields that are none, and words that would be more than words elsewhere."""

import json
from typing import Any

from tests.bento.hostile import body, form, part
from tests.bento.poison.case import Poison, Row, table

GOOD = {"request_id": "9f2c61d0a4b7e835", "product_id": "p0", "action": "click"}


def event(**changes: Any) -> dict[str, Any]:
    """A sound event but for its values."""
    return body(json.dumps({"events": [{**GOOD, **changes}]}))


def events(*found: Any) -> dict[str, Any]:
    """A request of these events."""
    return body(json.dumps({"events": list(found)}))


NO_IDS: list[object] = ["", " ", "a b", "a" * 65, "../../../etc/passwd", "<script>", "a\nb", "é", None, 7, ["a"], {}]
NO_PRODUCTS: list[object] = ["", "p" * 129, "p" * 200_000, None, 0, ["p0"], {"$ne": ""}, True]
NO_ACTIONS: list[object] = ["", "purchase", "CLICK", "click ", "view;buy", None, 1, ["click"], {"$gt": ""}]
NO_RANKS: list[object] = [0, -1, 201, 2**63, 10**400, 1.5, "1", True, [1], {}]
NO_USERS: list[object] = ["", "u" * 129, 7, ["u"], {"id": "u"}, False]
NO_TIMES: list[object] = [
    "", "now", "2026-11-21", "2026-11-21T10:00:00", "2026-02-30T10:00:00Z", "9999-12-31T23:59:59Z", 1763719200,
    "2026-11-21T10:00:00+25:00", "2026-11-21T10:00:00Z\n", "0000-00-00T00:00Z", "2" * 100_000,
]  # fmt: skip
WORDS = {
    "a line that would be two": "a\u2028b\u2029c",
    "a line of its own": '"}\\n{"request_id":"x"',
    "a formula": "=cmd|' /C calc'!A0",
    "a template": "{{ 7 * 7 }} ${jndi:ldap://x}",
    "SQL": "x'; DROP TABLE products; --",
    "right to left": "\u202eabc",
    "an emoji": "👗",
}

ROWS: list[Row] = [
    ("nothing", 400, lambda: body(b"")),
    ("no object", 422, lambda: body(b"[]")),
    ("no events", 422, lambda: body(b"{}")),
    ("events of nothing", 422, lambda: events()),
    ("events that are one", 422, lambda: body(json.dumps({"events": GOOD}))),
    ("events that are null", 422, lambda: body(b'{"events": null}')),
    ("an event that is a text", 422, lambda: events("click")),
    ("an event that is null", 422, lambda: events(None)),
    ("an event of events", 422, lambda: events({"events": [GOOD]})),
    ("five hundred events", 200, lambda: events(*[{**GOOD, "product_id": f"x{n}"} for n in range(500)])),
    ("one event five hundred times", 200, lambda: events(*[GOOD] * 500)),
    ("five hundred and one events", 422, lambda: events(*[GOOD] * 501)),
    ("twenty thousand events", 413, lambda: events(*[GOOD] * 20_000)),
    ("ten thousand empty events", 413, lambda: events(*[{}] * 10_001)),
    ("nine thousand empty events", 422, lambda: events(*[{}] * 9_000)),
    ("fifty megabytes", 413, lambda: body(b" " * (50 * 2**20))),
    ("fifty megabytes in pieces of no length", 413, lambda: body(iter([b" " * 2**20] * 50))),
    ("brackets in brackets", 400, lambda: body(b'{"events": ' + b"[" * 9_000 + b"]" * 9_000 + b"}")),
    ("NaN for a place", 400, lambda: body(json.dumps({"events": [{**GOOD, "rank": float("nan")}]}))),
    ("a field twice", 422, lambda: body(b'{"events": [], "events": []}')),
    ("a field more", 422, lambda: event(query="red dress")),
    ("a field more beside the events", 422, lambda: body(json.dumps({"events": [GOOD], "release": "r1"}))),
    ("half a character", 400, lambda: event(user_id="\ud800")),
    ("a NUL", 400, lambda: event(product_id="p0\0")),
    ("an escape sequence", 400, lambda: event(user_id="\x1b[2J")),
    ("bytes that are no text", 400, lambda: body(b'{"events": [{"user_id": "\xff\xfe"}]}')),
    ("a form", 415, lambda: form(part("events", b"[]"))),
    ("a web form", 415, lambda: body(b"action=click", {"content-type": "application/x-www-form-urlencoded"})),
    ("what a browser sends as a beacon", 415, lambda: body(b"{}", {"content-type": "text/plain;charset=UTF-8"})),
    ("gzip", 415, lambda: body(b"{}", {"content-type": "application/json", "content-encoding": "gzip"})),
    *((f"request = {str(v)[:30]!r}", 422, lambda v=v: event(request_id=v)) for v in NO_IDS),
    *(
        (f"product = {str(v)[:30]!r}, {len(str(v))} characters", 422, lambda v=v: event(product_id=v))
        for v in NO_PRODUCTS
    ),
    *((f"action = {str(v)[:30]!r}", 422, lambda v=v: event(action=v)) for v in NO_ACTIONS),
    *((f"rank = {str(v)[:30]!r}", 422, lambda v=v: event(rank=v)) for v in NO_RANKS),
    *((f"user = {str(v)[:30]!r}", 422, lambda v=v: event(user_id=v)) for v in NO_USERS),
    *((f"at = {str(v)[:30]!r}", 422, lambda v=v: event(at=v)) for v in NO_TIMES),
    *((f"user: {name}", 200, lambda v=v: event(user_id=v)) for name, v in WORDS.items()),
    *((f"product: {name}", 200, lambda v=v: event(product_id=v)) for name, v in WORDS.items()),
]
METHODS = ("GET", "PUT", "DELETE")


def entries() -> list[Poison]:
    """All of them."""
    found = table(((f"feedback: {name}", allowed, request) for name, allowed, request in ROWS), path="/feedback")
    return found + [Poison(f"feedback: by {method}", (405,), method=method, path="/feedback") for method in METHODS]
