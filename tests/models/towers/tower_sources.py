"""Params of a small tower of every kind, over files written to a folder as a hub, or a shop, would hand them out."""

from pathlib import Path
from typing import Literal

import numpy as np
import torch

from models.params import ImageKind, ImageMode, ModelParams, TextKind, TextMode, WordReader
from models.towers import torchvision_image
from models.towers.registry import IMAGE_TOWERS, build_text
from models.towers.tower import ImageTower, TextTower
from tests.models.conftest import TEXTS, save_bert, save_chinese_clip, save_clip, save_siglip, save_vit

HUB = {"clip": save_clip, "siglip": save_siglip, "chinese_clip": save_chinese_clip, "bert": save_bert, "vit": save_vit}
SMALL = {"dim": 8, "head": "linear", "tail_layers": 1, "text_width": 8, "max_tokens": 24}
PLAIN_IMAGE = {"image": "frozen", "image_size": 64}
SIDES = {"inception_v3": 107}  # pixels


def hub_folder(kind: str, folder: Path) -> str:
    """A tiny model of this kind, written once into `folder`."""
    if not (folder / kind).exists():
        (folder / kind).mkdir()
        HUB[kind](folder / kind)
    return str(folder / kind)


def write_vectors(path: Path, words: list[str], dim: int = 5) -> Path:
    """A GloVe file of random vectors."""
    numbers = np.random.default_rng(0).normal(size=(len(words), dim))
    rows = [" ".join([word, *(f"{x:.4f}" for x in row)]) for word, row in zip(words, numbers, strict=True)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def text_params(
    kind: TextKind, mode: TextMode, folder: Path, beside: WordReader | Literal["none"] = "none"
) -> ModelParams:
    """Params whose text tower is of this kind, beside the packaged image tower, frozen and small."""
    source = None
    if kind in HUB:
        source = hub_folder(kind, folder)
    elif kind == "word_vectors":
        source = str(write_vectors(folder / "vectors.txt", ["red", "dress", "shoes", "women", "红色", "连衣裙"]))
    chosen = {"text_tower": kind, "text_backbone": source, "text": mode, "words_beside": beside}
    return ModelParams.model_validate({**SMALL, **PLAIN_IMAGE, **chosen})


def text_tower(
    kind: TextKind, mode: TextMode, folder: Path, beside: WordReader | Literal["none"] = "none"
) -> TextTower:
    """A tower of this kind that knows the words of TEXTS."""
    torch.manual_seed(0)
    params = text_params(kind, mode, folder, beside)
    tower = build_text(params)
    tower.fit(TEXTS * 2)
    return tower


def image_params(kind: ImageKind, mode: ImageMode, folder: Path, **settings: object) -> ModelParams:
    """Params whose image tower is of this kind, beside a bag of words. Torchvision's have random weights, in a file
    unless all of it trains.
    """
    source = None
    if kind in HUB:
        source = hub_folder(kind, folder)
    elif kind != "lite0":
        settings = {"image_size": SIDES.get(kind, 64), **settings}
        source = "random"
        if mode != "finetuned":
            source = str(folder / f"{kind}.pth")
            torch.manual_seed(1)
            torch.save(torchvision_image._network(kind, SIDES.get(kind, 64), drawn=True).state_dict(), source)
    else:
        settings = {"image_size": 64, **settings}
    chosen = {"text_tower": "bag_of_words", "image_tower": kind, "image_backbone": source, "image": mode}
    return ModelParams.model_validate({**SMALL, **chosen, **settings})


def image_tower(kind: ImageKind, mode: ImageMode, folder: Path, **settings: object) -> ImageTower:
    """A tower of this kind whose batch norms have seen noise and whose head is fitted to it, as in training."""
    torch.manual_seed(0)
    params = image_params(kind, mode, folder, **settings)
    tower = IMAGE_TOWERS[kind].build(kind, params.image_backbone, params)
    tower.train()
    with torch.no_grad():
        for _ in range(20 if tower.learns_from_nothing else 0):
            tower(pixels_for(tower, 4))
        tower.eval()
        tower.head.standardise(tower.tail(tower.trunk(pixels_for(tower, 4))))
    return tower


def pixels_for(tower: ImageTower, count: int) -> torch.Tensor:
    """Noise of the size that the tower takes."""
    side = tower.preprocess.size
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(3))
