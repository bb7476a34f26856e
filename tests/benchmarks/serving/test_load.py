"""Closed-loop clients over real connections: nothing is asked twice, left out or lost, and refusals are counted."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.serving.asked import HttpQuery
from benchmarks.serving.load import closed_loop

QUERIES = [HttpQuery("/search", f"query {number}".encode(), "text/plain") for number in range(5)]


@contextmanager
def listening(refused: bytes = b"none") -> Iterator[tuple[int, list[bytes], set[int]]]:
    """A server: its port, the bodies that it was sent, the ports that they came from. `refused` is answered 429."""
    bodies: list[bytes] = []
    callers: set[int] = set()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            bodies.append(body)
            callers.add(self.client_address[1])
            self.send_response(429 if body == refused else 200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1], bodies, callers
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_one_client_asks_in_order_and_round_again_over_one_connection() -> None:
    with listening() as (port, bodies, callers):
        load = closed_loop(port, QUERIES, clients=1, requests=7)
    assert bodies == [query.body for query in [*QUERIES, *QUERIES[:2]]]
    assert len(callers) == 1
    assert len(load.answered_ms) == 7 and load.refused == 0
    assert sum(load.answered_ms) / 1000 <= load.seconds


@pytest.mark.parametrize("clients", [2, 8])
def test_several_clients_share_the_list(clients: int) -> None:
    with listening() as (port, bodies, callers):
        load = closed_loop(port, QUERIES, clients, requests=40)
    assert sorted(bodies) == sorted([query.body for query in QUERIES] * 8)
    assert len(callers) <= clients
    assert len(load.answered_ms) == 40


def test_a_refusal_is_counted_and_has_no_time() -> None:
    with listening(refused=b"query 3") as (port, _, _):
        load = closed_loop(port, QUERIES, clients=2, requests=10)
    assert (len(load.answered_ms), load.refused) == (8, 2)
