"""models/towers/torchvision_image.py, with random weights."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from catalog.errors import InvalidParams
from models.dual_encoder import DualEncoder
from models.encoder_folder import IMAGE_GRAPH
from models.export_graphs import write_image_graph
from models.params import ModelParams
from models.towers.torchvision_image import TorchvisionImageTower

KINDS = ["resnet50", "efficientnet_b0", "convnext_tiny", "vit_b_16"]


def _params(kind: str, source: str = "random", image: str = "tail") -> ModelParams:
    settings = {"preset": kind, "text_backbone": "packaged", "image_backbone": source, "dim": 8, "image": image}
    return ModelParams.model_validate({**settings, "head": "linear"})


@pytest.mark.parametrize("kind", KINDS)
def test_the_pooled_output_is_what_the_classifier_would_see(kind: str, tmp_path: Path) -> None:
    from torchvision.models import get_model

    torch.manual_seed(0)
    network = get_model(kind, weights=None).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    tower = TorchvisionImageTower.build(kind, str(tmp_path / "weights.pth"), _params(kind)).eval()
    seen: list[torch.Tensor] = []
    last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    pixels = torch.randn(1, 3, tower.preprocess.size, tower.preprocess.size)
    with torch.no_grad():
        network(pixels)
        pooled = tower.tail(tower.trunk(pixels))
    assert pooled.shape == (1, tower.width)
    assert torch.allclose(pooled, seen[0], atol=1e-5)


@pytest.mark.parametrize("kind", ["resnet50", "vit_b_16"])
def test_gradient_reaches_the_tail_and_not_the_trunk(kind: str) -> None:
    tower = TorchvisionImageTower.build(kind, "random", _params(kind))
    tower.train()
    tower(torch.randn(1, 3, 224, 224))[:, 0].sum().backward()
    assert all(parameter.grad is None for parameter in tower.cut.early.parameters())
    assert any(parameter.grad is not None for parameter in tower.cut.late.parameters())
    assert tower.head.layers.weight.grad is not None


def test_saved_loaded_and_exported_it_gives_the_same_vectors(
    tmp_path: Path, hub_params: Callable[[str], ModelParams]
) -> None:
    import onnxruntime

    model = DualEncoder.build(hub_params("resnet50")).eval()  # with a BERT for texts
    model.save(tmp_path)
    again = DualEncoder.load(tmp_path)
    pixels = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        expected = model.encode_pixels(pixels)
        assert torch.equal(again.encode_pixels(pixels), expected)
        assert torch.equal(again.encode_text(["red dress"]), model.encode_text(["red dress"]))
    write_image_graph(again.image, tmp_path)
    (served,) = onnxruntime.InferenceSession(tmp_path / IMAGE_GRAPH).run(None, {"pixels": pixels.numpy()})
    assert np.abs(served - expected.numpy()).max() < 1e-4


def test_a_weights_file_that_is_missing_or_of_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidParams, match="is no file"):
        TorchvisionImageTower.build("resnet50", str(tmp_path / "none.pth"), _params("resnet50"))
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(InvalidParams, match="does not hold the weights of resnet50"):
        TorchvisionImageTower.build("resnet50", str(tmp_path / "other.pth"), _params("resnet50"))
