"""Image towers from torchvision: VGG, ResNet, DenseNet, Inception, EfficientNet, ConvNeXt, ViT (torchvision_cuts.py).

`image_backbone` is a weights file (.pth or .safetensors), `default` for the registry's own (downloaded once), or
`random` for none at all: then everything is trained from nothing, on the whole picture squeezed to a square. With
pretrained weights the picture is prepared as it was for them, at `image_size` where that is given.
Legend: B pictures, C channels, T patches and class token, W width.
"""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast
from urllib.error import URLError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from catalog.errors import InvalidParams
from models.combinations import PATCH
from models.heads import ProjectionHead
from models.params import ImageKind, ModelParams
from models.preprocess import ImagePreprocess, Resample
from models.towers.pooling import MapPooling
from models.towers.torchvision_cuts import CUTS
from models.towers.tower import Description, ImageTower

_RESAMPLES: dict[str, Resample] = {"bilinear": "bilinear", "bicubic": "bicubic"}
_HALF = (0.5, 0.5, 0.5)

Weights = dict[str, Tensor]


class TorchvisionImageTower(ImageTower):
    """A torchvision classifier without its classifier, and a head."""

    def __init__(
        self, kind: ImageKind, network: nn.Module, preprocess: ImagePreprocess, random: bool, params: ModelParams
    ) -> None:
        """`random`: the weights of `network` were drawn, or learned from there."""
        super().__init__()
        self.preprocess, self.random = preprocess, random
        pooling = MapPooling.of(params)
        self.levels = pooling.levels
        self.cut = CUTS[kind](network, pooling)
        self.head = ProjectionHead(self.cut.width, params.dim, params.head, params.dropout)
        self.set_trainable(params.image)

    @property
    def learns_from_nothing(self) -> bool:
        """See Tower."""
        return self.random and self.mode == "finetuned"

    def early(self, pixels: Tensor) -> Tensor:
        """pixels [B, 3, H, W] -> map [B, C, h, w], or states [B, T, W] of a ViT."""
        features: Tensor = self.cut.early(pixels)
        return features

    def late(self, features: Tensor) -> Tensor:
        """Map or states -> pooled [B, W]."""
        pooled: Tensor = self.cut.late(features)
        return pooled

    def late_modules(self) -> Sequence[nn.Module]:
        """See ImageTower."""
        return [self.cut.late]

    @classmethod
    def build(cls, kind: str, source: str | None, params: ModelParams) -> "TorchvisionImageTower":
        """With weights from a file, `default` or `random`. Raises InvalidParams when they cannot be had."""
        assert source is not None, "torchvision towers name a source"
        name, random = cast(ImageKind, kind), source == "random"
        preprocess = _preprocess(kind, params.image_size, random)
        network = _network(kind, preprocess.size, drawn=random)
        if not random:
            weights = _default(kind) if source == "default" else _read(Path(source), kind)
            _put(weights, network, kind, source)
        return cls(name, network, preprocess, random, params)

    @classmethod
    def restore(cls, description: Description, folder: Path, params: ModelParams) -> "TorchvisionImageTower":
        """The architecture alone."""
        kind, preprocess = description["kind"], ImagePreprocess.from_json(description["preprocess"])
        network = _network(kind, preprocess.size, drawn=False)
        return cls(kind, network, preprocess, description.get("random", False), params)

    def describe(self) -> Description:
        """See Tower."""
        return {"preprocess": self.preprocess.to_json(), "random": self.random, "levels": self.levels}


def _network(kind: str, size: int, *, drawn: bool) -> nn.Module:
    """`drawn`: whether its weights will be used as they are, and so are worth drawing well."""
    from torchvision.models import get_model

    options: dict[str, Any] = {}
    if kind == "inception_v3":
        options = {"aux_logits": False, "init_weights": drawn}
    elif kind == "vit_b_16":
        options = {"image_size": size}
    network: nn.Module = get_model(kind, weights=None, **options)
    return network


def _preprocess(kind: str, size: int | None, random: bool) -> ImagePreprocess:
    from torchvision.models import get_model_weights

    transform: Any = get_model_weights(kind).DEFAULT.transforms()
    usual = transform.crop_size[0]
    own = kind == "inception_v3"  # its weights were trained on -1..1; torchvision turns ImageNet's mean back inside
    return ImagePreprocess(
        size=size or usual,
        fit="squeeze" if random else "crop",
        resample=_RESAMPLES[transform.interpolation.value],
        resize=None if random else round(transform.resize_size[0] * (size or usual) / usual),
        mean=_HALF if own else tuple(transform.mean),
        std=_HALF if own else tuple(transform.std),
    )


def _default(kind: str) -> Weights:
    from torchvision.models import get_model_weights

    try:
        weights: Weights = get_model_weights(kind).DEFAULT.get_state_dict(progress=False, check_hash=True)
        return weights
    except (URLError, OSError) as error:
        raise InvalidParams(f"The default weights of {kind} cannot be downloaded: {error}.") from None


def _read(path: Path, kind: str) -> Weights:
    if not path.is_file():
        raise InvalidParams(f"model.image_backbone: {path} is no file, nor is it 'default' or 'random'.")
    try:
        weights: Weights = load_file(path) if path.suffix == ".safetensors" else torch.load(path, weights_only=True)
    except pickle.UnpicklingError:
        raise _unfit(
            str(path), kind, ValueError("it holds more than tensors, and nothing else is unpickled.")
        ) from None
    except (RuntimeError, ValueError, EOFError, SafetensorError) as error:
        raise _unfit(str(path), kind, error) from None
    return weights


def _put(weights: Weights, network: Any, kind: str, source: str) -> None:
    weights = {name: tensor for name, tensor in weights.items() if not name.startswith("AuxLogits.")}  # for training
    try:
        if kind == "vit_b_16":
            from torchvision.models.vision_transformer import interpolate_embeddings

            weights = dict(interpolate_embeddings(network.image_size, PATCH, weights))  # type: ignore[arg-type]
        network.load_state_dict(weights)
    except (RuntimeError, ValueError, KeyError) as error:
        raise _unfit(source, kind, error) from None


def _unfit(source: str, kind: str, error: Exception) -> InvalidParams:
    return InvalidParams(f"{source} does not hold the weights of {kind}: {str(error).splitlines()[0]}")
