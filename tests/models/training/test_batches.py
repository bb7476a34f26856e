"""Batches without two rows of one group, the same for the same seed and epoch."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.batches import batches_per_epoch, copies_of, plan_epoch

GROUPS = st.lists(st.integers(0, 12), min_size=2, max_size=80)


@settings(max_examples=100, deadline=None)
@given(GROUPS, st.integers(1, 9), st.integers(0, 3))
def test_no_batch_holds_two_rows_of_one_group_and_no_row_comes_twice(groups, batches, epoch):
    plan = plan_epoch(groups, batches, seed=7, epoch=epoch)
    assert len(plan) == batches
    for rows in plan:
        in_batch = [groups[row] for row in rows]
        assert len(in_batch) == len(set(in_batch))
    dealt = [row for rows in plan for row in rows.tolist()]
    assert len(dealt) == len(set(dealt))


@settings(max_examples=100, deadline=None)
@given(GROUPS, st.integers(1, 9))
def test_only_what_a_group_has_beyond_the_number_of_batches_sits_out(groups, batches):
    plan = plan_epoch(groups, batches, seed=7, epoch=0)
    expected = sum(min(count, batches) for count in Counter(groups).values())
    sizes = [len(rows) for rows in plan]
    assert sum(sizes) == expected
    assert max(sizes) - min(sizes) <= 1


def test_the_rows_that_sit_out_change_with_the_epoch():
    groups = ["one group"] * 6
    seen = {row for epoch in range(30) for rows in plan_epoch(groups, 2, seed=1, epoch=epoch) for row in rows.tolist()}
    assert seen == set(range(6))


def test_seed_and_epoch_decide_the_batches():
    groups = list(range(100))

    def flat(seed: int, epoch: int) -> list[int]:
        return np.concatenate(plan_epoch(groups, 4, seed, epoch)).tolist()

    assert flat(7, 3) == flat(7, 3)
    assert flat(7, 3) != flat(7, 4)
    assert flat(7, 3) != flat(8, 3)


def test_a_small_catalogue_gets_smaller_batches_and_never_batches_of_one():
    assert batches_per_epoch(rows=2560, batch_size=256, min_steps=4) == 10
    assert batches_per_epoch(rows=2561, batch_size=256, min_steps=4) == 11
    assert batches_per_epoch(rows=300, batch_size=256, min_steps=16) == 16
    assert batches_per_epoch(rows=10, batch_size=256, min_steps=16) == 5
    assert batches_per_epoch(rows=1, batch_size=256, min_steps=16) == 1


CATEGORIES = ["Shirts"] * 900 + ["Bags"] * 90 + ["Umbrellas"] * 10


@pytest.mark.parametrize(
    ("balance", "shares"),
    [
        (0.0, (0.9, 0.09, 0.01)),  # as they are
        (0.5, (30 / 42.65, 9.487 / 42.65, 3.162 / 42.65)),  # as the square roots 30 : 9.487 : 3.162
        (1.0, (1 / 3, 1 / 3, 1 / 3)),
    ],
)
def test_balance_brings_up_rare_categories_in_an_epoch_of_the_same_size(balance, shares):
    copies = copies_of(CATEGORIES, balance, seed=7, epoch=0)
    assert copies.sum() == pytest.approx(1000, abs=1)
    found = [copies[:900].sum(), copies[900:990].sum(), copies[990:].sum()]
    assert found == pytest.approx([1000 * share for share in shares], abs=2)
    for category in (slice(900), slice(900, 990), slice(990, None)):  # the rows of one category share alike
        assert copies[category].max() - copies[category].min() <= 1


def test_who_sits_out_of_a_balanced_epoch_changes():
    first, second = (copies_of(CATEGORIES, 1.0, seed=7, epoch=epoch) for epoch in (0, 1))
    assert (first != second).any()
    assert (first == copies_of(CATEGORIES, 1.0, seed=7, epoch=0)).all()
    seen = sum((copies_of(CATEGORIES, 1.0, seed=7, epoch=epoch) for epoch in range(30)), np.zeros(1000))
    assert seen.min() > 0


@settings(max_examples=60, deadline=None)
@given(GROUPS, st.integers(1, 9), st.integers(0, 3))
def test_copies_of_a_row_go_to_different_batches(groups, batches, epoch):
    copies = copies_of(groups, 1.0, seed=7, epoch=epoch)
    plan = plan_epoch(groups, batches, seed=7, epoch=epoch, copies=copies)
    for rows in plan:
        in_batch = [groups[row] for row in rows]
        assert len(in_batch) == len(set(in_batch))
    dealt = Counter(row for rows in plan for row in rows.tolist())
    wanted = Counter()
    for row, count in enumerate(copies.tolist()):
        wanted[groups[row]] += count
    assert sum(dealt.values()) == sum(min(count, batches) for count in wanted.values())
    assert all(dealt[row] <= copies[row] for row in dealt)


def test_without_balance_an_epoch_is_planned_as_ever():
    groups = list(range(50))
    once = copies_of(groups, 0.0, seed=7, epoch=2)
    assert once.tolist() == [1] * 50
    plain, same = plan_epoch(groups, 4, 7, 2), plan_epoch(groups, 4, 7, 2, once)
    assert [rows.tolist() for rows in plain] == [rows.tolist() for rows in same]
