"""The training loop. It knows neither model nor loss: a Task gives it batches, a loss and a score.

One loop for CPU and CUDA: AdamW with parameter groups, warm-up and cosine, gradient accumulation and clipping,
bfloat16 autocast, an optional moving average of the weights, early stopping on the score, a checkpoint every epoch
and every few seconds, from which it goes on exactly.
"""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from catalog.errors import EtalageError
from models.progress import Display, Position, summary
from models.training.checkpoint import Checkpoint, State, random_state, restore_random_state
from models.training.weights import Average, Weights, changing, copy_of, restore

SCORE = "score"  # the name of the number early stopping watches; higher is better
Row = dict[str, float | int]


class TrainingDiverged(EtalageError):
    """A loss or gradient is no longer a finite number."""


class Step(NamedTuple):
    """What one batch gave: the loss to descend, its parts for the curves, and how many samples it held."""

    loss: Tensor
    parts: Mapping[str, Tensor]
    samples: int


class Task(Protocol):
    """What is trained, as the loop sees it."""

    module: nn.Module  # all that learns, on the device already
    steps: int  # batches in every epoch

    def begin(self, epoch: int) -> None:
        """Called before the first batch of an epoch, with the module in evaluation mode, and not again when training
        goes on in its middle: what it finds out for the batches must be in `state`. Draws nothing at random."""

    def state(self) -> State:
        """What batches depend on beside epoch and start, as plain values and tensors, for a checkpoint."""

    def restore(self, state: State) -> None:
        """The inverse of `state`."""

    def parameter_groups(self) -> list[dict[str, Any]]:
        """For AdamW: `params` and `lr` of each group, `weight_decay` where it differs."""

    def batches(self, epoch: int, start: int) -> Iterator[Any]:
        """Batches start, start + 1, ... of an epoch: the same ones every time it is asked, in the same state. Draws
        nothing from the global random generators."""

    def step(self, batch: Any) -> Step:
        """Loss of one batch."""

    def updated(self) -> None:
        """Called after every update of the weights."""

    def score(self) -> Mapping[str, float]:
        """Validation numbers, SCORE among them; without SCORE the last weights are kept. Draws nothing at random."""


@dataclass(frozen=True)
class Plan:
    """How to train. See TrainParams for the fields of the same name."""

    epochs: int
    device: torch.device
    accumulate: int = 1
    warmup_fraction: float = 0.05
    gradient_clip: float = 1.0
    weight_decay: float = 0.05
    average: float = 0.0
    patience: int = 4
    restarts: tuple[int, ...] = ()  # epochs at which the learning rate starts anew
    patient_until: int = 0  # epochs before this one never end training: parts of the model still rest
    bf16: bool = False
    checkpoint_seconds: float = 60.0


@dataclass(frozen=True)
class Outcome:
    """What a finished training was like. `seconds` counts all runs of a resumed training, up to its checkpoints."""

    history: list[Row]
    best_score: float | None
    best_epoch: int | None  # from 1
    samples: int
    seconds: float
    stopped_early: bool


def learning_rate_factor(update: int, updates: int, warmup_fraction: float) -> float:
    """Share of the full learning rate at `update` (from 0) of `updates`: up in a line, then half a cosine to 0."""
    warmup = round(updates * warmup_fraction)
    if update < warmup:
        return (update + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (update - warmup) / max(1, updates - warmup)))


def fit(task: Task, plan: Plan, checkpoint: Checkpoint, display: Display) -> Outcome:
    """Train `task.module` from its checkpoint or from the start, and leave the best weights in it.

    Raises TrainingDiverged when a loss, a gradient or a weight is no longer finite; the last checkpoint, in which all
    were, is still on disk.
    """
    run = _Run(task, plan, display)
    saved = checkpoint.load()
    if saved is not None:
        run.restore(saved)
        display.say(f"Training goes on from epoch {run.epoch + 1}, batch {run.index + 1}.")
    saved_at = time.monotonic()
    while run.epoch < plan.epochs and not run.out_of_patience():
        if run.index == 0:
            run.begin_epoch()
        for batch in task.batches(run.epoch, run.index):
            run.learn(batch)
            if run.between_updates() and time.monotonic() - saved_at >= plan.checkpoint_seconds:
                run.save(checkpoint)
                saved_at = time.monotonic()
        run.end_epoch()
        run.save(checkpoint)
        saved_at = time.monotonic()
    return run.finish()


class _Run:
    """Everything that changes while training runs, and so everything a checkpoint holds."""

    def __init__(self, task: Task, plan: Plan, display: Display) -> None:
        self.task, self.plan, self.display = task, plan, display
        self.optimizer = torch.optim.AdamW(task.parameter_groups(), weight_decay=plan.weight_decay)
        self.full_rates = [group["lr"] for group in self.optimizer.param_groups]
        self.parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        self.average = Average(task.module, plan.average) if plan.average else None
        self.updates = plan.epochs * math.ceil(task.steps / plan.accumulate)
        self.epoch = self.index = self.update = self.samples = 0
        self.sums: dict[str, float] = {}
        self.history: list[Row] = []
        self.best: Weights = {}
        self.best_score: float | None = None
        self.best_epoch: int | None = None
        self.seconds = 0.0
        self.started = time.monotonic()
        self.samples_before = self.saved_update = 0
        task.module.train()

    def begin_epoch(self) -> None:
        """Let the task look at the model as it is."""
        with self._looking_on():
            self.task.begin(self.epoch)

    def learn(self, batch: Any) -> None:
        """One batch forward and backward; an update after every `accumulate` batches and at the end of the epoch."""
        with torch.autocast(self.plan.device.type, torch.bfloat16, enabled=self.plan.bf16):
            step = self.task.step(batch)
        loss = step.loss.item()
        if not math.isfinite(loss):
            raise self._diverged(f"the loss is {loss}", self.update + 1)
        group_start = self.index - self.index % self.plan.accumulate
        scaled = step.loss / min(self.plan.accumulate, self.task.steps - group_start)
        scaled.backward()  # type: ignore[no-untyped-call]
        self.index += 1
        self.samples += step.samples
        for name, value in {"loss": loss, **{name: part.item() for name, part in step.parts.items()}}.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
            self.sums["n " + name] = self.sums.get("n " + name, 0.0) + 1
        if self.between_updates():
            self._update()
        speed = (self.samples - self.samples_before) / max(1e-9, time.monotonic() - self.started)
        what = f"epoch {self.epoch + 1} of {self.plan.epochs}"
        self.display.show(Position(what, self.index, self.task.steps, speed, loss))

    def between_updates(self) -> bool:
        """No gradient waits for more batches: the moment at which a checkpoint can be taken."""
        return self.index % self.plan.accumulate == 0 or self.index == self.task.steps

    def _update(self) -> None:
        factor = learning_rate_factor(*self._in_schedule(), self.plan.warmup_fraction)
        for group, rate in zip(self.optimizer.param_groups, self.full_rates, strict=True):
            group["lr"] = rate * factor
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.plan.gradient_clip).item()
        if not math.isfinite(norm):
            raise self._diverged(f"the gradient's norm is {norm}", self.update + 1)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.update += 1
        self.task.updated()
        if self.average is not None:
            self.average.follow(self.update)

    def _in_schedule(self) -> tuple[int, int]:
        """The update's number since the learning rate last started, and how many there are until it does again."""
        per_epoch = self.updates // self.plan.epochs
        starts = [0, *self.plan.restarts, self.plan.epochs]
        first = max(start for start in starts if start <= self.epoch)
        last = min(start for start in starts if start > self.epoch)
        return self.update - first * per_epoch, (last - first) * per_epoch

    def end_epoch(self) -> None:
        """Score, remember the best weights, write the row of history."""
        with self._scored_weights():
            with self._looking_on():
                scores = dict(self.task.score())
            score = scores.get(SCORE)
            if score is None or self.best_score is None or score > self.best_score:
                self.best_score, self.best_epoch = score, self.epoch + 1
                self.best = copy_of(changing(self.task.module))
        means = {name: total / self.sums["n " + name] for name, total in self.sums.items() if not name.startswith("n ")}
        row: Row = {"epoch": self.epoch + 1, "update": self.update, **means, **scores}
        self.history.append(row)
        self.display.say(summary(row))
        self.epoch, self.index, self.sums = self.epoch + 1, 0, {}

    def out_of_patience(self) -> bool:
        """Whether the score has not got better for `patience` epochs."""
        since = max(self.best_epoch or 0, self.plan.patient_until)
        return self.best_score is not None and self.epoch - since >= self.plan.patience

    def finish(self) -> Outcome:
        """Put the best weights into the module."""
        restore(self.task.module, self.best)
        self.task.module.eval()
        early = self.epoch < self.plan.epochs
        return Outcome(self.history, self.best_score, self.best_epoch, self.samples, self._seconds(), early)

    def save(self, checkpoint: Checkpoint) -> None:
        """Keep all of it, if it is worth keeping."""
        for name, tensor in changing(self.task.module).items():
            if not torch.isfinite(tensor).all():
                raise self._diverged(f"{name} is no longer finite", self.update)
        checkpoint.save(self.state())
        self.saved_update = self.update

    def state(self) -> State:
        """All of it, for a checkpoint."""
        return {
            "epoch": self.epoch, "index": self.index, "update": self.update, "samples": self.samples,
            "sums": self.sums, "history": self.history, "seconds": self._seconds(),
            "weights": changing(self.task.module),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.weights if self.average is not None else {},
            "best": self.best, "best_score": self.best_score, "best_epoch": self.best_epoch,
            "random": random_state(), "task": self.task.state(),
        }  # fmt: skip

    def restore(self, state: State) -> None:
        """The inverse of `state`."""
        for name in ("epoch", "index", "update", "samples", "sums", "history", "seconds", "best_score", "best_epoch"):
            setattr(self, name, state[name])
        self.samples_before, self.saved_update = self.samples, self.update
        restore(self.task.module, state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.task.restore(state["task"])
        self.best = state["best"]
        if self.average is not None:
            self.average.restore(state["average"])
        restore_random_state(state["random"])

    @contextmanager
    def _looking_on(self) -> Iterator[None]:
        """Inside, nothing learns."""
        self.task.module.eval()
        with torch.no_grad(), torch.autocast(self.plan.device.type, torch.bfloat16, enabled=self.plan.bf16):
            yield
        self.task.module.train()

    def _scored_weights(self) -> AbstractContextManager[None]:
        return self.average.in_place() if self.average is not None else nullcontext()

    def _seconds(self) -> float:
        return self.seconds + time.monotonic() - self.started

    def _diverged(self, reason: str, update: int) -> TrainingDiverged:
        rate = self.optimizer.param_groups[0]["lr"]
        epoch = (update - 1) * self.plan.epochs // self.updates + 1
        kept = f"the checkpoint of update {self.saved_update} is kept" if self.saved_update else "nothing was kept yet"
        return TrainingDiverged(
            f"Training stopped at update {update}, in epoch {epoch}: {reason} (learning rate {rate:.2g}); {kept}. "
            "Lower train.learning_rate or train.backbone_learning_rate, or use train.precision: fp32."
        )
