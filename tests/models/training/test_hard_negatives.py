"""Hard negatives are the model's mistakes, never answers that are right too, and their batches can be had again."""

import random

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from models.training.hard_negatives import NONE, Asked, HardNegatives, K, mine
from models.training.params import TrainParams
from models.training.task import DualEncoderTask
from tests.models.tiny_training import a_task, learn


def asked(vectors: torch.Tensor, rows: list[int], true: np.ndarray) -> Asked:
    return Asked(vectors, np.array(rows), lambda part: true[part])


def on_a_circle(*degrees: float) -> torch.Tensor:
    angles = torch.deg2rad(torch.tensor(degrees))
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def test_the_nearest_wrong_products_come_first_and_what_is_right_too_never():
    candidates = on_a_circle(10, 20, 30, 5, 15, 25)
    groups = ["own", "a", "b", "c", "own", "d"]
    true = np.array([[True, False, False, False, False, True]])  # what the query says holds of the last one too
    table = mine(asked(on_a_circle(0), [0], true), candidates, groups, margin=1.0)
    # asked at 0 degrees: 5 is nearer than the right product at 10, 15 is of its group, 25 is right too; 20 and 30 stay
    assert table[0].tolist() == [1, 2] + [NONE] * (K - 2)
    assert (table[1:] == NONE).all()  # nobody asked for them


def test_the_margin_keeps_what_is_nearly_as_near_as_the_right_product_from_being_a_negative():
    candidates = on_a_circle(0, 10, 40)  # cosines 1, 0.985, 0.766
    only_own = np.eye(3, dtype=bool)[:1]
    table = mine(asked(on_a_circle(0), [0], only_own), candidates, ["a", "b", "c"], margin=0.95)
    assert table[0, :2].tolist() == [2, NONE]


@pytest.mark.parametrize("seed", range(5))
def test_mining_equals_a_naive_loop(seed):
    draw = np.random.default_rng(seed)
    vectors, candidates = (F.normalize(torch.from_numpy(draw.normal(size=(n, 4))).float(), dim=1) for n in (30, 12))
    rows, groups = draw.integers(0, 12, 30), [str(n) for n in draw.integers(0, 8, 12)]
    true = draw.random((30, 12)) < 0.2
    table = mine(Asked(vectors, rows, lambda part: true[part]), candidates, groups, margin=0.9)
    scores = (vectors @ candidates.T).numpy()
    for row in range(12):
        best: dict[int, float] = {}
        for query in np.flatnonzero(rows == row):
            allowed = [
                n for n in range(12)
                if not true[query, n] and groups[n] != groups[row] and scores[query, n] <= 0.9 * scores[query, row]
            ]  # fmt: skip
            for n in sorted(allowed, key=lambda n: -scores[query, n])[:K]:
                best[n] = max(best.get(n, -2.0), scores[query, n])
        expected = sorted(best, key=lambda n: -best[n])[:K]
        assert [n for n in table[row].tolist() if n != NONE] == expected


def test_mined_rows_join_a_batch_up_to_their_share_and_no_group_comes_twice():
    groups = [str(n // 2) for n in range(40)]
    hard = HardNegatives(groups, TrainParams(hard_negatives=0.25))
    rows = np.arange(0, 24, 2)
    assert hard.joined_to(rows, random.Random(0)).tolist() == rows.tolist()  # nothing was mined yet
    hard.table = np.full((40, K), NONE)
    hard.table[:24, :3] = [[24 + row % 16, 25 + row % 14, 1] for row in range(24)]
    joined = hard.joined_to(rows, random.Random(0))
    assert len(joined) == 16 and joined[:12].tolist() == rows.tolist()  # 4 of 16 are a quarter
    assert set(joined[12:].tolist()) <= set(hard.table[rows].flatten().tolist())
    assert len({groups[row] for row in joined}) == 16
    assert joined.tolist() == hard.joined_to(rows, random.Random(0)).tolist()
    hard.table[:, 1:], hard.table[:, 0] = NONE, 30
    assert hard.joined_to(rows, random.Random(0)).tolist() == [*rows.tolist(), 30]  # there is no other


def begin(task: DualEncoderTask, epoch: int) -> None:
    task.module.eval()
    with torch.no_grad():
        task.begin(epoch)
    task.module.train()


def rows_of(task: DualEncoderTask, epoch: int, start: int = 0) -> list[list[int]]:
    return [batch.rows.tolist() for batch in task.batches(epoch, start)]


def test_they_are_mined_every_so_many_epochs_without_a_draw_and_join_until_then(tmp_path):
    task = a_task(tmp_path, hard_negatives=0.25, mine_every=2, warmup_epochs=1, learning_rate=0.01)
    tables = []
    for epoch in range(6):  # one of warm-up, then five with labels
        before = torch.get_rng_state()
        begin(task, epoch)
        assert torch.equal(torch.get_rng_state(), before)
        tables.append(task.hard.table.copy())
        sizes = [len(rows) for rows in rows_of(task, epoch)]
        assert max(sizes) <= 8 and (max(sizes) > 6) == (epoch >= 3)
        learn(task, 1)
    assert [len(table) for table in tables] == [0, 0, 0, 32, 32, 32]
    assert (tables[3] == tables[4]).all() and (tables[4] != tables[5]).any()
    assert rows_of(task, 5)[2:] == rows_of(task, 5, start=2)


def test_what_joins_is_nearer_to_a_batch_than_what_a_plan_deals(tmp_path):
    task = a_task(tmp_path, hard_negatives=0.25, learning_rate=0.01)
    learn(task, 6)
    begin(task, 2)
    table = task.hard.table
    with torch.no_grad():
        words = task.model.text.project(task.texts.pooled(task.model, [p.title for p in task.products]))
    near = words @ words.T
    apart = ~torch.eye(len(near), dtype=torch.bool)
    hard = [near[row, other].item() for row in range(32) for other in table[row].tolist()[:2] if other != NONE]
    assert len(hard) > 20 and np.mean(hard) > near[apart].mean().item() + 0.1
    for row in range(32):
        assert all(task.groups[other] != task.groups[row] for other in table[row] if other != NONE)


def test_the_table_goes_through_a_checkpoint(tmp_path):
    task = a_task(tmp_path / "one", hard_negatives=0.25)
    other = a_task(tmp_path / "other", hard_negatives=0.25)
    begin(task, 2)
    torch.save(task.state(), tmp_path / "state.pt")
    other.restore(torch.load(tmp_path / "state.pt", weights_only=True))
    assert len(other.hard.table) and rows_of(other, 3) == rows_of(task, 3)
