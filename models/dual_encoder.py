"""The dual encoder: a text tower and an image tower into one space, and the fusion of a product's modalities.

    model = DualEncoder.build(params)
    model.save(Path("artifacts/model")); model = DualEncoder.load(Path("artifacts/model"))

Legend: B batch, D width of the shared space.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from catalog.errors import InvalidParams
from models.encoder_folder import MODALITIES
from models.fusion.registry import FUSIONS
from models.fusion.side_by_side import SideBySide
from models.params import ModelParams
from models.prefixes import fuse_prefixes
from models.presets import sources_of
from models.query_tower import QUERIES, QueryTower
from models.spaces import filled_parts, own_parts
from models.towers.lora import merged
from models.towers.registry import IMAGE_TOWERS, build_text, restore_text
from models.towers.tower import ImageTower, TextTower, Tower

FORMAT = 1
CONFIG = "config.json"
WEIGHTS = "model.safetensors"


class DualEncoder(nn.Module):
    """`text`, `image`, `fusion` and `logit_scale`, the logarithm of 1 / temperature.

    `queries`: a tower for the words of queries alone, or None: `text` reads them as it reads those of products.
    """

    queries: QueryTower | None = None

    def __init__(self, params: ModelParams, text: TextTower, image: ImageTower, temperature: float = 0.07) -> None:
        super().__init__()
        self.params = params
        self.text = text
        self.image = image
        fusion = FUSIONS[params.fusion](params.dim, len(MODALITIES))
        own, filled = own_parts(params), filled_parts(params)
        self.fusion = SideBySide(fusion, list(own.values())) if params.space == "independent" else fusion
        text.parts, image.parts = filled["text"], filled["image"]
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / temperature)))

    @property
    def dim(self) -> int:
        """D."""
        return self.params.dim

    @property
    def towers(self) -> dict[str, Tower]:
        """The tower of each modality."""
        return {"text": self.text, "image": self.image}

    @property
    def query_tower(self) -> TextTower:
        """What reads the words of queries."""
        return self.text if self.queries is None else self.queries.tower

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.logit_scale.device

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """B texts of queries -> unit rows [B, D]."""
        tower = self.query_tower
        encoded: Tensor = tower(tower.tokenize(texts))
        return encoded

    def encode_product_text(self, texts: Sequence[str]) -> Tensor:
        """B texts of products -> unit rows [B, D]."""
        encoded: Tensor = self.text(self.text.tokenize(texts))
        return encoded

    def encode_pixels(self, pixels: Tensor) -> Tensor:
        """Prepared pictures [B, 3, H, W] -> unit rows [B, D]."""
        encoded: Tensor = self.image(pixels)
        return encoded

    def encode_image_features(self, features: Tensor) -> Tensor:
        """Cached output of `image.trunk` -> unit rows [B, D]."""
        return self.image.project(self.image.tail(features))

    def fuse(self, text: Tensor, image: Tensor, has_text: Tensor, has_image: Tensor) -> Tensor:
        """Two [B, D] and two bool [B] -> products [B, D]: unit rows, zero where nothing is there.

        Prefixes [B, d] of both give products [B, d].
        """
        vectors, present = torch.stack([text, image], dim=1), torch.stack([has_text, has_image], dim=1)
        return fuse_prefixes(self.fusion, vectors, present)

    @classmethod
    def build(cls, params: ModelParams, temperature: float = 0.07) -> "DualEncoder":
        """Pretrained backbones and new heads. Seed torch first for the same heads again.

        Raises InvalidParams when a backbone cannot be had.
        """
        sources = sources_of(params)
        text = build_text(params)
        image = IMAGE_TOWERS[sources.image].build(sources.image, sources.image_backbone, params)
        for tower in (text, image):
            if tower.mode == "lora":
                tower.adapt(params.lora_rank, params.lora_alpha)
        return cls(params, text, image, temperature)

    def save(self, folder: Path) -> None:
        """Write weights, configuration, preprocessing and tokenizer; no hub is needed to load them.

        Adapters are written as what they make of their layers: the saved model is a plain one.
        """
        folder.mkdir(parents=True, exist_ok=True)
        sources = sources_of(self.params)
        config: dict[str, Any] = {
            "format": FORMAT,
            "params": self.params.model_dump(mode="json"),
            "shared_space": sources.shared_space,
        }
        for name, kind, tower in (("text", sources.text, self.text), ("image", sources.image, self.image)):
            (folder / name).mkdir(exist_ok=True)
            tower.write_files(folder / name)
            config[name] = {"kind": kind, "width": tower.width, **tower.describe()}
        (folder / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        skipped = self._referenced()
        state = merged(self).state_dict()
        weights = {name: t.detach().cpu().contiguous() for name, t in state.items() if name not in skipped}
        (folder / WEIGHTS).write_bytes(save(weights))
        if self.queries is not None:
            self.queries.save(folder / QUERIES)

    @classmethod
    def load(cls, folder: Path, device: str | torch.device = "cpu") -> "DualEncoder":
        """Read what `save` wrote, in evaluation mode.

        Raises InvalidParams when the folder is missing, of another format, or does not fit its own weights.
        """
        config = _read_config(folder)
        params = ModelParams.model_validate(config["params"])
        text = restore_text(config["text"], folder / "text", params)
        image = IMAGE_TOWERS[config["image"]["kind"]].restore(config["image"], folder / "image", params)
        model = cls(params, text, image)
        missing, unexpected = model.load_state_dict(load_file(folder / WEIGHTS), strict=False)
        lost = sorted(set(missing) - model._referenced()) + sorted(unexpected)
        if lost:
            raise InvalidParams(f"{folder / WEIGHTS} does not fit the model that {CONFIG} describes: {lost[0]}.")
        if (folder / QUERIES).is_dir():
            model.queries = QueryTower.load(folder / QUERIES, model.text.parts, device)
        return model.to(device).eval()

    def _referenced(self) -> frozenset[str]:
        towers = (("text.", self.text), ("image.", self.image))
        return frozenset(prefix + name for prefix, tower in towers for name in tower.referenced())


def saved_params(folder: Path) -> ModelParams:
    """The section `model` that the model in `folder` was made from. Raises InvalidParams when there is none."""
    return ModelParams.model_validate(_read_config(folder)["params"])


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidParams(f"{folder} holds no model: run `dvc repro train` first.") from None
    if config["format"] != FORMAT:
        raise InvalidParams(f"{folder} has format {config['format']}, this version reads {FORMAT}.")
    return config
