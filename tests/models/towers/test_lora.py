"""models/towers/lora.py: only the adapters learn, and what is saved is a plain model that does the same."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from catalog.errors import InvalidParams
from models.dual_encoder import DualEncoder
from models.params import ModelParams, TextKind
from models.towers import torchvision_image
from models.towers.lora import merged
from models.towers.registry import IMAGE_TOWERS
from models.towers.tower import Tower
from models.training.weights import changing, copy_of, restore
from tests.models.conftest import TEXTS
from tests.models.towers.thin_networks import thin
from tests.models.towers.tower_sources import image_params, pixels_for, text_params

TRANSFORMERS: list[TextKind] = ["clip", "siglip", "chinese_clip", "bert"]


@pytest.fixture(autouse=True)
def thin_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision_image, "_network", thin)


def built(params: ModelParams, seed: int = 0) -> DualEncoder:
    """A model whose bag of words, where it has one, knows TEXTS."""
    torch.manual_seed(seed)
    model = DualEncoder.build(params)
    model.text.fit(TEXTS * 2)
    return model


def vectors_of(model: DualEncoder, modality: str) -> Tensor:
    if modality == "text":
        return model.encode_text(TEXTS)
    return model.encode_pixels(pixels_for(model.image, 3))


def taught(model: DualEncoder, modality: str, updates: int = 3) -> DualEncoder:
    """After a few updates away from where it was."""
    torch.manual_seed(2)  # dropout of the head
    model.train()
    optimizer = torch.optim.Adam([p for p in model.towers[modality].parameters() if p.requires_grad], lr=0.02)
    aim = torch.randn(model.dim, generator=torch.Generator().manual_seed(1))
    for _ in range(updates):
        optimizer.zero_grad()
        (vectors_of(model, modality) @ aim).sum().backward()
        optimizer.step()
    return model.eval()


CASES = [("text", kind) for kind in TRANSFORMERS] + [("image", kind) for kind in IMAGE_TOWERS]


@pytest.fixture(params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest, sources: Path) -> tuple[str, ModelParams]:
    modality, kind = request.param
    make = text_params if modality == "text" else image_params
    return modality, make(kind, "lora", sources)


def test_only_adapters_learn_and_merging_them_changes_nothing(case: tuple[str, ModelParams], tmp_path: Path) -> None:
    modality, params = case
    model, before = built(params), built(params)
    with torch.no_grad():
        plain = built(params.model_copy(update={modality: "frozen"})).eval()
        first = vectors_of(model.eval(), modality)
        head, plain_head = model.towers[modality].head, plain.towers[modality].head
        plain_head.load_state_dict(head.state_dict())
        assert torch.allclose(first, vectors_of(plain, modality), atol=1e-6)  # at first adapters do nothing

    taught(model, modality)
    adapters = moved(model.towers[modality], before.towers[modality])
    assert adapters and all(".lora_" in name for name in adapters)
    with torch.no_grad():
        expected = vectors_of(model, modality)
        assert (expected - first).abs().max() > 1e-3
        assert torch.allclose(vectors_of(merged(model), modality), expected, atol=1e-5)
        assert torch.equal(vectors_of(model, modality), expected)  # merging was done to a copy
        model.save(tmp_path)
        again = DualEncoder.load(tmp_path)
        assert not any("lora" in name for name in again.state_dict())
        assert torch.allclose(vectors_of(again, modality), expected, atol=1e-5)


def moved(tower: Tower, before: Tower) -> set[str]:
    """Names of the parameters and buffers of the backbone that are not as they were."""
    old = before.state_dict()
    return {
        name
        for name, tensor in tower.state_dict().items()
        if not name.startswith("head.") and not torch.equal(tensor, old[name])
    }


@pytest.mark.parametrize(("modality", "kind"), [("text", "bert"), ("image", "vit_b_16"), ("image", "resnet18")])
def test_a_checkpoint_holds_all_that_another_process_needs(modality: str, kind: str, sources: Path) -> None:
    params = (text_params if modality == "text" else image_params)(kind, "lora", sources)
    model = taught(built(params), modality)
    saved = copy_of(changing(model))
    other = built(params, seed=9).eval()
    restore(other, saved)
    with torch.no_grad():
        assert torch.equal(vectors_of(other, modality), vectors_of(model, modality))  # to the last bit
    assert torch.equal(
        torch.cat([p.flatten() for p in taught(other, modality).parameters()]),
        torch.cat([p.flatten() for p in taught(model, modality).parameters()]),
    )


def test_rank_and_alpha_are_those_of_the_params(sources: Path) -> None:
    params = text_params("bert", "lora", sources).model_copy(update={"lora_rank": 3, "lora_alpha": 6})
    adapters = {name: p for name, p in built(params).text.named_parameters() if ".lora_" in name}
    assert {min(p.shape) for p in adapters.values()} == {3}
    one = built(params).text.transformer.encoder.layer[0].attention.self.query
    assert one.scaling == {"default": 6 / 3}


def test_a_backbone_that_takes_no_adapter_is_refused_before_training() -> None:
    for kind in ("use3", "bag_of_words", "text_cnn"):
        with pytest.raises(InvalidParams, match="LoRA adapts pretrained transformers"):
            DualEncoder.build(ModelParams.model_validate({"text_tower": kind, "text": "lora"}))
