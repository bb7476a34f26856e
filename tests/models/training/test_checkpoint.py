"""A checkpoint is whole or not there, and belongs to one run."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from models.training.checkpoint import STATE, Checkpoint, RunKey, digest_of_code, random_state, restore_random_state

KEY = RunKey(params="p", data="d", code="c")


def test_a_saved_state_comes_back_to_the_run_it_belongs_to(tmp_path):
    state = {"weights": {"w": torch.arange(3.0)}, "history": [{"epoch": 1, "loss": 0.5}], "best_score": None}
    said: list[str] = []
    Checkpoint(tmp_path, KEY, said.append).save(state)
    loaded = Checkpoint(tmp_path, KEY, said.append).load()
    assert loaded is not None
    assert loaded["weights"]["w"].tolist() == [0, 1, 2]
    assert loaded["history"] == state["history"]
    assert said == []


@pytest.mark.parametrize("part", ["params", "data", "code"])
def test_another_run_starts_afresh_and_says_what_is_different(tmp_path, part):
    said: list[str] = []
    Checkpoint(tmp_path, KEY, said.append).save({"epoch": 3})
    assert Checkpoint(tmp_path, replace(KEY, **{part: "other"}), said.append).load() is None
    assert len(said) == 1
    assert f"of other {part}:" in said[0]
    assert "starts afresh" in said[0]


def test_a_half_written_state_is_swept_away_and_the_one_before_counts(tmp_path):
    checkpoint = Checkpoint(tmp_path, KEY, print)
    checkpoint.save({"epoch": 3})
    (tmp_path / (STATE + ".part")).write_bytes((tmp_path / STATE).read_bytes()[:100])
    again = Checkpoint(tmp_path, KEY, print)
    assert [path.name for path in tmp_path.iterdir()] == [STATE]
    assert again.load() == {"epoch": 3}


@pytest.mark.parametrize("left", [0, 10, 300])
def test_a_damaged_file_is_reported_and_training_starts_afresh(tmp_path, left):
    Checkpoint(tmp_path, KEY, print).save({"epoch": 3, "w": torch.zeros(50)})
    (tmp_path / STATE).write_bytes((tmp_path / STATE).read_bytes()[:left])
    said: list[str] = []
    assert Checkpoint(tmp_path, KEY, said.append).load() is None
    assert "cannot be read" in said[0]


def test_finishing_leaves_the_caches_and_a_marker(tmp_path):
    checkpoint = Checkpoint(tmp_path, KEY, print)
    checkpoint.save({"epoch": 3})
    for name in ("features-a", "features-old", "texts-b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rows.bin").write_bytes(b"1234")
    checkpoint.finish(keep=[tmp_path / "features-a"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["features-a", "finished.json"]
    assert checkpoint.load() is None


def test_every_random_generator_goes_on_where_it_was(tmp_path):
    Checkpoint(tmp_path, KEY, print).save({"random": random_state()})

    def draws() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), torch.rand(1).item()

    first = draws()
    assert draws() != first
    loaded = Checkpoint(tmp_path, KEY, print).load()
    assert loaded is not None
    restore_random_state(loaded["random"])
    assert draws() == first


def test_the_digest_of_code_follows_its_content(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    before = digest_of_code([tmp_path])
    assert digest_of_code([tmp_path]) == before
    (tmp_path / "a.py").write_text("x = 2\n")
    assert digest_of_code([tmp_path]) != before
