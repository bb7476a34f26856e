"""Image towers from torchvision: ResNet-50, EfficientNet-B0, ConvNeXt-Tiny, ViT-B/16.

`image_backbone` is a weights file (.pth or .safetensors), `default` for the registry's own (downloaded once), or
`random` for none at all (tests, training from nothing).
Legend: B pictures, C channels, T patches and class token, W width.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from catalog.errors import InvalidParams
from models.heads import ProjectionHead
from models.params import ModelParams
from models.preprocess import ImagePreprocess, Resample
from models.towers.tower import Description, ImageTower

_RESAMPLES: dict[str, Resample] = {"bilinear": "bilinear", "bicubic": "bicubic"}


class TorchvisionImageTower(ImageTower):
    """A torchvision classifier without its classifier, and a head."""

    def __init__(self, kind: str, network: Any, preprocess: ImagePreprocess, params: ModelParams) -> None:
        super().__init__()
        self.preprocess = preprocess
        self.cut = CUTS[kind](network)
        self.head = ProjectionHead(self.cut.width, params.dim, params.head, params.dropout)
        self.set_trainable(params.image)

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
        assert source is not None, "torchvision presets name a source"
        from torchvision.models import get_model

        try:
            network = get_model(kind, weights="DEFAULT" if source == "default" else None)
        except (URLError, OSError) as error:
            raise InvalidParams(f"The default weights of {kind} cannot be downloaded: {error}.") from None
        if source not in ("default", "random"):
            _read_weights(network, kind, Path(source))
        return cls(kind, network, _preprocess(kind), params)

    @classmethod
    def restore(cls, description: Description, folder: Path, params: ModelParams) -> "TorchvisionImageTower":
        """The architecture alone."""
        from torchvision.models import get_model

        kind, preprocess = description["kind"], ImagePreprocess.from_json(description["preprocess"])
        return cls(kind, get_model(kind, weights=None), preprocess, params)

    def describe(self) -> Description:
        """See Tower."""
        return {"preprocess": self.preprocess.to_json()}


class Cut(nn.Module):
    """A network in two parts and the width of its pooled output."""

    def __init__(self, early: nn.Module, late: nn.Module, width: int) -> None:
        super().__init__()
        self.early, self.late, self.width = early, late, width


class PatchesAndLayers(nn.Module):
    """The first part of torchvision's ViT: patches, class token, positions, layers."""

    def __init__(self, network: Any, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.patches = network.conv_proj
        self.class_token = network.class_token
        self.positions = network.encoder.pos_embedding
        self.layers = nn.Sequential(*layers)

    def forward(self, pixels: Tensor) -> Tensor:
        """[B, 3, H, W] -> [B, T, W]."""
        patches = self.patches(pixels).flatten(2).transpose(1, 2)
        first = self.class_token.expand(patches.shape[0], -1, -1)
        states: Tensor = self.layers(torch.cat([first, patches], dim=1) + self.positions)
        return states


class FirstToken(nn.Module):
    """[B, T, W] -> [B, W]."""

    def forward(self, states: Tensor) -> Tensor:
        """The class token."""
        return states[:, 0]


def _resnet(network: Any) -> Cut:
    early = nn.Sequential(
        network.conv1, network.bn1, network.relu, network.maxpool, network.layer1, network.layer2, network.layer3
    )
    late = nn.Sequential(network.layer4, network.avgpool, nn.Flatten(1))
    return Cut(early, late, network.fc.in_features)


def _efficientnet(network: Any) -> Cut:
    late = nn.Sequential(*network.features[7:], network.avgpool, nn.Flatten(1))
    return Cut(network.features[:7], late, network.classifier[-1].in_features)


def _convnext(network: Any) -> Cut:
    late = nn.Sequential(*network.features[6:], network.avgpool, network.classifier[0], nn.Flatten(1))
    return Cut(network.features[:6], late, network.classifier[-1].in_features)


def _vit(network: Any) -> Cut:
    layers = list(network.encoder.layers)
    late = nn.Sequential(*layers[-2:], network.encoder.ln, FirstToken())
    return Cut(PatchesAndLayers(network, layers[:-2]), late, network.hidden_dim)


def _preprocess(kind: str) -> ImagePreprocess:
    from torchvision.models import get_model_weights

    transform: Any = get_model_weights(kind).DEFAULT.transforms()
    return ImagePreprocess(
        size=transform.crop_size[0],
        fit="crop",
        resample=_RESAMPLES[transform.interpolation.value],
        resize=transform.resize_size[0],
        mean=tuple(transform.mean),
        std=tuple(transform.std),
    )


def _read_weights(network: nn.Module, kind: str, path: Path) -> None:
    if not path.is_file():
        raise InvalidParams(f"model.image_backbone: {path} is no file, nor is it 'default' or 'random'.")
    try:
        weights = load_file(path) if path.suffix == ".safetensors" else torch.load(path, weights_only=True)
        network.load_state_dict(weights)
    except (RuntimeError, ValueError) as error:
        raise InvalidParams(f"{path} does not hold the weights of {kind}: {str(error).splitlines()[0]}") from None


CUTS = {"resnet50": _resnet, "efficientnet_b0": _efficientnet, "convnext_tiny": _convnext, "vit_b_16": _vit}
