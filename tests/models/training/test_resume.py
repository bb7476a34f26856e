"""Training killed anywhere goes on and ends with the same weights, whatever it was asked to do."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from catalog.products import Judgement
from models.progress import Lines
from models.train import plan_of
from models.training.checkpoint import Checkpoint, RunKey
from models.training.loop import fit
from models.training.params import TrainParams
from models.training.shop_queries import ShopQueries
from models.training.task import DualEncoderTask
from tests.models.tiny_towers import tiny_shop
from tests.models.tiny_training import a_task

HARD = {"hard_negatives": 0.25, "mine_every": 1}
OPTIONS: dict[str, dict[str, Any]] = {
    "triplet": {"loss": "triplet"},
    "sigmoid": {"loss": "sigmoid"},
    "graded": {"graded": True, "queries": ("judgements",)},
    "attributes": {"attribute_weight": 1.0, "attribute_support": 4},
    "photos": {"weights": {"photo_photo": 1.0}, "views": 3, "consistency": 0.3},
    "grad_cache": {"grad_cache": 3},
    "balance": {"balance": 1.0},
    "warm-up": {"warmup_epochs": 1},
    "hard negatives": HARD,
    "all": HARD | {"warmup_epochs": 1, "balance": 0.7, "graded": True, "queries": ("judgements",), "grad_cache": 3},
}


class Killed(BaseException):
    """Stands for a process that ends here."""


def task_of(folder: Path, options: dict[str, Any]) -> DualEncoderTask:
    shop = tiny_shop(32)
    judged = [Judgement("something red", product.id, n % 3) for n, product in enumerate(shop)]
    queries = ShopQueries(shop, judged, [], TrainParams().actions)
    task = a_task(folder, shop_queries=queries, learning_rate=0.01, epochs=3, patience=9, **options)
    task.model.text.head.dropout.p = 0.2  # so that the random state matters
    return task


def run(folder: Path, options: dict[str, Any], die_at: int | None = None) -> dict[str, Tensor]:
    task = task_of(folder, options)
    step, seen = task.step, []

    def counted(batch: Any) -> Any:
        seen.append(batch)
        if len(seen) == die_at:
            raise Killed
        return step(batch)

    task.step = counted  # type: ignore[method-assign]
    plan = plan_of(task.params, torch.device("cpu"), tail_rests=False)
    fit(task, plan, Checkpoint(folder / "run", RunKey("p", "d", "c"), str), Lines())
    return {name: p.detach().clone() for name, p in task.module.named_parameters()}


@pytest.mark.parametrize("name", OPTIONS)
def test_killed_anywhere_it_ends_with_the_same_weights(tmp_path, name, monkeypatch):
    monkeypatch.setenv("ETALAGE_CHECKPOINT_SECONDS", "0")
    torch.manual_seed(1)
    whole = run(tmp_path / "whole", OPTIONS[name])
    for die_at in (3, 11):
        torch.manual_seed(1)
        with pytest.raises(Killed):
            run(tmp_path / str(die_at), OPTIONS[name], die_at)
        torch.manual_seed(99)  # a new process has another random state
        resumed = run(tmp_path / str(die_at), OPTIONS[name])
        assert resumed.keys() == whole.keys()
        assert all(torch.equal(resumed[name], whole[name]) for name in whole)
