"""A server in processes of its own: started, waited for until it is ready, measured as a tree, ended by its ids."""

import http.client
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from catalog.errors import NotReady

LONGEST_START = 120.0
LONGEST_END = 20.0
_PAUSE = 0.02


@dataclass(frozen=True)
class Started:
    """A server that answers. `start_seconds`: from its exec to the first 200."""

    port: int
    start_seconds: float
    process: psutil.Process

    def tree(self) -> list[psutil.Process]:
        """The process and all that it started."""
        return [self.process, *self.process.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """Processor time of the tree until now; the system counts in hundredths."""
        times = [process.cpu_times() for process in self.tree()]
        return float(sum(each.user + each.system for each in times))

    def rss_mb(self) -> float:
        """Resident memory of the tree; what processes share counts in each."""
        return float(sum(process.memory_info().rss for process in self.tree())) / 2**20

    def pss_mb(self) -> float:
        """The same with what is shared divided among those who share it (Linux)."""
        return float(sum(process.memory_full_info().pss for process in self.tree())) / 2**20


@contextmanager
def started(
    command: Sequence[str], environment: Mapping[str, str], port: int, ready: str, log: Path
) -> Iterator[Started]:
    """The server for this block. `ready` is the path that answers 200 once it serves; its output goes to `log`.

    Raises NotReady with the end of the log when it ends before, or is not ready in time.
    """
    at = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=dict(environment), stdout=out, stderr=out)
    try:
        while not _answers(port, ready):
            if process.poll() is not None or time.perf_counter() - at > LONGEST_START:
                lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                raise NotReady(f"{' '.join(command[:3])} did not become ready: {' / '.join(lines[-3:])}")
            time.sleep(_PAUSE)
        yield Started(port, time.perf_counter() - at, psutil.Process(process.pid))
    finally:
        _end(process)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the server to stop, then end what is left of the tree."""
    if process.poll() is not None:
        return
    children = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    try:
        process.wait(LONGEST_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _, left = psutil.wait_procs(children, timeout=1)
    for child in left:
        child.kill()
    psutil.wait_procs(left, timeout=LONGEST_END)
