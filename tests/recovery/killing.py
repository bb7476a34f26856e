"""A command of a workspace, killed with all its children: some time after a mark in its log, or at a seam."""

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SEAMS = Path(__file__).with_name("seams")
OWN = "ETALAGE_RECOVERY"
"""Variable by which every process of a command is found again, in whatever process group it is by then."""
_LOOK = 0.01  # seconds
_LONGEST = 3600.0  # seconds; with several other jobs on its cores a retrain of seconds takes many minutes


@dataclass(frozen=True)
class After:
    """So many seconds after the log matches `mark` for the n-th time."""

    mark: str
    seconds: float
    times: int = 1


@dataclass(frozen=True)
class Seam:
    """At the n-th file operation that `pattern` matches, `more` operations and some ms later (seams/)."""

    pattern: str
    times: int = 1
    more: int = 0
    milliseconds: int = 0


@dataclass(frozen=True)
class Ran:
    """A command that ended by itself (`code`) or was killed (None). `at` is when, in ms, or which operation it was."""

    code: int | None
    log: str
    milliseconds: int
    at: str = ""


class Command:
    """One running `etalage` command, with a log and a mark in the environment of all its processes."""

    def __init__(
        self, folder: Path, environment: dict[str, str], log: Path, *arguments: str, seam: Seam | None = None
    ) -> None:
        self.log = log
        self._hit = log.with_suffix(".seam")
        self._mark = uuid.uuid4().hex
        own = {OWN: self._mark}
        if seam is not None:
            own["ETALAGE_SEAM"] = f"{seam.pattern};{seam.times};{seam.more};{seam.milliseconds}"
            own |= {"ETALAGE_SEAM_HIT": str(self._hit), "PYTHONPATH": str(SEAMS)}
        self.started = time.monotonic()
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flows", *arguments],
                cwd=folder,
                env={**environment, **own},
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def says(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace")

    def wait(self) -> Ran:
        """To its end. What it left running is ended too, as a container would."""
        try:
            code = self.process.wait(_LONGEST)
        finally:
            self.kill()
        return Ran(code if code >= 0 else None, self.says(), self._since(), self._operation())

    def wait_until(self, reached: Callable[[str], bool]) -> bool:
        """Until `reached` is true of its log; False where it ended before."""
        deadline = time.monotonic() + _LONGEST
        while not reached(self.says()):
            if self.process.poll() is not None:
                return False
            assert time.monotonic() < deadline, f"it never got there: {self.says()[-3000:]}"
            time.sleep(_LOOK)
        return True

    def kill_after(self, point: After) -> Ran:
        """Kill it as `point` says. It ended by itself where that came first."""
        if self.wait_until(lambda said: len(re.findall(point.mark, said)) >= point.times):
            end = time.monotonic() + point.seconds
            while time.monotonic() < end and self.process.poll() is None:
                time.sleep(_LOOK)
        ended = self.process.poll()
        since = self._since()
        self.kill()
        return Ran(ended, self.says(), since, f"{since} ms")

    def kill(self) -> None:
        """SIGKILL to the process group, and to every process of this command that left it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        while left := marked(self._mark):
            for pid in left:
                _kill(pid)
            time.sleep(_LOOK)
        self.process.wait()

    def _since(self) -> int:
        return round(1000 * (time.monotonic() - self.started))

    def _operation(self) -> str:
        return self._hit.read_text() if self._hit.exists() else ""


def marked(mark: str) -> list[int]:
    """Processes with `mark` in their environment that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            has = mark.encode() in path.read_bytes()
            state = (path.parent / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:  # it ended meanwhile
            continue
        if has and state != "Z":
            found.append(int(path.parent.name))
    return found


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
