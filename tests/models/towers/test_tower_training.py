"""The train stage with towers that learn from nothing, and with adapters: stopped, it still ends in the same place."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import yaml

from catalog.errors import InvalidParams
from catalog.tables import write_products, write_terms
from models.dual_encoder import DualEncoder
from models.export import export
from models.params import ModelParams
from models.progress import Lines, Position
from models.towers import torchvision_image
from models.train import Sections, train
from tests.models.tiny_towers import TERMS, tiny_shop
from tests.models.towers.thin_networks import thin
from tests.models.towers.tower_sources import hub_folder

TRAIN = {"epochs": 3, "batch_size": 8, "min_steps": 1, "rounds": 2, "phrases": 1, "patience": 3, "device": "cpu"}
FROM_NOTHING = {"text_tower": "gru", "image_tower": "resnet18", "image_backbone": "random", "image_size": 64}
ADAPTED = {"text_tower": "bert", "text": "lora", "image": "lora", "image_size": 64}
BESIDE = {"text_tower": "bert", "words_beside": "bilstm", "image_size": 64}


class Stopping(Lines):
    """Stops the training, as Ctrl-C does, after so many batches."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def show(self, position: Position) -> None:
        if position.what.startswith("epoch"):
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def small_and_exact(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(torchvision_image, "_network", thin)
    monkeypatch.setenv("ETALAGE_CHECKPOINT_SECONDS", "0")
    yield
    torch.use_deterministic_algorithms(False)


def a_workspace(folder: Path, model: dict[str, object], sources: Path) -> Path:
    """The tiny shop and params.yaml with section `model`."""
    (folder / "data").mkdir(parents=True)
    write_products(tiny_shop(40, folder / "data" / "media"), folder / "data" / "products.parquet")
    write_terms(TERMS, folder / "data" / "terms.parquet")
    if model.get("text_tower") == "bert":
        model = {**model, "text_backbone": hub_folder("bert", sources)}
    sections = {"split": {"seed": 7, "validation": 0.2, "test": 0.1}, "model": {"dim": 8, "text_width": 8, **model}}
    (folder / "params.yaml").write_text(yaml.safe_dump({**sections, "train": TRAIN}))
    return folder


@pytest.mark.parametrize("model", [FROM_NOTHING, ADAPTED, BESIDE], ids=["from_nothing", "adapted", "beside"])
def test_a_training_that_was_stopped_ends_with_the_same_bytes(
    model: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "sources").mkdir()
    whole, stopped = (a_workspace(tmp_path / name, model, tmp_path / "sources") for name in ("whole", "stopped"))
    monkeypatch.chdir(whole)
    report = train(Sections.load(), Lines())
    monkeypatch.chdir(stopped)
    with pytest.raises(KeyboardInterrupt):
        train(Sections.load(), Stopping(after=report["epochs"] + 3))
    train(Sections.load(), Lines())
    assert "Training goes on from epoch 2" in capsys.readouterr().err
    for name in ("model.safetensors", "config.json"):
        assert (stopped / "artifacts/model" / name).read_bytes() == (whole / "artifacts/model" / name).read_bytes()


def test_words_learned_in_training_are_served_without_torch_and_the_baseline_knows_them_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pictures: list[bytes]
) -> None:
    monkeypatch.chdir(a_workspace(tmp_path / "shop", {**FROM_NOTHING, "text_tower": "bag_of_words"}, tmp_path))
    train(Sections.load(), Lines())
    model = DualEncoder.load(Path("artifacts/model"))
    assert "red" in model.text.vocabulary.place and "红色" in model.text.vocabulary.place
    report = export(model, ["red shirts", "红色衬衫", ""], pictures, Path("encoder"))
    assert report["parity"]["min"] > 0.99999 and report["name"] == "bag_of_words+resnet18-8"
    assert Path("encoder/words.json").read_bytes() == Path("encoder/baseline/words.json").read_bytes()


def test_a_combination_that_cannot_work_stops_the_stage_before_it_reads_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(a_workspace(tmp_path / "shop", {"text_tower": "gru", "text": "frozen"}, tmp_path))
    with pytest.raises(InvalidParams, match="no pretrained weights to keep frozen"):
        train(Sections.load(), Lines())
    assert not Path("artifacts/model").exists()
    assert ModelParams(text_tower="gru").text == "finetuned"
