"""Closed-loop clients: each asks, waits for the answer, and asks the next query of the one list that all share.

Threads over http.client, with connections that are kept: it does little beyond the socket, and `client_seconds` says
how much processor time it takes from the servers.
"""

import http.client
import itertools
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.serving.asked import HttpQuery

TIMEOUT = 120.0


@dataclass(frozen=True)
class Load:
    """What clients saw: milliseconds of every answer (HTTP 200), other answers counted, seconds from start to end."""

    answered_ms: tuple[float, ...]
    refused: int
    seconds: float
    client_seconds: float
    """Processor time of this process."""


class Client:
    """One connection to a port of this machine."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        self._connection.connect()

    def ask(self, query: HttpQuery) -> tuple[int, bytes]:
        """Status and body of the answer."""
        self._connection.request("POST", query.path, query.body, {"Content-Type": query.content_type})
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def closed_loop(port: int, queries: Sequence[HttpQuery], clients: int, requests: int) -> Load:
    """Ask `requests` queries, in the order of `queries` and round again, by `clients` at the same time."""
    numbers = itertools.count()
    clocks: list[tuple[float, float]] = []

    def start_clocks() -> None:
        clocks.append((time.perf_counter(), time.process_time()))

    # The barrier starts the clocks before it lets any client go: a thread of our own could wake after the first answer.
    together = threading.Barrier(clients, start_clocks)

    def one_client() -> tuple[list[float], int]:
        client, took, refused = Client(port), [], 0
        together.wait(TIMEOUT)
        while (number := next(numbers)) < requests:
            query = queries[number % len(queries)]
            started = time.perf_counter()
            status, _ = client.ask(query)
            if status == 200:
                took.append((time.perf_counter() - started) * 1000)
            else:
                refused += 1
        client.close()
        return took, refused

    with ThreadPoolExecutor(clients) as threads:
        running = [threads.submit(one_client) for _ in range(clients)]
        ended = [each.result() for each in running]
        seconds, spent = time.perf_counter() - clocks[0][0], time.process_time() - clocks[0][1]
    answered = tuple(itertools.chain.from_iterable(took for took, _ in ended))
    return Load(answered, sum(refused for _, refused in ended), seconds, spent)
