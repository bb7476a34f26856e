"""What each stage of one `dvc repro` took, told from DVC's own lines as they come.

    clock = StageClock(process.pid)
    clock.hear(chunk)             # for every piece of output
    clock.close()                 # before the process is waited for; tuple[StageTime, ...]

Time by the clock is from one stage's first line to the next one's, so DVC's hashing of what a stage wrote is in it.
Processor time is the kernel's, of all that DVC started and waited for in between. Memory is seen twice a second.
"""

import re
import threading
import time
from dataclasses import dataclass

import psutil

BETWEEN = 0.5  # seconds from one look at the memory to the next
MIB = 2**20
_BEGINS = re.compile(rb"Running stage '([^']+)':")
_LINE = re.compile(rb"(?:Running stage|Stage) '[^']+'")
_ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\r")


@dataclass(frozen=True)
class StageTime:
    """One stage that ran. `peak_mb`: the most that its processes held together; None where they were never seen."""

    stage: str
    seconds: float
    processor_seconds: float
    peak_mb: float | None


class StageClock:
    """Listens to one DVC, whose process has this id."""

    def __init__(self, pid: int) -> None:
        self._dvc = pid
        self._unfinished = b""
        self._stage: str | None = None
        self._began = (0.0, 0.0)
        self._peak = 0
        self._took: list[StageTime] = []
        self._done = threading.Event()
        self._looking = threading.Thread(target=self._look, name="stage-clock", daemon=True)
        self._looking.start()

    @property
    def peak_mb(self) -> float:
        """The most memory that the stage which runs now was seen with, so far."""
        return self._peak / MIB

    def hear(self, chunk: bytes) -> None:
        """A piece of DVC's output; a line may come in two."""
        *lines, self._unfinished = (self._unfinished + chunk).split(b"\n")
        for line in lines:
            said = _ESCAPES.sub(b"", line)
            if _LINE.match(said):
                self._end()
            if begins := _BEGINS.match(said):
                self._stage = begins.group(1).decode()
                self._peak = 0
                self._began = (time.monotonic(), self._waited_for())

    def close(self) -> tuple[StageTime, ...]:
        """DVC has said its last: what each stage took, in the order they ran."""
        self._end()
        self._done.set()
        self._looking.join()
        return tuple(self._took)

    def _end(self) -> None:
        if self._stage is not None:
            began, spent = self._began
            peak = self._peak / MIB if self._peak else None
            seconds, processor = time.monotonic() - began, max(0.0, self._waited_for() - spent)
            self._took.append(StageTime(self._stage, seconds, processor, peak))
            self._stage = None

    def _waited_for(self) -> float:
        """Processor seconds of all children that DVC has waited for, and of theirs."""
        try:
            times = psutil.Process(self._dvc).cpu_times()
        except psutil.Error:
            return 0.0
        return float(times.children_user + times.children_system)

    def _look(self) -> None:
        while not self._done.wait(BETWEEN):
            if self._stage is not None:
                self._peak = max(self._peak, _resident(self._dvc))


def _resident(pid: int) -> int:
    """Bytes of memory that the descendants of `pid` hold now."""
    total = 0
    try:
        for child in psutil.Process(pid).children(recursive=True):
            try:
                total += child.memory_info().rss
            except psutil.Error:  # it ended while it was looked at
                continue
    except psutil.Error:
        return total
    return total
