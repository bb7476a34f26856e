"""`etalage serve` as a process of its own, and clients that count what they ask and what they are answered."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flows import promotion
from flows.releases import ReleaseStore
from search.milvus.store import MilvusStore
from tests.bento.running import free_port

OLD, NEW = "r20261121-1", "r20261122-1"
NEW_PRICES = 1000.0
"""What every product costs at least in the release NEW; in OLD none does."""
QUERY = json.dumps({"text": "red dress", "k": 5})
PATIENCE = 180.0
"""Seconds after which something that is waited for will not come; nothing is asserted of speed."""


@dataclass(frozen=True)
class Answered:
    """One request and its answer. `at`: when its connection was there, `sent`: when it was sent, both monotonic."""

    at: float
    sent: float
    status: int
    release: str
    header: str
    prices: tuple[float, ...]
    closing: bool


@dataclass
class Client:
    """Asks again and again in a thread of its own, until it is told to stop or nobody listens any more."""

    port: int
    keep: bool
    """Whether it keeps its connection."""
    rest: float = 0.0
    """Seconds between an answer and the next request."""
    asked: int = 0
    answers: list[Answered] = field(default_factory=list)
    lost: list[tuple[float, str]] = field(default_factory=list)
    """When the connection of an unanswered request was made, and what happened."""
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        connection, at = None, 0.0
        while not self.stopped.is_set():
            if connection is None:
                connection, at = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60), 0.0
                try:
                    connection.connect()
                except ConnectionError:
                    return  # nobody listens: nothing was asked
                at = time.monotonic()
            self.asked += 1
            sent = time.monotonic()
            try:
                self.answers.append(ask(connection, at, sent))
            except (OSError, http.client.HTTPException) as error:
                self.lost.append((at, repr(error)))
                return
            if not self.keep or self.answers[-1].closing:
                connection.close()
                connection = None
            self.stopped.wait(self.rest)

    def end(self) -> None:
        """Stop after the request that is under way."""
        self.stopped.set()
        self._thread.join(90)
        assert not self._thread.is_alive()


def ask(connection: http.client.HTTPConnection, at: float = 0.0, sent: float = 0.0) -> Answered:
    """One query over `connection`. A connection that was closed without a word is an error, not a reason to retry."""
    if connection.sock is None:
        connection.connect()
    connection.auto_open = 0
    connection.request("POST", "/search", QUERY, {"content-type": "application/json"})
    return answer_of(connection.getresponse(), at, sent)


def answer_of(response: http.client.HTTPResponse, at: float = 0.0, sent: float = 0.0) -> Answered:
    """What an answer of /search says."""
    closing = (response.getheader("Connection") or "") == "close"
    content = json.loads(response.read())
    prices = tuple(hit["price"] for hit in content.get("hits", ()))
    header = response.getheader("X-Etalage-Release") or ""
    return Answered(at, sent, response.status, content.get("release", ""), header, prices, closing)


@dataclass
class Supervised:
    """A running `etalage serve`."""

    home: Path
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def says(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace")

    def wait_for(self, sentence: str, times: int = 1) -> None:
        """Until the log has said it so often; a pattern."""
        until(lambda: len(re.findall(sentence, self.says())) >= times, self.says)

    def workers(self) -> list[int]:
        """The processes it has started that still run."""
        started = re.findall(r"in process (\d+)", self.says())
        return [int(pid) for pid in started if runs(int(pid))]

    def probe(self) -> str:
        """The release that is ready, "" for none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", "/readyz")
            response = connection.getresponse()
            content = json.loads(response.read())
            return str(content["release"]) if response.status == 200 else ""
        except ConnectionError:
            return ""
        finally:
            connection.close()

    def promote(self, release: str) -> None:
        """As the flow moves the champion: alias, record and history."""
        promotion.promote(ReleaseStore(self.home), self.store, release, by="a test")

    def roll_back(self) -> None:
        """Back to the champion before."""
        promotion.roll_back(ReleaseStore(self.home), self.store, by="a test")

    @property
    def store(self) -> MilvusStore:
        """The embedded store of the home."""
        return MilvusStore(str(self.home / "milvus" / "etalage.db"))


@contextmanager
def supervised(home: Path, log: Path, *options: str, **variables: str) -> Iterator[Supervised]:
    """`etalage serve` of `home`, ready, with `variables` in its environment."""
    port = free_port()
    own = {"ETALAGE_HOME": str(home), "OMP_NUM_THREADS": "1", "ETALAGE_SERVICE_PATIENCE": "1e6"}  # nobody is told 429
    environment = {**os.environ, **own, **variables}
    command = [sys.executable, "-m", "flows", "serve", "--port", str(port), *options]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    running = Supervised(home, port, process, log)
    try:
        until(lambda: process.poll() is not None or running.probe() != "", running.says)
        assert process.poll() is None, running.says()
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def until(reached: Callable[[], bool], explain: Callable[[], str] = str) -> None:
    """Wait for something that must come."""
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.05)


def runs(pid: int) -> bool:
    """Whether there is such a process that has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
