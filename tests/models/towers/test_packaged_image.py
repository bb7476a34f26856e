"""models/towers/packaged_image.py: the cut, folded and pooled network against the one it was made from."""

import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet

from models.dual_encoder import DualEncoder
from models.params import ModelParams
from models.towers.packaged_files import LITE_WEIGHTS
from models.towers.packaged_image import LiteImageTower


@pytest.fixture(scope="module")
def pixels() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(2, 3, 224, 224)


def _tower(**settings: object) -> LiteImageTower:
    return LiteImageTower(ModelParams.model_validate({"dim": 8, "head": "linear", "image_size": 64, **settings}))


def test_the_last_features_are_those_of_the_network(packaged: DualEncoder, pixels: torch.Tensor) -> None:
    network = EfficientNet.from_name("efficientnet-lite0").eval()
    network.load_state_dict(torch.load(LITE_WEIGHTS.locate(), weights_only=True))
    with torch.no_grad():
        expected = network.extract_features(pixels).mean(dim=(2, 3))
        found = packaged.image.tail(packaged.image.trunk(pixels))[:, :1280]
    assert torch.cosine_similarity(expected, found).min() > 0.99999


@pytest.mark.parametrize("cut", [0, 10, 14, 15])
def test_where_the_trunk_ends_does_not_change_the_vectors(cut: int) -> None:
    torch.manual_seed(0)
    small, levels = torch.randn(2, 3, 64, 64), [-1, 0]
    with torch.no_grad():
        whole = _tower(image="finetuned", image_levels=levels)
        cut_tower = _tower(image="tail", image_cut=cut, image_levels=levels)
        expected, found = whole.tail(whole.trunk(small)), cut_tower.tail(cut_tower.trunk(small))
    assert torch.allclose(expected, found, atol=1e-3)


def test_each_pooled_piece_has_the_same_size(packaged: DualEncoder, pixels: torch.Tensor) -> None:
    tower = packaged.image
    assert isinstance(tower, LiteImageTower)
    with torch.no_grad():
        pooled = tower.tail(tower.trunk(pixels))
    assert pooled.shape == (2, tower.width)
    for piece in torch.split(pooled, [1280, *tower.pieces], dim=1):
        assert torch.allclose(piece.square().mean(dim=1), torch.ones(2), atol=1e-3)


def test_an_early_level_tells_colours_apart() -> None:
    tower = _tower(image_levels=[0])
    red, blue = torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 64, 64)
    red[:, 0], blue[:, 2] = 1.0, 1.0
    with torch.no_grad():
        early = [tower.tail(tower.trunk(x))[:, 1280:] for x in (red, blue)]
    assert torch.cosine_similarity(*early).item() < 0.95


@pytest.mark.parametrize(("mode", "trains"), [("frozen", set()), ("tail", {"blocks.15.", "last."})])
def test_only_what_the_mode_names_trains(mode: str, trains: set[str]) -> None:
    tower = _tower(image=mode)
    tower.train()
    features = tower.trunk(torch.randn(2, 3, 64, 64))
    assert not features.requires_grad
    tower.project(tower.tail(features))[:, 0].sum().backward()
    moving = {name for name, parameter in tower.named_parameters() if parameter.grad is not None}
    assert {name for name in moving if not name.startswith("head.")} == {
        name for name, _ in tower.named_parameters() if trains and name.startswith(tuple(trains))
    }
    assert {"head.layers.weight", "head.layers.bias"} <= moving


def test_finetuned_reaches_the_stem_and_leaves_batch_statistics_alone() -> None:
    tower = _tower(image="finetuned")
    tower.train()
    before = {name: buffer.clone() for name, buffer in tower.named_buffers()}
    tower(torch.randn(2, 3, 64, 64))[:, 0].sum().backward()
    assert tower.stem[0].weight.grad.abs().sum() > 0
    assert all(torch.equal(buffer, before[name]) for name, buffer in tower.named_buffers())
    assert tower.referenced() == frozenset()


def test_a_folded_trunk_cannot_be_finetuned_later() -> None:
    with pytest.raises(ValueError, match="folded"):
        _tower(image="tail").set_trainable("finetuned")
