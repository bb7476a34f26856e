"""`etalage serve` follows the champion and ends without losing a request: real processes, counted."""

import asyncio
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bento.process.serve import bento_folder, worker_command
from flows.releases import ChampionRecord, ReleaseStore
from flows.serving.workers import start_worker
from tests.bento.running import free_port, make_shop
from tests.bento.world import catalogue
from tests.flows.serving.rolling import (
    NEW,
    NEW_PRICES,
    OLD,
    QUERY,
    Client,
    Supervised,
    answer_of,
    ask,
    runs,
    supervised,
    until,
)

pytestmark = pytest.mark.slow

BROKEN = "r20261123-1"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases of the same products at other prices, OLD the champion, and a Bento that cannot open."""
    home = tmp_path_factory.mktemp("rolling")
    dear = [replace(product, price=NEW_PRICES + (product.price or 0.0)) for product in catalogue()]
    cheap = [replace(product, price=product.price or 1.0) for product in catalogue()]
    with ThreadPoolExecutor() as both:
        list(both.map(make_shop, (home, home), (OLD, NEW), (cheap, dear)))
    shutil.copytree(bento_folder(f"etalage:{OLD}", home), bento_folder(f"etalage:{BROKEN}", home))
    shutil.rmtree(bento_folder(f"etalage:{BROKEN}", home) / "src" / "release" / "encoder")
    make_champion(home, OLD)
    return home


def make_champion(home: Path, release: str) -> None:
    """The record alone: a promotion would refuse a release that is broken."""
    ReleaseStore(home).write_champion(ChampionRecord(release=release, since="2026-11-21T00:00:00+00:00", by="a test"))


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Supervised]:
    """`etalage serve` for the tests that leave OLD as its champion."""
    with supervised(home, home / "serve.log", ETALAGE_SERVICE_READY_TIMEOUT="60") as running:
        yield running


def crowd(port: int) -> list[Client]:
    """Clients that keep their connection, with and without rests, and clients that make a new one for every request."""
    kept = [Client(port, keep=True), Client(port, keep=True, rest=0.3), Client(port, keep=True, rest=2.0)]
    return [*kept, Client(port, keep=False), Client(port, keep=False, rest=0.05)]


def test_nothing_is_lost_or_mixed_while_a_release_is_promoted_and_rolled_back(served: Supervised):
    clients = crowd(served.port)
    until(lambda: all(client.answers for client in clients))
    settled = []
    for change, drained in ((lambda: served.promote(NEW), OLD), (served.roll_back, NEW)):
        change()
        served.wait_for(f"release {drained} has drained")
        settled.append(time.monotonic())
        counts = [len(client.answers) for client in clients]
        until(lambda counts=counts: all(len(client.answers) > n + 1 for client, n in zip(clients, counts, strict=True)))
        settled.append(time.monotonic())
    for client in clients:
        client.end()

    assert [client.lost for client in clients] == [[]] * len(clients)
    assert [client.asked for client in clients] == [len(client.answers) for client in clients]
    answers = [answer for client in clients for answer in client.answers]
    assert {answer.status for answer in answers} == {200}
    assert {answer.release for answer in answers} == {OLD, NEW}
    for answer in answers:
        assert answer.header == answer.release and len(answer.prices) == 5
        assert {price >= NEW_PRICES for price in answer.prices} == {answer.release == NEW}
    promoted, before, rolled_back, _ = settled
    assert {answer.release for answer in answers if promoted < answer.sent < before} == {NEW}
    assert {answer.release for answer in answers if rolled_back < answer.sent} == {OLD}
    assert served.says().count("has drained") == 2 and "while it drained" not in served.says()


def test_a_champion_that_cannot_answer_leaves_the_one_before_it_and_the_log_says_why(served: Supervised):
    client = Client(served.port, keep=True, rest=0.05)
    make_champion(served.home, "r-without-a-bento")
    served.wait_for(rf"RELEASE r-without-a-bento DOES NOT ANSWER, {OLD} still does: Bento \S+ is not there: `etalage")
    make_champion(served.home, BROKEN)
    served.wait_for(f"release {BROKEN} is started")
    make_champion(served.home, "no such thing/../")
    served.wait_for("RELEASE no such thing/../ DOES NOT ANSWER")
    served.home.joinpath("champion.json").write_text("{")
    served.wait_for("the champion is not known: .* is damaged")
    make_champion(served.home, OLD)
    asked = client.asked
    until(lambda: client.asked > asked + 20)
    client.end()

    assert client.lost == []
    assert {(answer.status, answer.release) for answer in client.answers} == {(200, OLD)}
    assert len(served.workers()) == 1


def test_a_worker_that_is_killed_is_replaced(served: Supervised):
    (worker,) = served.workers()
    os.kill(worker, signal.SIGKILL)
    until(lambda: served.probe() == OLD and served.workers() not in ([worker], []), served.says)
    assert f"release {OLD} ended with -9" in served.says()
    assert not runs(worker) and len(served.workers()) == 1


def test_several_workers_share_the_load_and_are_told_of_as_one(home: Path, tmp_path: Path):
    patient = {"ETALAGE_SERVICE_READY_TIMEOUT": "120"}
    with supervised(home, tmp_path / "serve.log", "--workers", "2", **patient) as served:
        served.wait_for(f"release {OLD} is ready")
        before = queries_told(served.port)
        clients = crowd(served.port)
        until(lambda: min(shared_out(served).values(), default=0) > 0 and len(shared_out(served)) == 2, served.says)
        one, other = served.workers()
        os.kill(one, signal.SIGKILL)  # what it had accepted is lost with it, and only that
        until(lambda: other in served.workers() and len(served.workers()) == 2, served.says)
        served.wait_for("is open", times=3)
        second = crowd(served.port)
        until(lambda: all(client.answers for client in second))
        served.promote(NEW)
        served.wait_for(f"release {OLD} has drained", times=2)
        until(lambda: {client.answers[-1].release for client in second} == {NEW})
        for client in (*clients, *second):
            client.end()

        assert [client.lost for client in second] == [[]] * len(second)
        assert {answer.status for client in (*clients, *second) for answer in client.answers} == {200}
        answered = sum(len(client.answers) for client in (*clients, *second))
        counted = queries_told(served.port) - before
        assert answered <= counted <= answered + sum(len(client.lost) for client in clients)
        assert len(served.workers()) == 2 and set(served.workers()).isdisjoint({one, other})
        served.roll_back()
        served.wait_for(f"release {NEW} has drained", times=2)


def queries_told(port: int) -> int:
    """Queries that were answered, as /metrics of whichever worker is asked tells them."""
    connection = connected(port)
    connection.request("GET", "/metrics")
    page = connection.getresponse().read().decode()
    connection.close()
    told = re.findall(r'^etalage_queries_total\{.*status="200".*\} (\S+)$', page, re.MULTILINE)
    return round(sum(map(float, told)))


def shared_out(served: Supervised) -> dict[int, int]:
    """Worker -> how many clients are connected to it, of those that have any."""
    return {pid: accepted for pid in served.workers() if (accepted := sockets_of(pid, served.port))}


def sockets_of(pid: int, port: int) -> int:
    """How many connections to `port` the process holds."""
    own = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            own.add(str(link.readlink()))
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "01" and f"socket:[{row[9]}]" in own for row in rows)


def connected(port: int) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.connect()
    return connection


def half(connection: http.client.HTTPConnection) -> None:
    """Send a request but for the end of its body."""
    connection.putrequest("POST", "/search")
    connection.putheader("content-type", "application/json")
    connection.putheader("content-length", str(len(QUERY)))
    connection.endheaders(QUERY[:10].encode())


def test_told_to_end_it_answers_whoever_was_connected_and_then_ends_with_0(home: Path, tmp_path: Path):
    patient = {"ETALAGE_SERVICE_KEEP_ALIVE": "60", "ETALAGE_SERVICE_DRAIN_TIMEOUT": "60"}
    with supervised(home, tmp_path / "serve.log", "--release", OLD, **patient) as served:
        make_champion(home, NEW)  # a release that was named is kept
        (worker,) = served.workers()
        idle, silent, slow = [connected(served.port) for _ in range(3)], [], []
        for connection in idle:
            assert not ask(connection).closing
        silent, slow = connected(served.port), connected(served.port)
        half(slow)
        load = crowd(served.port)
        until(lambda: all(client.answers for client in load))
        os.kill(worker, signal.SIGSTOP)
        waiting = [connected(served.port) for _ in range(10)]  # in the kernel: nobody accepts them
        for connection in waiting:
            connection.request("POST", "/search", QUERY, {"content-type": "application/json"})
        told = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        served.wait_for("nothing is accepted any more")
        os.kill(worker, signal.SIGCONT)

        slow.send(QUERY[10:].encode())
        answers = [answer_of(connection.getresponse()) for connection in (*waiting, slow)]
        time.sleep(1)  # uvicorn alone would have closed the idle ones by now
        answers += [ask(connection) for connection in (*idle, silent)]
        assert {(answer.status, answer.release, answer.closing) for answer in answers} == {(200, OLD, True)}
        assert served.process.wait(60) == 0, served.says()
        for client in load:
            client.end()
            assert [lost for lost in client.lost if lost[0] < told] == []
        assert not runs(worker)
        assert refused(served.port)
        make_champion(home, OLD)


def refused(port: int) -> bool:
    """Whether nobody listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_supervisor_that_is_killed_leaves_no_worker_behind(home: Path, tmp_path: Path):
    with supervised(home, tmp_path / "serve.log") as served:
        (worker,) = served.workers()
        connection = connected(served.port)
        half(connection)
        served.process.kill()
        served.process.wait()
        connection.send(QUERY[10:].encode())
        assert answer_of(connection.getresponse()).release == OLD
        until(lambda: not runs(worker))
        assert refused(served.port)


def test_a_second_signal_ends_at_once(home: Path, tmp_path: Path):
    with supervised(home, tmp_path / "serve.log") as served:
        (worker,) = served.workers()
        connection = connected(served.port)
        half(connection)  # would be waited for
        served.process.send_signal(signal.SIGINT)
        until(lambda: refused(served.port))
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(30) == 128 + signal.SIGINT
        assert not runs(worker)


def test_a_worker_alone_as_in_a_container_drains_too(home: Path, tmp_path: Path):
    port, log = free_port(), tmp_path / "worker.log"
    _, folder, environment = worker_command(f"etalage:{OLD}", home, 0, 0)
    command = [sys.executable, "-m", "bento.process.worker", f"127.0.0.1:{port}"]
    environment |= {"ETALAGE_SERVICE_KEEP_ALIVE": "60", "ETALAGE_SERVICE_PATIENCE": "1e6"}
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out)
    try:
        until(lambda: process.poll() is not None or '"release r20261121-1 is open"' in log.read_text(), log.read_text)
        idle, slow = connected(port), connected(port)
        assert not ask(idle).closing
        half(slow)
        process.send_signal(signal.SIGTERM)
        until(lambda: refused(port))
        slow.send(QUERY[10:].encode())
        time.sleep(1)  # uvicorn alone would have closed the idle one by now
        answers = [answer_of(slow.getresponse()), ask(idle)]
        assert [(answer.status, answer.closing) for answer in answers] == [(200, True)] * 2
        assert process.wait(60) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def test_a_worker_sees_the_address_of_the_socket_it_is_handed_and_is_not_ready_for_strangers(home: Path):
    async def reason(host: str) -> str:
        with socket.socket() as listener:
            listener.bind((host, 0))  # and nobody ever listens on it
            worker = await start_worker(OLD, home, listener, lambda: None)
            while worker.ended is None and not worker.ready and "API keys" not in worker.reason:
                await asyncio.sleep(0.05)
            worker.kill()
            await worker.gone()
            return "ready" if worker.ready else worker.reason

    assert "strangers reach and has no API keys" in asyncio.run(reason("0.0.0.0"))
    assert asyncio.run(reason("127.0.0.1")) == "ready"


def serve(home: Path, *options: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "flows", "serve", *options]
    environment = {**os.environ, "ETALAGE_HOME": str(home)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stderr


def test_what_cannot_be_served_is_one_sentence(home: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert serve(home, "--port", port) == (4, f"Port {port} of 127.0.0.1 is in use: choose another one.\n")
    code, said = serve(home, "--release", "r1999")
    assert code == 3 and said.startswith("There is no release 'r1999'") and said.count("\n") == 1
    code, said = serve(home, "--host", "0.0.0.0")
    assert code == 2 and said.startswith("Strangers reach 0.0.0.0") and said.count("\n") == 1
