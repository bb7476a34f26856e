"""Torchvision's own classes with few and narrow layers, cut and exported in a second where the real ones take ten."""

import copy
from functools import partial
from typing import Any

import torch
from torch import nn
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.densenet import DenseNet
from torchvision.models.efficientnet import EfficientNet, MBConvConfig
from torchvision.models.inception import Inception3
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet
from torchvision.models.vgg import VGG, make_layers
from torchvision.models.vision_transformer import VisionTransformer


def thin(kind: str, size: int, *, drawn: bool) -> nn.Module:
    """Stands in for models.towers.torchvision_image._network."""
    network: nn.Module = THIN[kind](size)
    return network


def _vgg(size: int, *, norm: bool) -> nn.Module:
    layers = make_layers([8, "M", 8, "M", 8, "M", 8, "M", 12, "M"], batch_norm=norm)
    with torch.device("meta"):  # its linear layers, which the cut drops, would fill 400 MB
        network = VGG(nn.Sequential(), num_classes=4, init_weights=False)
    network.features, network.classifier = layers, nn.Sequential()
    return network


def _efficientnet(size: int) -> nn.Module:
    stages = [MBConvConfig(2, 3, 1 + (number in (1, 2, 3, 5)), 8, 8, 1) for number in range(7)]
    return EfficientNet([copy.copy(stage) for stage in stages], dropout=0.1, last_channel=20, num_classes=4)


def _convnext(size: int) -> nn.Module:
    widths = [(8, 8), (8, 8), (8, 12), (12, None)]
    return ConvNeXt([CNBlockConfig(into, out, 1) for into, out in widths])


def _inception(size: int) -> nn.Module:
    network: Any = Inception3(aux_logits=False, init_weights=False, num_classes=4)
    for name in ("Mixed_5d", "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7c"):  # as many channels out as in
        setattr(network, name, nn.Identity())
    return network


THIN: Any = {
    "vgg11_bn": partial(_vgg, norm=True),
    "vgg16": partial(_vgg, norm=False),
    "resnet18": lambda size: ResNet(BasicBlock, [1, 1, 1, 1], num_classes=4),
    "resnet50": lambda size: ResNet(Bottleneck, [1, 1, 1, 1], num_classes=4),
    "densenet121": lambda size: DenseNet(4, (1, 1, 1, 1), 8, num_classes=4),
    "inception_v3": _inception,
    "efficientnet_b0": _efficientnet,
    "convnext_tiny": _convnext,
    "vit_b_16": lambda size: VisionTransformer(size, 16, num_layers=3, num_heads=2, hidden_dim=16, mlp_dim=16),
}
