"""A shop's service is on the open net: whatever comes, it answers each with what it deserves, and everyone else well.

One real service over real HTTP takes the whole table, one entry after the other, with good callers in between.
"""

import re
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.bento.poison import forms, narrow, numbers, pictures, places, reports, urls, wires, words
from tests.bento.poison.case import CLOSED, Poison, Wire
from tests.bento.running import Served
from tests.bento.tiny_encoder import photo

pytestmark = pytest.mark.slow

THEMES = (pictures, words, numbers, narrow, forms, places, urls, reports, wires)
TABLE: list[Poison | Wire] = [entry for theme in THEMES for entry in theme.entries()]
QUICK = 3.0
"""Seconds for a good request right after a hostile one; it takes about 10 ms where nothing holds it up."""
LEAKS = re.compile(
    r"Traceback|Error\b|Exception|\.py\b|site-packages|object at|0x[0-9a-f]{6}|\bb['\"]|\\x|/(usr|tmp|home|etc|root)/"
    r"|\b(bento|catalog|search|models|PIL|pydantic|starlette|uvicorn)\.[a-z]|\b[A-Z][a-z]+[A-Z]\w+"
)
"""What a refusal must not tell: a stack, a path, an object's print, a module, the name of a class."""


OWN_WORDS = re.compile(r"(?<=[ ^])(['\"]).*?(\1|…$)|^'.*?'")
"""What a refusal quotes of the request itself."""


@pytest.fixture(scope="module")
def good(served: Served) -> list[str]:
    """What a good caller is answered before anything happened."""
    return good_hits(served.client)


def good_hits(client: httpx.Client) -> list[str]:
    """Ids and scores for words and for a photo, which must be quick."""
    started = time.monotonic()
    by_words = client.post("/search", json={"text": "red dress", "k": 5})
    by_photo = client.post("/search", data={"k": "5"}, files={"image": ("a.jpg", photo("Blue"), "image/jpeg")})
    took = time.monotonic() - started
    assert (by_words.status_code, by_photo.status_code) == (200, 200), by_words.text + by_photo.text
    assert took < QUICK, f"a good caller waited {took:.1f} seconds"
    return [f"{hit['id']} {hit['score']:.6f}" for reply in (by_words, by_photo) for hit in reply.json()["hits"]]


def test_there_are_enough_of_them_and_each_has_its_own_name():
    assert len(TABLE) >= 200
    assert [name for name, count in Counter(entry.name for entry in TABLE).items() if count > 1] == []
    assert {status for entry in TABLE for status in entry.allowed} == {
        CLOSED,
        200,
        400,
        403,
        404,
        405,
        408,
        413,
        415,
        422,
    }


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry.name)
def test_a_poisonous_request_gets_what_it_deserves_and_the_next_caller_notices_nothing(
    served: Served, good: list[str], entry: Poison | Wire
):
    reply = entry.sent(served.client)
    check_answer(entry, reply)
    assert good_hits(served.client) == good


def check_answer(entry: Poison | Wire, reply: httpx.Response | None) -> None:
    """One of the statuses that are allowed; a refusal is clear, an answer has the hits that are known."""
    if reply is None:
        assert CLOSED in entry.allowed
        return
    assert reply.status_code in entry.allowed, reply.text
    if reply.status_code != 200:
        check_refusal(reply, unread=isinstance(entry, Wire) and entry.unread)
    elif entry.hits is not None:
        assert len(reply.json()["hits"]) == entry.hits


def check_refusal(reply: httpx.Response, unread: bool) -> None:
    """The project's envelope with one clear sentence; below the application, the HTTP server's own."""
    if unread:
        assert reply.text == "Invalid HTTP request received."
        return
    assert reply.headers["content-type"] == "application/json" and reply.headers["x-request-id"]
    refusal = reply.json()
    assert set(refusal) == {"error", "kind"}
    sentence = refusal["error"]
    assert 10 < len(sentence) <= 300 and sentence.isprintable() and sentence[-1] in ".?!…"
    assert not LEAKS.search(OWN_WORDS.sub("", sentence)), sentence


def test_after_the_whole_table_the_worker_is_the_same_and_no_larger_than_its_pictures(served: Served, good: list[str]):
    assert good_hits(served.client) == good
    status = Path(f"/proc/{served.worker}/status").read_text()
    peak = int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 2**20
    print(f"the worker's largest moment was {peak:.2f} GB")
    assert peak < 1.5
    assert served.client.get("/readyz").status_code == 200
    counted = served.client.get("/metrics").text
    assert not re.search(r'route="/(search|similar|feedback|products/.*)",status="5', counted)
