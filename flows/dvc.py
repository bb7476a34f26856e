"""DVC by its command line: `python -m dvc repro <stage>`, add, status, push, pull, checkout.

A subprocess, not `dvc.repo`: DVC's lock is per process, so two threads of one process would run one stage twice.
What a stage decided is read from its report, never from DVC's exit code (always 255).
"""

import errno
import fcntl
import json
import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from catalog.errors import NotReady
from flows.damage import remove_damaged
from flows.errors import StageFailed, WorkspaceBusy
from flows.stage_clock import StageClock, StageTime

_RAN = re.compile(r"^Running stage '([^']+)':", re.MULTILINE)
_FROM_CACHE = re.compile(r"^Stage '([^']+)' is cached - skipping run", re.MULTILINE)
_UNCHANGED = re.compile(r"^Stage '([^']+)' didn't change, skipping", re.MULTILINE)
_FAILED = re.compile(r"failed to reproduce '([^']+)'")
_UNCAUGHT = re.compile(r"(?:\w+\.)+(?:Invalid\w+|TrainingDiverged): (.+)")  # of the exception tree; it did not break
_CUT = re.compile(r"dvc\.lock' (?:validation failed|is invalid)\.")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
_BUSY = ("is busy", "Unable to acquire lock", "Another DVC process")
_AS_IT_IS: Mapping[str, str] = MappingProxyType({})
ON_THE_CPU: Mapping[str, str] = MappingProxyType({"CUDA_VISIBLE_DEVICES": ""})
LOCK_FILE = Path("dvc.lock")
_LAST_CHARACTERS = 64_000  # of output kept for reading; all of it is shown


@dataclass(frozen=True)
class Reproduction:
    """What one `dvc repro` did; stage names in the order they were reached."""

    milestone: str
    ran: tuple[str, ...]
    from_cache: tuple[str, ...]
    unchanged: tuple[str, ...]
    failed: str | None = None
    refusal: str | None = None  # the sentence with which the failed stage refused; None where it broke
    took: tuple[StageTime, ...] = ()  # of each stage that ran, a failed one too

    def sentence(self) -> str:
        """Which stages ran and which were skipped, in one line."""
        parts = [f"ran {', '.join(self.ran)}"] if self.ran else []
        parts += [f"took {', '.join(self.from_cache)} from the cache"] if self.from_cache else []
        parts += [f"left {', '.join(self.unchanged)} as is"] if self.unchanged else []
        parts += [f"{self.failed} failed"] if self.failed else []
        return f"{self.milestone}: {'; '.join(parts) or 'nothing to do'}"


@dataclass(frozen=True)
class _Outcome:
    code: int
    output: str  # stdout and stderr together
    took: tuple[StageTime, ...] = ()


def reproduce(milestone: str, show: bool = True, anew: bool = False) -> Reproduction:
    """Bring stage `milestone` and everything before it up to date.

    With `anew` no stage is taken from the cache or put into it, and all run on the CPU.
    A failing stage is told in `.failed` (its report says whether that was a refusal). What comes out of the cache is
    compared with its hashes: a damaged object is removed, and its stage runs.
    Raises WorkspaceBusy when another DVC process holds the outputs and StageFailed when DVC itself fails.
    """
    done = _reproduce(milestone, show, anew)
    while done.from_cache and remove_damaged(locked_outputs(LOCK_FILE, done.from_cache), _objects()):
        done = _reproduce(milestone, show, anew)
    return done


def _reproduce(milestone: str, show: bool, anew: bool) -> Reproduction:
    options, environment = (("--no-run-cache", "--no-commit"), ON_THE_CPU) if anew else ((), {})
    outcome = _dvc("repro", *options, milestone, show=show, environment=environment)
    failed = _FAILED.search(outcome.output)
    if outcome.code and not failed:
        raise StageFailed(f"dvc repro {milestone} failed: {_last_error(outcome.output)}")
    return Reproduction(
        milestone=milestone,
        ran=tuple(_RAN.findall(outcome.output)),
        from_cache=tuple(_FROM_CACHE.findall(outcome.output)),
        unchanged=tuple(_UNCHANGED.findall(outcome.output)),
        failed=failed.group(1) if failed else None,
        took=outcome.took,
        refusal=_refusal(failed.group(1), outcome.output) if failed else None,
    )


def stale(milestone: str) -> dict[str, Any]:
    """What DVC would rebuild on the way to `milestone`, by stage; empty when all is up to date. Recomputes nothing."""
    outcome = _run("status", "--json", "--with-deps", milestone, show=False)
    if outcome.code and _CUT.search(outcome.output):
        return {LOCK_FILE.name: "cut short by a killed run"}
    if outcome.code:
        raise StageFailed(f"dvc status failed: {_last_error(outcome.output)}")
    answers = [line for line in outcome.output.splitlines() if line.startswith("{")]  # beside warnings, if any
    answer: dict[str, Any] = json.loads(answers[-1])
    return answer


def add(path: str) -> None:
    """Track `path`: hashes it into the cache and writes `<path>.dvc`."""
    _checked("add", path)


def checkout(path: str) -> None:
    """Bring back what the .dvc file `path` names, from the local cache.

    Raises StageFailed where the cache lacks it, or has it damaged; what is damaged is then gone.
    """
    _checked("checkout", "--force", path)
    outputs = yaml.safe_load(Path(path).read_text(encoding="utf-8"))["outs"]
    named = {(Path(path).parent / out["path"]).as_posix(): out["md5"] for out in outputs}
    if damaged := remove_damaged(named, _objects()):
        raise StageFailed(f"DVC's cache held {damaged[0]} damaged.")


def pull(path: str) -> None:
    """Bring back `path` as its .dvc file names it, from the remote. Raises NotReady when the remote lacks it."""
    outcome = _dvc("pull", path, show=False)
    if outcome.code:
        raise NotReady(f"dvc pull {path} failed: {_last_error(outcome.output)}")


def push() -> None:
    """Send what dvc.lock and data.dvc name to the default remote. Raises NotReady when the remote does not take it."""
    outcome = _dvc("push", show=False)
    if outcome.code:
        raise NotReady(f"dvc push failed: {_last_error(outcome.output)}")


def locked_outputs(lock_file: Path, only: Sequence[str] | None = None) -> dict[str, str]:
    """Path -> md5 of every output that dvc.lock names, or of those of the stages `only`; none without such a file."""
    if not lock_file.is_file():
        return {}
    stages = (yaml.safe_load(lock_file.read_text(encoding="utf-8")) or {}).get("stages", {})
    chosen = [stage for name, stage in stages.items() if only is None or name in only]
    return {out["path"]: out["md5"] for stage in chosen for out in stage.get("outs", [])}


def cache_folder() -> Path:
    """Where this workspace's DVC keeps contents."""
    outcome = _dvc("cache", "dir", show=False)
    if outcome.code:
        raise StageFailed(f"dvc cache dir failed: {_last_error(outcome.output)}")
    return Path(outcome.output.strip().splitlines()[-1])


def _objects() -> Path:
    return cache_folder() / "files" / "md5"


def set_cache(folder: Path) -> None:
    """Let this workspace, and only this clone of it, use another's cache; files are linked where that can be."""
    own = f'[cache]\n    dir = {folder.as_posix()}\n    type = "reflink,hardlink,copy"\n'
    Path(".dvc/config.local").write_text(own, encoding="utf-8")


def save_experiment(name: str, milestone: str, untracked: Sequence[str]) -> None:
    """Keep this workspace, whose stages have run up to `milestone`, as the experiment `name`; one of that name is
    replaced. Files that git does not track are kept where `untracked` names them."""
    included = [part for path in untracked for part in ("--include-untracked", path)]
    _checked("exp", "save", "--force", "--name", name, *included, milestone)


def _refusal(stage: str, output: str) -> str | None:
    """What stage `stage` said last: its own line, or that of a refusal nobody caught."""
    said = output[: output.rfind("ERROR: failed to reproduce")].strip().splitlines()
    last = said[-1].strip() if said else ""
    told = re.match(rf"{re.escape(stage)}: (?!stopped;)(.+)", last) or _UNCAUGHT.match(last)
    return told.group(1) if told else None


def _checked(*arguments: str) -> None:
    outcome = _dvc(*arguments, show=False)
    if outcome.code:
        raise StageFailed(f"dvc {' '.join(arguments)} failed: {_last_error(outcome.output)}")


def _dvc(*arguments: str, show: bool, environment: Mapping[str, str] = _AS_IT_IS) -> _Outcome:
    """`_run`, by one who holds the workspace: a dvc.lock that a kill cut short is removed, and the command run again.

    DVC writes it in place. What it said of stages that had ended is in DVC's run cache too, where `repro` finds it.
    """
    outcome = _run(*arguments, show=show, environment=environment)
    if outcome.code and _CUT.search(outcome.output):
        LOCK_FILE.unlink()
        outcome = _run(*arguments, show=show, environment=environment)
    return outcome


def _run(*arguments: str, show: bool, environment: Mapping[str, str] = _AS_IT_IS) -> _Outcome:
    """Run one DVC command; with `show`, pass its output on to stderr as it comes.

    On a terminal DVC and its stages get a terminal too, so that progress bars stay bars.
    """
    command = [sys.executable, "-m", "dvc", *arguments]
    if show and sys.stderr.isatty():
        reader, writer = pty.openpty()
        fcntl.ioctl(writer, termios.TIOCSWINSZ, fcntl.ioctl(sys.stderr, termios.TIOCGWINSZ, bytes(8)))
    else:
        reader, writer = os.pipe()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=writer,
        env={**os.environ, "PATH": _own_path(), **environment},
    )
    os.close(writer)
    kept, clock = bytearray(), StageClock(process.pid)
    try:
        while chunk := _read(reader):
            kept += chunk
            clock.hear(chunk)
            if len(kept) > 2 * _LAST_CHARACTERS:
                kept = _without_middle(kept)
            if show:
                sys.stderr.buffer.write(chunk)
                sys.stderr.buffer.flush()
    except BaseException:
        process.terminate()
        raise
    finally:
        os.close(reader)
        took = clock.close()
        code = process.wait()
    output = _ESCAPES.sub("", kept.decode("utf-8", errors="replace"))
    if code and any(sign in output for sign in _BUSY):
        raise WorkspaceBusy("Another run is working in this workspace (DVC says an output is busy): try again later.")
    return _Outcome(code, output, took)


def _own_path() -> str:
    """PATH with this Python's folder first: the stages say `python`, and must get the one that runs the flow."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def _read(reader: int) -> bytes:
    """The next bytes; none at the end, which a terminal tells by an input/output error."""
    try:
        return os.read(reader, 8192)
    except OSError as error:
        if error.errno == errno.EIO:
            return b""
        raise


def _without_middle(kept: bytearray) -> bytearray:
    """Long training output must not grow without end, and DVC's own lines must not be lost: keep those and the end."""
    head, tail = kept[:-_LAST_CHARACTERS], kept[-_LAST_CHARACTERS:]
    own = [line for line in head.split(b"\n") if line.startswith((b"Running stage", b"Stage '", b"ERROR"))]
    return bytearray(b"\n".join([*own, tail]))


def _last_error(output: str) -> str:
    errors = [line.removeprefix("ERROR:").strip() for line in output.splitlines() if line.startswith("ERROR:")]
    return errors[-1] if errors else (output.strip().splitlines() or ["it said nothing"])[-1]
