"""One point: copy a world, kill its command there, run the command again, and look at what is left."""

import json
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tests.recovery.killing import Ran, Seam
from tests.recovery.phases import MARKS, Point
from tests.recovery.service import Asker, serving, wrong_answers
from tests.recovery.state import differences
from tests.recovery.worlds import Atlas, World

TRIES = 3
EARLY = "it ended before it was killed, with exit"


@dataclass(frozen=True)
class Outcome:
    """What became of one point or event. `wrong` is empty where all is as it would have been."""

    name: str
    where: str
    again: str
    answers: int
    wrong: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether it ended as an undisturbed run."""
        return not self.wrong

    def line(self) -> str:
        """One line of the report."""
        result = "state equal" if self.passed else f"NOT EQUAL: {'; '.join(self.wrong[:3])}"
        return f"{self.name} | {self.where} | {self.again} | {self.answers} answers | {result}"

    def save(self, path: Path) -> None:
        """Keep it, so that a harness that was stopped goes on after it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=2), encoding="utf-8")


def load_outcome(path: Path) -> Outcome | None:
    """What `save` wrote; None where there is nothing."""
    if not path.is_file():
        return None
    told = json.loads(path.read_text(encoding="utf-8"))
    return Outcome(told["name"], told["where"], told["again"], told["answers"], tuple(told["wrong"]))


def try_point(atlas: Atlas, point: Point) -> Outcome:
    """Kill where `point` says, run again, compare. A phase that was over sooner than usual is tried again, earlier."""
    outcome = _try(atlas, point)
    for _ in range(TRIES - 1):
        if not outcome.wrong or not outcome.wrong[0].startswith(EARLY) or isinstance(point.trigger, Seam):
            break
        point = replace(point, trigger=round(point.trigger / 2, 3))
        outcome = _try(atlas, point)
    return outcome


def _try(atlas: Atlas, point: Point) -> Outcome:
    phase = point.phase
    name = f"{point.number:02d} seed {point.seed} {phase.name}"
    world = atlas.start(phase.start, atlas.into / "points" / f"{point.number:02d}", phase.command)
    arguments = atlas.command(phase.command)
    with Watched(atlas, world, phase.complete) as watched:
        killed = _killed(atlas, world, point, arguments)
        if killed.code is not None:
            return Outcome(name, f"{_place(point)}", told_again(killed), watched.count, (f"{EARLY} {killed.code}",))
        again = world.run("again.log", *arguments)
        wrong = [*settled(again), *watched.end()]
    where = f"killed {_place(point)} ({_reached(killed)}) at {killed.at}"
    wrong += compare(atlas, world, phase.end)
    return finish(world, Outcome(name, where, told_again(again), watched.count, tuple(wrong)))


def finish(world: World, outcome: Outcome) -> Outcome:
    """Remove the world of an outcome that is good; one that is not stays to be looked at."""
    if outcome.passed:
        shutil.rmtree(world.workspace)
    return outcome


def settled(again: Ran) -> list[str]:
    """What is wrong with the run after the kill."""
    return [] if again.code == 0 else [f"run again it ended with exit {again.code}: {told_again(again)}"]


def told_again(again: Ran) -> str:
    """The sentence with which the second run ended."""
    lines = [line.strip() for line in again.log.splitlines() if line.strip()]
    said = [line for line in lines if line.endswith(".") and " | " not in line]
    sentence = (said or lines or ["it said nothing"])[-1][:140]
    return f"run again: exit {again.code} in {again.milliseconds / 1000:.0f} s, {sentence}"


def compare(atlas: Atlas, world: World, end: str) -> list[str]:
    """What differs from the world `end` once `etalage gc` has run."""
    wrong = []
    if (world.home / "champion.json").is_file():
        collected = world.run("gc.log", "gc")
        wrong += [] if collected.code == 0 else [f"gc ended with exit {collected.code}: {collected.log[-300:]}"]
    return [*wrong, *differences(atlas.end(end).state, world.state())]


class Watched:
    """A service over `world` that is asked all the while; nothing is asked of a world without a champion."""

    def __init__(self, atlas: Atlas, world: World, complete: tuple[str, ...], **variables: str) -> None:
        self._states = [atlas.end(name).answers for name in complete]
        self._world, self._variables = world, variables
        self._stack = ExitStack()
        self._asker: Asker | None = None

    def __enter__(self) -> "Watched":
        if (self._world.home / "champion.json").is_file():
            environment: Mapping[str, str] = self._world.environment(**self._variables)
            port = self._stack.enter_context(serving(self._world.home, self._world.folder / "serve.log", environment))
            self._asker = Asker(port)
            self._asker.wait_for(self._states[0])
        return self

    def __exit__(self, *_: object) -> None:
        if self._asker is not None:
            self._asker.end()
        self._stack.close()

    def end(self) -> list[str]:
        """Wait until the last state answers, and stop asking. What was wrong with the answers."""
        if self._asker is None:
            return []
        came = self._asker.wait_for(self._states[-1])
        self._asker.end()
        wrong = wrong_answers(self._asker.answers, self._states)
        wrong += [f"a request was lost: {lost}" for lost in self._asker.lost]
        return wrong if came else [*wrong, "the service never came to the last state"]

    @property
    def count(self) -> int:
        """Answers so far."""
        return 0 if self._asker is None else len(self._asker.answers)


def _killed(atlas: Atlas, world: World, point: Point, arguments: list[str]) -> Ran:
    if isinstance(point.trigger, Seam):
        return world.start("killed.log", *arguments, seam=point.trigger).wait()
    after = point.after(_timeline(atlas, point))
    return world.start("killed.log", *arguments).kill_after(after)


def _timeline(atlas: Atlas, point: Point) -> Mapping[str, float]:
    return atlas.end(point.phase.end).timeline


def _place(point: Point) -> str:
    if isinstance(point.trigger, Seam):
        seam = point.trigger
        return f"{seam.more} operations and {seam.milliseconds} ms after `{seam.pattern}`"
    return f"at {point.trigger:.0%} of the phase"


def _reached(killed: Ran) -> str:
    """The last mark in the log."""
    seen = [
        (found[-1].start(), mark) for mark, pattern in MARKS.items() if (found := list(pattern.finditer(killed.log)))
    ]
    return f"last mark: {max(seen)[1]}" if seen else "before any mark"
