"""models/training/order.py: who learns when, and what cannot be trained so."""

import pytest
import torch
from torch import Tensor

from catalog.errors import InvalidParams
from models.params import ModelParams
from models.progress import Lines
from models.train import plan_of
from models.training.checkpoint import Checkpoint, RunKey
from models.training.loop import fit, learning_rate_factor
from models.training.order import ORDERS, check_order, phase_at, phases_of, tower_epochs
from models.training.params import TrainParams
from models.training.weights import changing, copy_of
from tests.models.tiny_towers import tiny_model
from tests.models.tiny_training import a_task, learn

CPU = torch.device("cpu")


def weights_of(task) -> dict[str, Tensor]:
    return copy_of(changing(task.module))


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    """Which parts of the model have weights that moved."""
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    return {name.split(".")[1] for name in moved}


def test_joint_is_one_phase_in_which_everything_learns():
    params = TrainParams(epochs=8)
    (phase,) = phases_of(params)
    assert (phase.first, phase.towers_learn, phase.fusion_learns, phase.params) == (0, True, True, params)
    assert tower_epochs(params) == 8


@pytest.mark.parametrize(("epochs", "share", "towers"), [(8, 0.25, 6), (2, 0.01, 1), (3, 0.99, 1)])
def test_sequential_gives_the_last_share_of_the_epochs_to_the_fusion(epochs, share, towers):
    params = TrainParams(order="sequential", epochs=epochs, fusion_share=share)
    phases = phases_of(params)
    assert [phase.first for phase in phases] == [0, towers]
    assert tower_epochs(params) == towers
    first, last = phase_at(phases, towers - 1), phase_at(phases, towers)
    assert (first.towers_learn, first.fusion_learns) == (True, False)
    assert (last.towers_learn, last.fusion_learns) == (False, True)
    given = params.weights.model_dump()
    with_products = {name: weight for name, weight in given.items() if name.endswith("_product")}
    assert with_products == {"title_product": 0.5, "phrase_product": 1.0, "query_product": 1.0}
    assert first.params.weights.model_dump() == given | dict.fromkeys(with_products, 0.0)
    assert last.params.weights.model_dump() == dict.fromkeys(given, 0.0) | with_products


@pytest.mark.parametrize("order", sorted(ORDERS))
def test_every_order_teaches_towers_and_fusion_by_its_end(tmp_path, order):
    task = a_task(tmp_path, order=order, epochs=4, fusion_share=0.5, tail_epochs=1, learning_rate=0.01)
    before = weights_of(task)
    learn(task, 4)
    assert changed(before, weights_of(task)) >= {"text", "image", "fusion", "logit_scale"}


def test_the_fusion_rests_first_and_the_towers_after_it(tmp_path):
    task = a_task(tmp_path, order="sequential", epochs=4, fusion_share=0.5, tail_epochs=1, learning_rate=0.01)
    optimizer = torch.optim.AdamW(task.parameter_groups())
    moved = []
    for epoch in range(4):
        before = weights_of(task)
        for batch in task.batches(epoch, 0):
            optimizer.zero_grad()
            task.step(batch).loss.backward()
            optimizer.step()
        moved.append(changed(before, weights_of(task)))
    assert moved == [{"text", "image", "logit_scale"}] * 2 + [{"fusion", "logit_scale"}] * 2


def test_towers_at_rest_give_what_they_serve(tmp_path):
    task = a_task(tmp_path, order="sequential", epochs=2, fusion_share=0.5, text_noise=5.0, modality_dropout=0.0)
    task.model.text.head.dropout.p = 0.5
    task.module.train()
    for epoch, same in ((0, False), (1, True)):
        batch = next(iter(task.batches(epoch, 0)))
        once, again = task.step(batch).loss.item(), task.step(batch).loss.item()
        assert (once == again) == same
    assert task.model.text.training and task.model.text.head.training  # as they were


def test_the_tail_trains_in_the_towers_last_epochs(tmp_path):
    params = TrainParams(order="sequential", epochs=8, fusion_share=0.25, tail_epochs=2)
    assert plan_of(params, CPU, tail_rests=True).patient_until == 6  # never ended before the fusion's turn
    task = a_task(tmp_path, order="sequential", epochs=8, fusion_share=0.25, tail_epochs=2)
    task._pooled = resting = object()  # stands for features that the resting tail gave
    task._look_at = lambda pictures: looked.append(pictures is resting)
    looked: list[bool] = []
    for epoch in range(8):
        task.batches(epoch, 0)
    assert looked == [True] * 4 + [False] * 4


def test_the_learning_rate_starts_anew_with_the_fusion(tmp_path):
    params = TrainParams(order="sequential", epochs=4, fusion_share=0.5, warmup_fraction=0.0, patience=4)
    plan = plan_of(params, CPU, tail_rests=False)
    assert plan.restarts == (2,)
    task = a_task(tmp_path, order="sequential", epochs=4, fusion_share=0.5)
    rates: list[float] = []
    groups = task.parameter_groups()
    task.parameter_groups = lambda: groups
    task.updated = lambda: rates.append(groups[0]["lr"] / params.learning_rate)
    fit(task, plan, Checkpoint(tmp_path / "run", RunKey("p", "d", "c"), str), Lines())
    half = [learning_rate_factor(update, 2 * task.steps, 0.0) for update in range(2 * task.steps)]
    assert rates == pytest.approx(half + half)


def test_killed_in_either_phase_it_ends_with_the_same_weights(tmp_path):
    class Killed(BaseException):
        pass

    def run(folder, die_at=None):
        task = a_task(folder, order="sequential", epochs=4, fusion_share=0.5, tail_epochs=1)
        step, seen = task.step, []

        def counted(batch):
            seen.append(batch)
            if len(seen) == die_at:
                raise Killed
            return step(batch)

        task.step = counted
        plan = plan_of(task.params.model_copy(update={"patience": 9}), CPU, tail_rests=False)
        fit(task, plan, Checkpoint(folder / "run", RunKey("p", "d", "c"), str), Lines())
        return weights_of(task)

    whole = run(tmp_path / "whole")
    for die_at in (6, 14):  # four batches an epoch, the fusion's begin with the ninth
        with pytest.raises(Killed):
            run(tmp_path / str(die_at), die_at)
        torch.manual_seed(99)
        resumed = run(tmp_path / str(die_at))
        assert all(torch.equal(resumed[name], whole[name]) for name in whole)


@pytest.mark.parametrize(
    ("model", "train", "sentence"),
    [
        ({"fusion": "mean"}, {}, "mean has nothing to learn"),
        ({"space": "independent"}, {}, "independent"),
        ({}, {"epochs": 1}, "two epochs"),
        ({}, {"teacher": "large"}, "train.teacher leaves that alone"),
        ({}, {"weights": {"title_image": 0, "phrase_image": 0, "query_image": 0}}, "a pair with pictures"),
        ({}, {"weights": {"title_product": 0, "phrase_product": 0, "query_product": 0}}, "a pair with pictures"),
    ],
)
def test_what_cannot_be_trained_in_sequence_is_refused_in_one_sentence(model, train, sentence):
    chosen = ModelParams.model_validate(model)
    with pytest.raises(InvalidParams, match=sentence):
        check_order(chosen, TrainParams.model_validate({"order": "sequential", **train}))
    check_order(chosen, TrainParams.model_validate(train))  # jointly it can


@pytest.mark.parametrize("train", [{"warmup_epochs": 2}, {"hard_negatives": 0.2}])
def test_a_teacher_is_not_asked_for_what_would_change_its_products(train):
    with pytest.raises(InvalidParams, match=r"train\.teacher leaves that alone"):
        check_order(ModelParams(), TrainParams(teacher="large", **train))
    check_order(ModelParams(), TrainParams(teacher="large"))


def test_a_fresh_model_fuses_by_the_mean_until_the_fusion_learns():
    model = tiny_model(fusion="attention")
    text, image = torch.eye(8)[:2], torch.eye(8)[2:4]
    there = torch.ones(2, dtype=torch.bool)
    torch.testing.assert_close(model.fuse(text, image, there, there), (text + image) / 2**0.5)
