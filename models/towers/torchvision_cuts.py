"""Torchvision's classifiers without their classifiers, each in two parts: `early` and `late`.

VGG loses its wide linear layers too, which are nine tenths of its weights and know one picture size.
Legend: B pictures, C channels, H, W height and width of a map, T patches and class token, P parts of the pooling.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from models.params import ImageKind
from models.towers.pooling import MapPooling


class Cut(nn.Module):
    """A network in two parts, and the width of what the second gives."""

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
        """[B, 3, H, W] -> [B, T, C]."""
        patches = self.patches(pixels).flatten(2).transpose(1, 2)
        first = self.class_token.expand(patches.shape[0], -1, -1)
        states: Tensor = self.layers(torch.cat([first, patches], dim=1) + self.positions)
        return states


class FirstToken(nn.Module):
    """[B, T, C] -> [B, C]."""

    def forward(self, states: Tensor) -> Tensor:
        """The class token."""
        return states[:, 0]


class OfEachPart(nn.Module):
    """A norm over channels for each of P parts: [B, P * C] -> [B, P * C]."""

    def __init__(self, norm: nn.Module, parts: int) -> None:
        super().__init__()
        self.norm, self.parts = norm, parts

    def forward(self, pooled: Tensor) -> Tensor:
        """See the class."""
        normed: Tensor = self.norm(pooled.reshape(pooled.shape[0] * self.parts, -1, 1, 1))
        return normed.reshape(pooled.shape)


def _vgg(network: Any, pool: MapPooling) -> Cut:
    layers = list(network.features)
    last_stage = [number for number, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)][-2] + 1
    channels = [layer.out_channels for layer in layers if isinstance(layer, nn.Conv2d)][-1]
    return Cut(nn.Sequential(*layers[:last_stage]), nn.Sequential(*layers[last_stage:], pool), channels * pool.parts)


def _resnet(network: Any, pool: MapPooling) -> Cut:
    early = nn.Sequential(
        network.conv1, network.bn1, network.relu, network.maxpool, network.layer1, network.layer2, network.layer3
    )
    return Cut(early, nn.Sequential(network.layer4, pool), network.fc.in_features * pool.parts)


def _densenet(network: Any, pool: MapPooling) -> Cut:
    features = network.features
    late = nn.Sequential(features.denseblock4, features.norm5, nn.ReLU(), pool)
    return Cut(features[:-2], late, network.classifier.in_features * pool.parts)


def _inception(network: Any, pool: MapPooling) -> Cut:
    layers = [layer for name, layer in network.named_children() if name not in ("avgpool", "dropout", "fc")]
    return Cut(nn.Sequential(*layers[:-3]), nn.Sequential(*layers[-3:], pool), network.fc.in_features * pool.parts)


def _efficientnet(network: Any, pool: MapPooling) -> Cut:
    late = nn.Sequential(*network.features[7:], pool)
    return Cut(network.features[:7], late, network.classifier[-1].in_features * pool.parts)


def _convnext(network: Any, pool: MapPooling) -> Cut:
    late = nn.Sequential(*network.features[6:], pool, OfEachPart(network.classifier[0], pool.parts))
    return Cut(network.features[:6], late, network.classifier[-1].in_features * pool.parts)


def _vit(network: Any, pool: MapPooling) -> Cut:
    layers = list(network.encoder.layers)
    late = nn.Sequential(*layers[-2:], network.encoder.ln, FirstToken())
    return Cut(PatchesAndLayers(network, layers[:-2]), late, network.hidden_dim)


CUTS: Mapping[ImageKind, Callable[[Any, MapPooling], Cut]] = {
    "vgg11_bn": _vgg,
    "vgg16": _vgg,
    "resnet18": _resnet,
    "resnet50": _resnet,
    "densenet121": _densenet,
    "inception_v3": _inception,
    "efficientnet_b0": _efficientnet,
    "convnext_tiny": _convnext,
    "vit_b_16": _vit,
}
