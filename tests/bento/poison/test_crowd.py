"""The same poison from many callers at once, callers who only hold a connection: good callers are answered."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from tests.bento.poison import forms, narrow, numbers, pictures, places, reports, words
from tests.bento.poison.case import Poison
from tests.bento.running import BODY_SECONDS, Served

pytestmark = pytest.mark.slow

CROWD = [entry for theme in (pictures, words, numbers, narrow, forms, places, reports) for entry in theme.entries()]
CALLERS = 12
OVERLOADED = (429, 503)
LATE = 408
"""Twelve callers that push megabytes may take longer than these tests let a body take (BODY_SECONDS)."""
PATIENCE = 15.0
"""Seconds within which a good caller is answered while the crowd is at it, on two cores with other work."""


def ask(client: httpx.Client) -> tuple[int, list[str], float]:
    """Status, ids and seconds of one good request."""
    started = time.monotonic()
    reply = client.post("/search", json={"text": "red dress", "k": 5})
    ids = [hit["id"] for hit in reply.json()["hits"]] if reply.status_code == 200 else []
    return reply.status_code, ids, time.monotonic() - started


def test_among_twelve_poisonous_callers_a_good_one_is_answered_right_or_told_at_once_when_to_come_back(served: Served):
    """How many are told to come back is for the machine to say: admission.py measures what it can do."""
    _, expected, _ = ask(served.client)

    def send(entry: Poison) -> str:
        reply = entry.sent(served.client)
        return "" if reply.status_code in (*entry.allowed, *OVERLOADED, LATE) else f"{entry.name}: {reply.text[:200]}"

    good = []
    with ThreadPoolExecutor(CALLERS) as callers:
        sent = [callers.submit(send, entry) for entry in CROWD]
        while not all(each.done() for each in sent):
            good.append(ask(served.client))
            time.sleep(0.05)
    assert [wrong for each in sent if (wrong := each.result())] == []
    assert {status for status, _, _ in good} <= {200, *OVERLOADED}
    answered = [ids for status, ids, _ in good if status == 200]
    assert answered and all(ids == expected for ids in answered)
    assert max(took for _, _, took in good) < PATIENCE
    assert ask(served.client)[:2] == (200, expected)


@contextmanager
def holding(served: Served, first: bytes, count: int) -> Iterator[list[socket.socket]]:
    """So many connections that have sent `first` and no more."""
    with ExitStack() as stack:
        wires = [
            stack.enter_context(socket.create_connection(("127.0.0.1", served.port), BODY_SECONDS + 10))
            for _ in range(count)
        ]
        for wire in wires:
            wire.sendall(first)
        yield wires


@pytest.mark.parametrize(
    "first",
    [b"", b"POST /sea", b"POST /search HTTP/1.1\r\nHost: a\r\nX-Note: a"],
    ids=["nothing", "half a line", "half a header"],
)
def test_three_hundred_callers_who_never_finish_their_question_hold_up_nobody(served: Served, first: bytes):
    _, expected, _ = ask(served.client)
    with holding(served, first, 300):
        for _ in range(5):
            status, ids, took = ask(served.client)
            assert (status, ids) == (200, expected) and took < PATIENCE


def test_a_hundred_bodies_that_never_come_are_refused_together_and_hold_up_nobody(served: Served):
    head = b"POST /search HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"
    _, expected, _ = ask(served.client)
    with holding(served, head, 100) as wires:
        assert ask(served.client)[:2] == (200, expected)
        assert {wire.recv(12) for wire in wires} == {b"HTTP/1.1 408"}
    assert ask(served.client)[:2] == (200, expected)
