"""The arithmetic of the losses, on batches small enough to do by hand and against naive loops."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.training.losses import (
    LOSSES,
    MAX_SCALE,
    Contrastive,
    Pairing,
    Sigmoid,
    clamp_scale,
    soft_targets,
    total_loss,
)

EYE = torch.eye(2, dtype=torch.bool)


def close(value: Tensor, expected: float) -> bool:
    return abs(value.item() - expected) < 1e-5


def test_two_by_two_contrastive_by_hand():
    logits = torch.tensor([[2.0, 0.0], [1.0, 1.0]])
    # rows: softmax of the right column is e^2/(e^2+1) and 1/2; columns: e^2/(e^2+e) and e/(1+e)
    rows = (-math.log(math.e**2 / (math.e**2 + 1)) - math.log(1 / 2)) / 2
    columns = (-math.log(math.e**2 / (math.e**2 + math.e)) - math.log(math.e / (1 + math.e))) / 2
    assert close(Contrastive()(logits, EYE), (rows + columns) / 2)


def test_a_text_true_of_both_products_asks_for_half_the_mass_on_each():
    logits = torch.tensor([[3.0, 3.0]])
    both = torch.tensor([[True, True]])
    assert close(soft_targets(logits, both), math.log(2))  # the best it can be: -log(1/2)
    uneven = torch.tensor([[4.0, 2.0]])
    assert soft_targets(uneven, both) > soft_targets(logits, both)


def test_a_text_true_of_nothing_in_the_batch_is_left_out():
    logits = torch.tensor([[2.0, 0.0], [5.0, -5.0]])
    only_first = torch.tensor([[True, False], [False, False]])
    assert close(soft_targets(logits, only_first), -math.log(math.e**2 / (math.e**2 + 1)))
    assert soft_targets(logits, torch.zeros(2, 2, dtype=torch.bool)).item() == 0.0


def test_two_by_two_sigmoid_by_hand():
    loss = Sigmoid()
    with torch.no_grad():
        loss.bias.fill_(-1.0)
    logits = torch.tensor([[2.0, 0.0], [1.0, 1.0]])

    def log_sigmoid(x: float) -> float:
        return -math.log(1 + math.exp(-x))

    # diagonal: +(logit - 1) = 1, 0; elsewhere: -(logit - 1) = 1, 0; two texts
    expected = -(log_sigmoid(1) + log_sigmoid(0) + log_sigmoid(1) + log_sigmoid(0)) / 2
    assert close(loss(logits, EYE), expected)


def naive_contrastive(logits: list[list[float]], positive: list[list[bool]]) -> float:
    def one_way(rows: list[list[float]], marks: list[list[bool]]) -> float:
        losses = []
        for row, mark in zip(rows, marks, strict=True):
            right = [j for j, is_right in enumerate(mark) if is_right]
            if right:
                total = sum(math.exp(x) for x in row)
                losses.append(sum(-math.log(math.exp(row[j]) / total) for j in right) / len(right))
        return sum(losses) / len(losses) if losses else 0.0

    across = [list(column) for column in zip(*logits, strict=True)]
    marks = [list(column) for column in zip(*positive, strict=True)]
    return (one_way(logits, positive) + one_way(across, marks)) / 2


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[list[float]], list[list[bool]]]:
    texts, products = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    cell = st.floats(-8, 8, width=32)
    logits = draw(st.lists(st.lists(cell, min_size=products, max_size=products), min_size=texts, max_size=texts))
    mark = st.lists(st.booleans(), min_size=products, max_size=products)
    return logits, draw(st.lists(mark, min_size=texts, max_size=texts))


@settings(max_examples=60, deadline=None)
@given(batches())
def test_contrastive_equals_a_naive_loop_for_any_batch(batch):
    logits, positive = batch
    value = Contrastive()(torch.tensor(logits), torch.tensor(positive))
    assert value.item() == pytest.approx(naive_contrastive(logits, positive), abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(batches(), st.randoms(use_true_random=False))
def test_no_loss_depends_on_the_order_of_products_or_is_negative(batch, random):
    logits, positive = torch.tensor(batch[0]), torch.tensor(batch[1])
    order = list(range(logits.shape[1]))
    random.shuffle(order)
    for kind in LOSSES.values():
        loss = kind()
        value = loss(logits, positive)
        assert value.item() >= -1e-6
        assert loss(logits[:, order], positive[:, order]).item() == pytest.approx(value.item(), abs=1e-4)


@pytest.mark.parametrize("name", LOSSES)
def test_a_step_against_the_gradient_brings_positives_closer_and_negatives_apart(name):
    logits = torch.zeros(3, 3, requires_grad=True)
    LOSSES[name]()(logits, torch.eye(3, dtype=torch.bool)).backward()
    gradient = logits.grad
    assert gradient is not None
    assert (gradient.diagonal() < 0).all()
    assert (gradient[~torch.eye(3, dtype=torch.bool)] > 0).all()


def test_the_total_is_the_weighted_mean_and_skips_an_empty_side():
    unit = torch.eye(2)
    log_scale = torch.tensor(math.log(2.0))
    loss = Contrastive()
    matched = loss(2.0 * unit, EYE).item()
    crossed = loss(2.0 * unit.flip(0), EYE).item()
    pairings = [
        Pairing("matched", unit, unit, EYE, weight=3.0),
        Pairing("crossed", unit.flip(0), unit, EYE, weight=1.0),
        Pairing("no pictures", unit, torch.zeros(0, 2), torch.zeros(2, 0, dtype=torch.bool), weight=5.0),
        Pairing("left out", unit, unit, EYE, weight=0.0),
    ]
    total, parts = total_loss(pairings, log_scale, loss)
    assert close(total, (3 * matched + 1 * crossed) / 4)
    assert set(parts) == {"matched", "crossed"}


def test_the_scale_never_leaves_its_bounds():
    for start, end in ((9.0, MAX_SCALE), (-3.0, 1.0), (math.log(14.0), 14.0)):
        scale = torch.tensor(start)
        clamp_scale(scale)
        assert scale.exp().item() == pytest.approx(end, rel=1e-5)
