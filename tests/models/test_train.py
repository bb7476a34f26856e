"""The stage, with the packaged towers at a small size: killed where it hurts, it ends in the same place."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import yaml

from catalog.errors import InvalidSnapshot
from catalog.params import load_section
from catalog.tables import write_products, write_terms
from models.dual_encoder import DualEncoder
from models.params import ModelParams
from models.progress import Lines
from models.train import Sections, main, train
from models.training.params import TrainParams
from tests.models.tiny_towers import TERMS, tiny_shop

ROOT = Path(__file__).parents[2]
PARAMS = {
    "split": {"seed": 7, "validation": 0.2, "test": 0.1},
    "model": {"preset": "packaged", "dim": 16, "image_size": 64, "image_cut": 15},
    "train": {"epochs": 6, "batch_size": 8, "min_steps": 1, "rounds": 2, "phrases": 1, "patience": 6, "device": "cpu"},
}
FILES = ("model.safetensors", "config.json")


TOGETHER = {
    "warmup_epochs": 1,
    "hard_negatives": 0.25,
    "mine_every": 1,
    "balance": 0.7,
    "weights": {"photo_photo": 0.5},
}


def a_workspace(folder: Path, **options: object) -> Path:
    (folder / "data").mkdir(parents=True)
    write_products(tiny_shop(70, folder / "data" / "media"), folder / "data" / "products.parquet")
    write_terms(TERMS, folder / "data" / "terms.parquet")
    document = {**PARAMS, "train": {**PARAMS["train"], **options}}
    (folder / "params.yaml").write_text(yaml.safe_dump(document))
    return folder


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], Path]]:
    def enter(folder: Path) -> Path:
        monkeypatch.chdir(folder)
        return folder

    monkeypatch.setenv("ETALAGE_CHECKPOINT_SECONDS", "0")
    yield enter
    torch.use_deterministic_algorithms(False)


def killed_once(folder: Path, ready: Callable[[], bool]) -> None:
    """Start the stage as DVC does and kill -9 it as soon as `ready`."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(torch.get_num_threads())}
    command = [sys.executable, "-m", "models.train"]
    process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not ready() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors.decode()
    assert not (folder / "artifacts" / "model").exists()


@pytest.mark.parametrize("options", [{}, TOGETHER], ids=["plain", "hard negatives, warm-up and balance together"])
def test_killed_in_the_middle_of_training_it_ends_with_the_same_bytes(tmp_path, here, capsys, options):
    whole = here(a_workspace(tmp_path / "whole", **options))
    expected = train(Sections.load(), Lines())

    folder = a_workspace(tmp_path / "killed", **options)
    scratch = folder / "artifacts" / "checkpoint"
    saves: set[int] = set()

    def well_into_training() -> bool:
        saves.update(path.stat().st_mtime_ns for path in scratch.glob("state.pt"))
        return len(saves) >= 18  # in the third epoch: past a warm-up and a first mining

    killed_once(folder, well_into_training)
    here(folder)
    capsys.readouterr()
    resumed = train(Sections.load(), Lines())
    assert "Training goes on from epoch" in capsys.readouterr().err

    for name in FILES:
        assert (folder / "artifacts/model" / name).read_bytes() == (whole / "artifacts/model" / name).read_bytes()
    assert (folder / "reports/curves.csv").read_text() == (whole / "reports/curves.csv").read_text()
    for name in ("score", "best", "best_epoch", "epochs", "snapshot", "params"):
        assert resumed[name] == expected[name], name

    left = sorted(path.name.split("-")[0] for path in scratch.iterdir())
    assert left == ["features", "finished.json"]
    report = json.loads((folder / "reports/train.json").read_text())
    assert report["model"]["dim"] == 16
    assert sum(report["products"].values()) == 70
    assert report["device"] == "cpu"
    DualEncoder.load(folder / "artifacts/model")  # what was saved is whole


def test_a_training_that_runs_away_stops_and_leaves_no_model(tmp_path, here, capsys):
    folder = here(a_workspace(tmp_path))
    wild = {**PARAMS, "train": {**PARAMS["train"], "learning_rate": 1e30, "warmup_fraction": 0.0}}
    (folder / "params.yaml").write_text(yaml.safe_dump(wild))
    assert main() == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert re.match(r"train: Training stopped at update \d+, in epoch 1: .* Lower train.learning_rate", last)
    assert not (folder / "artifacts" / "model").exists()
    kept = torch.load(folder / "artifacts/checkpoint/state.pt", weights_only=True) if "of update" in last else None
    assert kept is None or all(tensor.isfinite().all() for tensor in kept["state"]["weights"].values())


def test_other_params_start_afresh_and_the_cached_pictures_are_used_again(tmp_path, here, capsys):
    folder = here(a_workspace(tmp_path))
    short = {**PARAMS, "train": {**PARAMS["train"], "epochs": 1}}
    (folder / "params.yaml").write_text(yaml.safe_dump(short))
    first = train(Sections.load(), Lines())
    assert "looked at" in capsys.readouterr().err
    (folder / "params.yaml").write_text(yaml.safe_dump({**short, "train": {**short["train"], "seed": 8}}))
    second = train(Sections.load(), Lines())
    assert "looked at" not in capsys.readouterr().err
    assert first["params"] != second["params"]
    assert first["snapshot"] == second["snapshot"]


def test_a_catalogue_too_small_to_train_on_is_refused_in_one_sentence(tmp_path, here, capsys):
    folder = here(a_workspace(tmp_path))
    write_products(tiny_shop(1), folder / "data" / "products.parquet")
    with pytest.raises(InvalidSnapshot, match="training needs two or more"):
        train(Sections.load(), Lines())
    assert main() == 1
    assert capsys.readouterr().err.startswith("train: The training split has")


def test_a_configuration_that_asks_for_what_the_snapshot_lacks_is_refused_before_anything_is_computed(
    tmp_path, here, capsys
):
    folder = here(a_workspace(tmp_path))
    asking = {**PARAMS, "train": {**PARAMS["train"], "queries": ["judgements"]}}
    (folder / "params.yaml").write_text(yaml.safe_dump(asking))
    assert main() == 1
    assert capsys.readouterr().err.startswith("train: train.queries asks for judgements, but the snapshot has none")
    assert not (folder / "artifacts").exists()


def test_the_params_of_this_repository_are_understood():
    params = load_section("train", TrainParams, ROOT / "params.yaml")
    load_section("model", ModelParams, ROOT / "params.yaml")
    written = yaml.safe_load((ROOT / "params.yaml").read_text())["train"]
    assert set(written) <= set(TrainParams.model_fields)
    assert params.epochs == written["epochs"]
