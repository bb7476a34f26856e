"""models/towers/torchvision_image.py: the real networks, with random weights and small pictures."""

from pathlib import Path

import pytest
import torch
from torch import nn

from catalog.errors import InvalidParams
from models.combinations import SMALLEST, TORCHVISION
from models.params import ImageKind, ModelParams
from models.towers import torchvision_image
from models.towers.torchvision_image import TorchvisionImageTower
from tests.models.towers.thin_networks import thin

LIGHT = sorted(TORCHVISION - {"vgg16"})  # vgg11_bn has the same cut and fewer layers


def _params(kind: ImageKind, source: str = "random", **settings: object) -> ModelParams:
    chosen = {"image_tower": kind, "image_backbone": source, "dim": 8, "head": "linear", "image_size": SMALLEST[kind]}
    return ModelParams.model_validate({**chosen, **settings})


def _saved(kind: ImageKind, folder: Path, **settings: object) -> tuple[nn.Module, ModelParams]:
    """A network, and params that name its weights' file."""
    torch.manual_seed(0)
    network = torchvision_image._network(kind, SMALLEST[kind], drawn=True).eval()
    torch.save(network.state_dict(), folder / "weights.pth")
    return network, _params(kind, str(folder / "weights.pth"), **settings)


def _built(kind: ImageKind, params: ModelParams) -> TorchvisionImageTower:
    return TorchvisionImageTower.build(kind, params.image_backbone, params).eval()


@pytest.mark.parametrize("kind", LIGHT)
def test_the_pooled_output_is_what_the_classifier_would_see(kind: ImageKind, tmp_path: Path) -> None:
    network, params = _saved(kind, tmp_path)
    tower = _built(kind, params)
    side = tower.preprocess.size
    assert side == params.image_size
    seen: list[torch.Tensor] = []
    if kind == "vgg11_bn":  # its classifier sees a map of 7 x 7; ours takes the mean of the map before that
        network.get_submodule("features").register_forward_hook(
            lambda _, inputs, out: seen.append(out.mean(dim=(2, 3)))
        )
    else:
        last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
        last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    pixels = torch.randn(1, 3, side, side)
    with torch.no_grad():
        network(pixels)
        pooled = tower.tail(tower.trunk(pixels))
    assert pooled.shape == (1, tower.width)
    assert torch.allclose(pooled, seen[0], atol=1e-5)


def test_weights_of_another_picture_size_fit_a_vit_by_interpolation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torchvision_image, "_network", thin)
    network = torchvision_image._network("vit_b_16", 64, drawn=True)
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    tower = _built("vit_b_16", _params("vit_b_16", str(tmp_path / "weights.pth"), image_size=32))
    assert tower.cut.early.positions.shape == (1, 1 + 2 * 2, 16)
    assert torch.equal(tower.cut.early.positions[:, 0], network.encoder.pos_embedding[:, 0])


def test_pictures_are_prepared_as_the_weights_were_trained_and_squeezed_for_random_ones(tmp_path: Path) -> None:
    _, params = _saved("resnet18", tmp_path)
    trained = _built("resnet18", params.model_copy(update={"image_size": None})).preprocess
    assert (trained.size, trained.resize, trained.fit) == (224, 256, "crop")
    small = _built("resnet18", params.model_copy(update={"image_size": 112})).preprocess
    assert (small.size, small.resize, small.fit) == (112, 128, "crop")
    random = _built("resnet18", _params("resnet18")).preprocess
    assert (random.size, random.fit) == (64, "squeeze")


def test_random_weights_train_with_their_own_batch_statistics_and_pretrained_ones_keep_theirs(tmp_path: Path) -> None:
    _, params = _saved("resnet18", tmp_path, image="finetuned")
    for tower, moves in ((_built("resnet18", _params("resnet18")), True), (_built("resnet18", params), False)):
        before = tower.cut.early[1].running_mean.clone()
        tower.train()
        tower(torch.randn(4, 3, 64, 64))
        assert torch.equal(tower.cut.early[1].running_mean, before) != moves
        assert bool(tower.backbone_parameters()) != moves  # what is random learns at the full rate
        tower.eval()
        assert not any(module.training for module in tower.modules())


def test_a_weights_file_that_is_missing_or_of_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidParams, match="is no file"):
        _built("resnet18", _params("resnet18", str(tmp_path / "none.pth")))
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    for kind in ("resnet18", "vit_b_16"):
        with pytest.raises(InvalidParams, match=f"does not hold the weights of {kind}"):
            _built(kind, _params(kind, str(tmp_path / "other.pth")))


def test_default_weights_that_cannot_be_downloaded_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(InvalidParams, match="default weights of resnet18 cannot be downloaded"):
        _built("resnet18", _params("resnet18", "default", image="frozen"))
