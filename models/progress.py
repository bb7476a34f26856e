"""What a person sees while training runs: a live bar on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

SECONDS_BETWEEN_LINES = 10.0


@dataclass(frozen=True)
class Position:
    """How far a piece of work is. `done` and `total` count batches or pictures; `per_second` counts samples."""

    what: str
    done: int
    total: int
    per_second: float = 0.0
    loss: float | None = None
    unit: str = "samples"

    def facts(self) -> str:
        """Loss and speed, as far as known: "loss 2.314, 412 samples/s"."""
        facts = [] if self.loss is None else [f"loss {self.loss:.3f}"]
        if self.per_second:
            facts.append(f"{self.per_second:,.0f} {self.unit}/s")
        return ", ".join(facts)


class Display(Protocol):
    """Shows positions and sentences. Used as a context manager."""

    def show(self, position: Position) -> None:
        """Called after every batch."""

    def say(self, sentence: str) -> None:
        """A line that stays."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""


class Lines:
    """For logs: a line every SECONDS_BETWEEN_LINES, with the time that is left."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream = stream or sys.stderr
        self.clock = clock
        self._what, self._since, self._done_then, self._last = "", 0.0, 0, 0.0

    def show(self, position: Position) -> None:
        """See Display."""
        now = self.clock()
        if position.what != self._what:
            self._what, self._since, self._done_then, self._last = position.what, now, position.done, now
        if now - self._last < SECONDS_BETWEEN_LINES:
            return
        self._last = now
        pace = (now - self._since) / max(1, position.done - self._done_then)
        left = f"{pace * (position.total - position.done):,.0f} s left"
        parts = [f"{position.what}: {position.done} of {position.total}", position.facts(), left]
        self.say(", ".join(part for part in parts if part))

    def say(self, sentence: str) -> None:
        """See Display."""
        print(sentence, file=self.stream, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to tidy."""


class Bar:
    """For a terminal: one live bar for the piece of work at hand."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[facts]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None, facts="", visible=False)
        self._what = ""

    def show(self, position: Position) -> None:
        """See Display."""
        if position.what != self._what:
            self._what = position.what
            self._bar.reset(self._task, description=position.what, total=position.total, visible=True, facts="")
        self._bar.update(self._task, completed=position.done, facts=position.facts())

    def say(self, sentence: str) -> None:
        """See Display."""
        self._bar.console.print(sentence, highlight=False, soft_wrap=True)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()


def display(stream: TextIO | None = None) -> Display:
    """A bar where `stream` (standard error) is a terminal, else lines."""
    stream = stream or sys.stderr
    return Bar(Console(file=stream)) if stream.isatty() else Lines(stream)


def follow(display: Display, what: str, steps: Iterable[int], total: int, unit: str) -> None:
    """Run through `steps`, each of which says how much it got done, and show how far of `total` that is."""
    start, done = time.monotonic(), 0
    for step in steps:
        done += step
        speed = done / max(1e-9, time.monotonic() - start)
        display.show(Position(what, done, total, speed, unit=unit))


def summary(row: Mapping[str, float | int]) -> str:
    """One line for one row of history, without the parts of the loss: "epoch 3: loss 2.31, score 0.412, ..."."""
    told = (f"{name} {value:.4g}" for name, value in row.items() if not name.startswith(("epoch", "update", "loss_")))
    return f"epoch {row['epoch']}: {', '.join(told)}"
