"""A service that runs the whole time and is asked the whole time: no answer may come from a half state."""

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bento.running import free_port

QUERIES = ({"text": "red dress", "k": 5}, {"text": "红色连衣裙", "k": 5}, {"text": "dotted mug", "k": 5})
PATIENCE = 240.0  # seconds after which something will not come
REST = 0.4  # seconds between two questions
Answers = Mapping[str, str]
"""Query -> status, release and hits of its answer."""


def ask(port: int, query: Mapping[str, object]) -> str:
    """One answer: its status, the release that it names, and its hits with their scores."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", "/search", json.dumps(query), {"content-type": "application/json"})
        response = connection.getresponse()
        content = json.loads(response.read())
        header = response.getheader("X-Etalage-Release")
        hits = [[hit["id"], hit["title"], hit["price"], round(hit["score"], 4)] for hit in content.get("hits", [])]
        return json.dumps([response.status, header, content.get("release"), hits], ensure_ascii=False)
    finally:
        connection.close()


def ask_all(port: int) -> Answers:
    """The answer to every query."""
    return {str(query["text"]): ask(port, query) for query in QUERIES}


@dataclass
class Asker:
    """Asks one query after the other in a thread, and keeps every answer as (query, answer)."""

    port: int
    answers: list[tuple[str, str]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.is_set():
            for query in QUERIES:
                try:
                    self.answers.append((str(query["text"]), ask(self.port, query)))
                except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
                    self.lost.append(repr(error))
                self._stopped.wait(REST)

    def wait_for(self, answers: Answers) -> bool:
        """Until the service gives these; False where it never does."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            known = len(self.answers)
            time.sleep(4 * REST)
            if known and set(self.answers[known:]) & set(answers.items()):
                return True
        return False

    def end(self) -> None:
        """After the answer that is under way."""
        self._stopped.set()
        self._thread.join(90)


def wrong_answers(given: list[tuple[str, str]], complete: list[Answers]) -> list[str]:
    """Answers that are not whole ones of a complete state, or of an earlier state after a later one.

    `complete` are the states that may answer, in their order.
    """
    wrong, reached = [], 0
    for query, answer in given:
        fitting = [place for place, answers in enumerate(complete) if answers.get(query) == answer]
        if not fitting:
            wrong.append(f"{query!r} was answered {answer[:200]}")
        elif fitting[-1] < reached:
            wrong.append(f"{query!r} was answered by an earlier state again: {answer[:200]}")
        else:
            reached = max(reached, fitting[0])
    return wrong


@contextmanager
def serving(home: Path, log: Path, environment: Mapping[str, str]) -> Iterator[int]:
    """`etalage serve` of `home`; gives its port once it is ready. It has a life of its own: no point kills it."""
    port = free_port()
    own = {"OMP_NUM_THREADS": "1", "ETALAGE_SERVICE_PATIENCE": "1000"}  # nobody is told 429
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows", "serve", "--port", str(port)],
            cwd=home.parent,
            env={**environment, **own},
            stdout=out,
            stderr=out,
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not _ready(port):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text(errors="replace")[-3000:]
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
