"""The loop on a task small enough to know the answer: fit a line."""

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from models.progress import Lines, Position, follow
from models.training.checkpoint import Checkpoint, RunKey
from models.training.curves import write_curves
from models.training.device import choose_bf16, choose_device
from models.training.loop import Outcome, Plan, Step, TrainingDiverged, fit, learning_rate_factor
from models.training.weights import Average, changing

KEY = RunKey("p", "d", "c")
PLAN = Plan(epochs=4, device=torch.device("cpu"), warmup_fraction=0.1, checkpoint_seconds=0.0)


class Killed(BaseException):
    """Stands for a process that ends here."""


class Line:
    """y = 2 x + 1 from noisy batches, with dropout so that the random state matters."""

    def __init__(self, steps: int = 6, scores: tuple[float, ...] = (), dropout: float = 0.3) -> None:
        torch.manual_seed(0)
        self.module: nn.Module = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 1))
        self.steps, self.scores, self.scored = steps, list(scores), 0
        self.die_after: int | None = None
        self.seen: list[tuple[int, int]] = []
        self.updates = 0
        self.shift: Tensor | None = None

    def begin(self, epoch: int) -> None:
        self.shift = self.module[0].bias.detach().clone() if epoch % 2 else None  # found out once, used all epoch

    def state(self) -> dict[str, Tensor | None]:
        return {"shift": self.shift}

    def restore(self, state: dict[str, Tensor | None]) -> None:
        self.shift = state["shift"]

    def parameter_groups(self) -> list[dict[str, object]]:
        return [{"params": list(self.module.parameters()), "lr": 0.01}]

    def batches(self, epoch: int, start: int) -> Iterator[tuple[Tensor, Tensor]]:
        for number in range(start, self.steps):
            x = torch.randn(5, 1, generator=torch.Generator().manual_seed(100 * epoch + number))
            self.seen.append((epoch, number))
            yield x + (0 if self.shift is None else self.shift.mean()), 2 * x + 1

    def step(self, batch: tuple[Tensor, Tensor]) -> Step:
        if self.die_after is not None and len(self.seen) > self.die_after:
            raise Killed
        loss = nn.functional.mse_loss(self.module(batch[0]), batch[1])
        return Step(loss, {"loss_squared": loss.detach()}, len(batch[0]))

    def updated(self) -> None:
        self.updates += 1

    def score(self) -> Mapping[str, float]:
        self.scored += 1
        if self.scores:
            return {"score": self.scores[self.scored - 1]}
        x = torch.linspace(-1, 1, 9)[:, None]
        return {"score": -nn.functional.mse_loss(self.module(x), 2 * x + 1).item()}


def run(task: Line, folder: Path, plan: Plan = PLAN) -> Outcome:
    return fit(task, plan, Checkpoint(folder, KEY, lambda sentence: None), Lines(open("/dev/null", "w")))  # noqa: PTH123


def weights(task: Line) -> list[list[float]]:
    return [tensor.flatten().tolist() for tensor in changing(task.module).values()]


def test_the_rate_warms_up_in_a_line_and_falls_along_a_cosine():
    factors = [learning_rate_factor(update, 12, 0.25) for update in range(12)]  # 3 updates of warm-up, 9 down
    assert factors[:4] == [1 / 3, 2 / 3, 1.0, 1.0]
    assert factors[3 + 3] == pytest.approx(0.5 * (1 + math.cos(math.pi / 3)))
    assert factors[3:] == sorted(factors[3:], reverse=True)
    assert 0 < factors[-1] < 0.05


def test_training_gets_better_and_leaves_the_best_weights(tmp_path):
    task = Line(steps=30)
    outcome = run(task, tmp_path, replace(PLAN, epochs=8))
    scores = [row["score"] for row in outcome.history]
    assert outcome.best_score == max(scores) > scores[0]
    assert task.score()["score"] == pytest.approx(outcome.best_score)
    assert outcome.samples == 8 * 30 * 5


@pytest.mark.parametrize("accumulate", [1, 4])
@pytest.mark.parametrize("average", [0.0, 0.9])
def test_killed_after_any_batch_it_ends_with_the_same_weights(tmp_path, accumulate, average):
    plan = replace(PLAN, accumulate=accumulate, average=average, epochs=3)
    whole = Line()
    expected = run(whole, tmp_path / "whole", plan)
    for die_after in range(1, 18, 2):
        folder = tmp_path / str(die_after)
        first = Line()
        first.die_after = die_after
        with pytest.raises(Killed):
            run(first, folder, plan)
        torch.manual_seed(999)  # a new process has another random state
        second = Line()
        outcome = run(second, folder, plan)
        assert weights(second) == weights(whole)
        assert outcome.history == expected.history
        assert len(second.seen) <= 18 - (die_after - accumulate) + 1  # nothing done is done again but the last update


def test_accumulated_batches_equal_one_big_batch(tmp_path):
    apart, together = Line(steps=4, dropout=0.0), Line(steps=1, dropout=0.0)
    small = list(apart.batches(0, 0))
    big = (torch.cat([x for x, _ in small]), torch.cat([y for _, y in small]))
    together.batches = lambda epoch, start: iter([big])  # type: ignore[method-assign]
    run(apart, tmp_path / "a", replace(PLAN, epochs=1, accumulate=4))
    run(together, tmp_path / "b", replace(PLAN, epochs=1))
    assert apart.updates == together.updates == 1
    for one, other in zip(weights(apart), weights(together), strict=True):
        assert one == pytest.approx(other, abs=1e-6)


def test_a_last_group_with_fewer_batches_is_still_an_update(tmp_path):
    task = Line(steps=5)
    run(task, tmp_path, replace(PLAN, epochs=2, accumulate=4))
    assert task.updates == 2 * 2


def test_it_stops_when_the_score_no_longer_rises_and_keeps_the_best(tmp_path):
    task = Line(scores=(0.1, 0.5, 0.4, 0.3, 0.9))
    outcome = run(task, tmp_path, replace(PLAN, epochs=5, patience=2))
    assert [row["score"] for row in outcome.history] == [0.1, 0.5, 0.4, 0.3]
    assert (outcome.best_epoch, outcome.best_score, outcome.stopped_early) == (2, 0.5, True)
    again = run(task, tmp_path, replace(PLAN, epochs=5, patience=2))  # finished, but its model was not saved yet
    assert (again.best_epoch, len(again.history)) == (2, 4)


def test_it_is_patient_until_every_part_has_begun_to_learn(tmp_path):
    task = Line(scores=(0.5, 0.4, 0.3, 0.2, 0.1))
    outcome = run(task, tmp_path, replace(PLAN, epochs=5, patience=1, patient_until=3))
    assert len(outcome.history) == 4  # without: after epoch 2
    assert outcome.best_epoch == 1


def test_without_a_score_the_last_weights_count_and_nothing_stops_early(tmp_path):
    task = Line()
    task.score = dict  # type: ignore[method-assign]
    outcome = run(task, tmp_path, replace(PLAN, patience=1))
    assert (len(outcome.history), outcome.best_score, outcome.best_epoch) == (4, None, 4)


@pytest.mark.parametrize("poison", ["loss", "gradient"])
def test_a_number_that_is_not_finite_stops_training_with_a_sentence(tmp_path, poison):
    task = Line()
    good = task.step

    def bad(batch: tuple[Tensor, Tensor]) -> Step:
        step = good(batch)
        if len(task.seen) < 3:
            return step
        weight = next(task.module.parameters())
        wrong = step.loss * float("nan") if poison == "loss" else step.loss + (weight - weight).abs().sqrt().sum()
        return step._replace(loss=wrong)

    task.step = bad  # type: ignore[method-assign]
    sentence = r"stopped at update 3, in epoch 1: the .* is nan.*the checkpoint of update 2 is kept.*learning_rate"
    with pytest.raises(TrainingDiverged, match=sentence):
        run(task, tmp_path)
    assert all(math.isfinite(value) for row in weights(task) for value in row)


def test_weights_that_ran_away_are_never_kept_and_the_checkpoint_before_them_is(tmp_path):
    task, rates = Line(), []
    groups = task.parameter_groups()
    task.parameter_groups = lambda: groups  # type: ignore[method-assign]

    def updated() -> None:  # the loss and the gradient were finite in every update; the fourth step goes too far
        rates.append(groups[0]["lr"])
        if len(rates) == 4:
            with torch.no_grad():
                next(task.module.parameters()).mul_(float("inf"))

    task.updated = updated  # type: ignore[method-assign]
    with pytest.raises(
        TrainingDiverged, match=r"update 4, in epoch 1: 0.weight is no longer finite.*of update 3 is kept"
    ):
        run(task, tmp_path)
    kept = Checkpoint(tmp_path, KEY, print).load()
    assert kept is not None and kept["update"] == 3
    assert all(tensor.isfinite().all() for tensor in kept["weights"].values())


def test_the_average_follows_the_weights_by_its_formula():
    module = nn.Linear(1, 1, bias=False)
    nn.init.constant_(module.weight, 1.0)
    average = Average(module, decay=0.9)
    nn.init.constant_(module.weight, 2.0)
    average.follow(1)  # decay min(0.9, 2/11)
    expected = 2 / 11 * 1.0 + 9 / 11 * 2.0
    assert average.weights["weight"].item() == pytest.approx(expected)
    with average.in_place():
        assert module.weight.item() == pytest.approx(expected)
    assert module.weight.item() == 2.0


def test_the_averaged_weights_are_what_is_scored_and_kept(tmp_path):
    task = Line(steps=3)
    expected = {name: tensor.clone() for name, tensor in changing(task.module).items()}
    scored: list[dict[str, Tensor]] = []

    def follow_by_hand():
        task.updates += 1
        decay = min(0.5, (1 + task.updates) / (10 + task.updates))
        for name, tensor in changing(task.module).items():
            expected[name] = decay * expected[name] + (1 - decay) * tensor

    def score():
        scored.append({name: tensor.clone() for name, tensor in changing(task.module).items()})
        return {"score": float(len(scored))}  # the last is the best

    task.updated, task.score = follow_by_hand, score  # type: ignore[method-assign]
    run(task, tmp_path, replace(PLAN, average=0.5))
    own = changing(task.module)
    for name, tensor in expected.items():
        torch.testing.assert_close(own[name], tensor)
        assert torch.equal(scored[-1][name], own[name])


def test_mixed_precision_trains_as_well_on_a_cpu(tmp_path):
    task = Line(steps=30)
    outcome = run(task, tmp_path, replace(PLAN, epochs=6, bf16=True))
    assert outcome.history[-1]["loss"] < outcome.history[0]["loss"] / 2


def test_device_and_precision_are_what_the_machine_has():
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_bf16("auto", torch.device("cpu")) is False
    assert choose_bf16("bf16", torch.device("cpu")) is True


def test_curves_have_a_column_for_every_number_that_came_up(tmp_path):
    write_curves([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0, "score": 0.25}], tmp_path / "r" / "curves.csv")
    with (tmp_path / "r" / "curves.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert rows == [{"epoch": "1", "loss": "2", "score": ""}, {"epoch": "2", "loss": "1", "score": "0.25"}]


def test_lines_tell_loss_speed_and_time_left(capsys):
    now = [0.0]
    lines = Lines(clock=lambda: now[0])
    for done in range(1, 5):
        now[0] += 6.0
        lines.show(Position("epoch 1 of 2", done, 10, per_second=120.4, loss=1.23456))
    told = capsys.readouterr().err.splitlines()
    assert told == ["epoch 1 of 2: 3 of 10, loss 1.235, 120 samples/s, 42 s left"]


def test_following_counts_what_the_steps_report(capsys):
    seen: list[int] = []

    class Recorder(Lines):
        def show(self, position: Position) -> None:
            seen.append(position.done)

    follow(Recorder(), "reading", iter([4, 4, 2]), 10, "texts")
    assert seen == [4, 8, 10]
