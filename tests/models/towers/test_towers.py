"""What every tower owes, asked of all of TEXT_TOWERS and IMAGE_TOWERS: a new one is tested by being named there.

Torchvision's networks are thin here; tests/models/towers/test_torchvision_towers.py has the real ones.
"""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from catalog.media import decode_image
from models.combinations import FROM_NOTHING, WITH_A_MAP
from models.dual_encoder import DualEncoder
from models.params import ImageKind, ImageMode, TextKind, TextMode
from models.towers import torchvision_image
from models.towers.registry import IMAGE_TOWERS, TEXT_TOWERS
from models.towers.tower import Tower
from tests.models.conftest import TEXTS
from tests.models.towers.exchanging import encoder_with
from tests.models.towers.thin_networks import thin
from tests.models.towers.tower_sources import image_params, image_tower, pixels_for, text_params, text_tower

HARD = [*TEXTS, "", "zxcvbnmq qwrtp 鱻龘", "!!!", "dress"]  # no words, words nobody knows, no letters, one word
EXPORTED_ELSEWHERE = {  # an export takes seconds: these have the graph of another kind, or are in test_export.py
    "use3": "test_export.py", "word_vectors": "bag_of_words",
    "lite0": "test_export.py", "vgg16": "vgg11_bn", "resnet50": "resnet18", "chinese_clip": "clip",
}  # fmt: skip
CAN_BE_FROZEN = [kind for kind in TEXT_TOWERS if kind not in FROM_NOTHING]
NEVER_ASKED = ("pooler", "fc_norm")  # parts of a hub's model that its pooling passes by


@pytest.fixture(autouse=True)
def thin_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision_image, "_network", thin)


def moved(tower: Tower, vectors: Tensor) -> set[str]:
    """Names of the parameters that a gradient reaches."""
    assert torch.allclose(vectors.norm(dim=1), torch.ones(len(vectors)), atol=1e-5)  # unit rows
    tower.zero_grad()
    (vectors * torch.randn(vectors.shape, generator=torch.Generator().manual_seed(5))).sum().backward()
    return {name for name, parameter in tower.named_parameters() if parameter.grad is not None}


def names(tower: Tower, *modules: nn.Module) -> set[str]:
    """Names of the parameters of `modules`, by the tower's naming."""
    chosen = {id(parameter) for module in modules for parameter in module.parameters()}
    return {
        name
        for name, parameter in tower.named_parameters()
        if id(parameter) in chosen and not any(part in name for part in NEVER_ASKED)
    }


@pytest.mark.parametrize(
    ("kind", "mode"), [(kind, "finetuned") for kind in TEXT_TOWERS] + [(kind, "frozen") for kind in CAN_BE_FROZEN]
)
def test_gradient_reaches_of_a_text_tower_what_should_train(kind: TextKind, mode: TextMode, sources: Path) -> None:
    tower = text_tower(kind, mode, sources)
    tower.train()
    trains = tower if mode == "finetuned" else tower.head
    assert moved(tower, tower(tower.tokenize(HARD))) == names(tower, trains)


@pytest.mark.parametrize("mode", ["frozen", "tail", "finetuned"])
@pytest.mark.parametrize("kind", IMAGE_TOWERS)
def test_gradient_reaches_of_an_image_tower_what_should_train(kind: ImageKind, mode: ImageMode, sources: Path) -> None:
    tower = image_tower(kind, mode, sources)
    tower.train()
    trains = {"frozen": [tower.head], "tail": [tower.head, *tower.late_modules()], "finetuned": [tower]}
    assert moved(tower, tower(pixels_for(tower, 3))) == names(tower, *trains[mode])


@pytest.mark.parametrize("kind", TEXT_TOWERS)
def test_a_text_tower_is_the_same_when_saved_loaded_and_served(
    kind: TextKind, sources: Path, served: Path, tmp_path: Path
) -> None:
    tower = text_tower(kind, "finetuned", sources).eval()
    model = DualEncoder(text_params(kind, "finetuned", sources), tower, image_tower("lite0", "frozen", sources))
    with torch.no_grad():
        expected = model.encode_text(HARD)
        together, alone = expected[-1:], model.encode_text(HARD[-1:])
        assert torch.allclose(together, alone, atol=1e-6)  # padding changes nothing
    model.save(tmp_path)
    again = DualEncoder.load(tmp_path).text
    with torch.no_grad():
        assert torch.equal(again(again.tokenize(HARD)), expected)
    if kind in EXPORTED_ELSEWHERE:
        return
    encoder = encoder_with(again, None, served)
    assert np.abs(encoder.encode_text(HARD) - expected.numpy()).max() < 1e-5
    for row, text in enumerate(HARD):  # alone, in every length
        assert np.abs(encoder.encode_text([text]) - expected[row].numpy()).max() < 1e-5


@pytest.mark.parametrize("kind", IMAGE_TOWERS)
def test_an_image_tower_is_the_same_when_saved_loaded_and_served(
    kind: ImageKind, sources: Path, served: Path, tmp_path: Path
) -> None:
    pooling = {"image_pooling": "pyramid"} if kind in WITH_A_MAP else {}
    tower = image_tower(kind, "finetuned", sources, **pooling).eval()
    text = text_tower("bag_of_words", "frozen", sources)
    model = DualEncoder(image_params(kind, "finetuned", sources, **pooling), text, tower)
    files = pictures_of_noise(3)
    pixels = torch.from_numpy(tower.preprocess.prepare_batch([decode_image(data) for data in files]))
    with torch.no_grad():
        expected = model.encode_pixels(pixels)
        assert torch.allclose(tower.project(tower.tail(tower.trunk(pixels))), expected, atol=1e-6)
    assert (expected @ expected.T).fill_diagonal_(0).abs().max() < 0.9999  # it sees its pictures
    model.save(tmp_path)
    again = DualEncoder.load(tmp_path).image
    with torch.no_grad():
        assert torch.equal(again(pixels), expected)
    if kind in EXPORTED_ELSEWHERE:
        return
    encoder = encoder_with(None, again, served)
    assert np.abs(encoder.encode_image(files) - expected.numpy()).max() < 1e-4
    assert np.abs(encoder.encode_image(files[:1]) - expected[:1].numpy()).max() < 1e-4


def pictures_of_noise(count: int) -> list[bytes]:
    """PNG files, each of another noise and shape."""
    files = []
    for number in range(count):
        noise = np.random.default_rng(number).integers(0, 255, (90 + 20 * number, 120, 3), dtype=np.uint8)
        stream = io.BytesIO()
        Image.fromarray(noise).save(stream, "PNG")
        files.append(stream.getvalue())
    return files
