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
    Triplet,
    clamp_scale,
    semi_hard,
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


RELEVANCE = {
    "one positive a row": EYE,
    "several, and a row without": torch.tensor([[True, True, False], [False, True, True], [False, False, False]]),
    "grades": torch.tensor([[1.0, 0.25, 0.0], [0.0, 0.5, 1.0]]),
    "no positive": torch.zeros(2, 3, dtype=torch.bool),
    "no negative": torch.ones(2, 3, dtype=torch.bool),
    "a single pair": torch.ones(1, 1, dtype=torch.bool),
    "no texts": torch.zeros(0, 3),
}


@pytest.mark.parametrize("relevance", RELEVANCE.values(), ids=RELEVANCE)
@pytest.mark.parametrize("name", LOSSES)
def test_any_batch_gives_a_finite_value_and_a_finite_gradient(name, relevance):
    for start in (torch.zeros(relevance.shape), torch.linspace(-1, 1, relevance.numel()).view(relevance.shape)):
        logits = start.clone().requires_grad_()
        value = LOSSES[name]()(logits, relevance)
        value.backward()
        assert math.isfinite(value.item()) and logits.grad is not None and logits.grad.isfinite().all()
        assert value.item() >= 0
        if not relevance.any():
            assert value.item() == 0 and (logits.grad == 0).all()


@pytest.mark.parametrize("name", LOSSES)
def test_a_bool_and_a_grade_of_one_are_the_same(name):
    logits = torch.randn(2, 2, generator=torch.Generator().manual_seed(0))
    assert LOSSES[name]()(logits, EYE).item() == LOSSES[name]()(logits, EYE.float()).item()


@pytest.mark.parametrize("name", LOSSES)
def test_the_value_falls_when_any_positive_comes_closer(name):
    relevance = RELEVANCE["several, and a row without"]
    cosines = torch.tensor([[0.1, 0.0, 0.05], [0.2, 0.0, 0.1], [0.0, 0.1, 0.2]])
    before = LOSSES[name]()(cosines, relevance).item()
    for row, column in relevance.nonzero().tolist():
        closer = cosines.clone()
        closer[row, column] += 0.04
        assert LOSSES[name]()(closer, relevance).item() < before, (row, column)


@pytest.mark.parametrize("name", LOSSES)
def test_a_step_against_the_gradient_brings_positives_closer_and_negatives_apart(name):
    logits = torch.zeros(3, 3, requires_grad=True)
    LOSSES[name]()(logits, torch.eye(3, dtype=torch.bool)).backward()
    gradient = logits.grad
    assert gradient is not None
    assert (gradient.diagonal() < 0).all()
    apart = gradient[~torch.eye(3, dtype=torch.bool)]
    assert (apart >= 0).all() and apart.sum() > 0


def test_a_batch_told_apart_by_the_margin_costs_a_triplet_nothing():
    cosines = torch.tensor([[0.8, 0.6], [0.5, 0.7]])
    assert close(Triplet(margin=0.1)(cosines, EYE), 0.0)
    # rows: 0.2 + 0.6 - 0.8 = 0 and 0.2 + 0.5 - 0.7 = 0; columns: 0.2 + 0.5 - 0.8 < 0 and 0.2 + 0.6 - 0.7 = 0.1
    assert close(Triplet(margin=0.2)(cosines, EYE), (0 + 0.1 / 2) / 2)


def test_the_semi_hard_negative_is_the_closest_of_those_farther_than_the_positive():
    cosines = torch.tensor([[0.5, 0.9, 0.4, 0.3], [0.1, 0.9, 0.4, 0.3]])
    negative = torch.tensor([[False, True, True, True]] * 2)
    mined = semi_hard(cosines, negative)
    assert mined[0, 0].item() == pytest.approx(0.4)  # 0.9 is closer than the positive: too hard
    assert mined[1, 0].item() == pytest.approx(0.3)  # none is farther than 0.1: the farthest there is
    one_way = Triplet(margin=0.2)._one_way(cosines, (~negative).float())
    assert close(one_way, ((0.2 + 0.4 - 0.5) + (0.2 + 0.3 - 0.1)) / 2)


def naive_triplet(cosines: list[list[float]], grades: list[list[float]], margin: float) -> float:
    def one_way(rows: list[list[float]], marks: list[list[float]]) -> float:
        losses = []
        for row, mark in zip(rows, marks, strict=True):
            negatives = [c for c, grade in zip(row, mark, strict=True) if grade == 0]
            for c, grade in zip(row, mark, strict=True):
                if grade > 0 and negatives:
                    semi = [n for n in negatives if n < c]
                    losses.append(max(0.0, margin * grade + (max(semi) if semi else min(negatives)) - c))
        return sum(losses) / len(losses) if losses else 0.0

    across, back = ([list(column) for column in zip(*table, strict=True)] for table in (cosines, grades))
    return (one_way(cosines, grades) + one_way(across, back)) / 2


@settings(max_examples=60, deadline=None)
@given(batches(), st.sampled_from([1.0, 0.25]))
def test_triplet_equals_a_naive_loop_for_any_batch_and_grade(batch, grade):
    cosines, positive = batch
    grades = [[grade * mark for mark in row] for row in positive]
    value = Triplet(margin=0.3)(torch.tensor(cosines), torch.tensor(grades))
    assert value.item() == pytest.approx(naive_triplet(cosines, grades, 0.3), abs=1e-4)


def test_grades_share_the_target_in_their_proportion():
    grades = torch.tensor([[1.0, 0.25, 0.0]])
    best = torch.tensor([[math.log(0.8), math.log(0.2), -30.0]])  # softmax (.8, .2, 0) is 1 : .25 : 0
    entropy = -(0.8 * math.log(0.8) + 0.2 * math.log(0.2))
    assert close(soft_targets(best, grades), entropy)
    assert soft_targets(torch.tensor([[0.0, -30.0, -30.0]]), grades) > entropy


def test_cosines_go_unscaled_to_a_loss_with_a_margin():
    unit = torch.eye(2)
    pairings = [Pairing("pair", unit, unit.flip(0), EYE, weight=1.0)]
    total, _ = total_loss(pairings, torch.tensor(math.log(50.0)), Triplet(margin=0.2))
    assert close(total, 0.2 + 1 - 0)  # each positive at cosine 0, each negative at 1, none farther


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
