"""One planted fault: what is planted, what a user would run then, and which check has to stop it, saying what.

A fault that is stopped by something else, or with another sentence, counts as missed.
"""

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.faults.workspace import Workspace, copied
from catalog.errors import EtalageError
from flows.errors import BROKEN, BUSY, REFUSED

__all__ = ["BROKEN", "BUSY", "REFUSED", "Fault", "Outcome", "PlantedNothing", "edit", "run"]

Commands = tuple[tuple[str, ...], ...]
SHOP = "{shop}"  # stands for the shop's folder in a command
RETRAIN: Commands = (("ingest", SHOP), ("retrain",))
REFRESH: Commands = (("ingest", SHOP), ("refresh",))


class PlantedNothing(EtalageError):
    """The place that a fault was to be planted in is not there any more."""


@dataclass(frozen=True)
class Fault:
    """`stops`: the gate's rule, or the error, that is to stop it. `says`: a pattern in its sentence."""

    name: str
    plant: Callable[[Workspace], None]
    stops: str
    says: str
    code: int = REFUSED
    commands: Commands = (("retrain",),)


@dataclass(frozen=True)
class Outcome:
    """What became of a fault. `stopped`: by its own check, for its own reason."""

    fault: str
    stopped: bool
    command: str
    code: int
    by: str
    sentence: str
    seconds: float


def run(fault: Fault, world: Workspace, folder: Path) -> Outcome:
    """Plant `fault` in a copy of `world` in `folder`, and run its commands until one does not end well."""
    started = time.monotonic()
    own = copied(world, folder)
    (own.work / "reports" / "gate.json").unlink(missing_ok=True)  # it is the champion's
    fault.plant(own)
    arguments: Sequence[str] = ()
    for command in fault.commands:
        arguments = [str(own.shop) if word == SHOP else word for word in command]
        done = own.etalage(*arguments)
        if done.code:
            break
    (folder / "output.log").write_text(done.output, encoding="utf-8")
    by, sentence = _reason(fault, own, done.output)
    shown = "etalage " + " ".join(word if not word.startswith("/") else "SHOP" for word in arguments)
    right = done.code == fault.code and by == fault.stops and re.search(fault.says, sentence) is not None
    return Outcome(fault.name, right, shown, done.code, by, sentence, round(time.monotonic() - started, 1))


def _reason(fault: Fault, world: Workspace, output: str) -> tuple[str, str]:
    """Who refused, and the sentence: of the gates the expected rule's where it is among them, else the first."""
    report = world.work / "reports" / "gate.json"
    if report.is_file():
        decision = json.loads(report.read_text(encoding="utf-8"))["decision"]
        failed = [reason for reason in decision["reasons"] if reason["outcome"] == "failed"]
        failed.sort(key=lambda reason: reason["rule"] != fault.stops)
        if failed:
            return failed[0]["rule"], failed[0]["sentence"]
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = next((line for line in reversed(lines) if re.search(fault.says, line)), None)
    if told is not None:
        return fault.stops, told
    return "nothing" if not lines else "another check", lines[-1] if lines else ""


def edit(path: str, old: str, new: str) -> Callable[[Workspace], None]:
    """A fault in the code: `old`, which stands once in the file, becomes `new`.

    The file is the workspace's own copy: DVC sees that it changed, as after a bad commit.
    """

    def plant(world: Workspace) -> None:
        file = world.work / path
        text = file.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise PlantedNothing(f"{path} holds {old!r} {text.count(old)} times, and not once.")
        file.write_text(text.replace(old, new), encoding="utf-8")

    plant.edits = (path, old, new)  # type: ignore[attr-defined]
    return plant
