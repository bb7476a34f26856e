"""The packaged image tower: EfficientNet-Lite0 with ImageNet weights, pooled at several levels.

The last features say what a thing is but hardly its colour; early blocks still know. So the mean and the spread
over the picture of a few early blocks stand beside the pooled last features, each piece scaled to the same size.

Legend: B pictures, C channels of the map where trunk and tail meet, S its side, P pooled numbers of the early levels.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.heads import ProjectionHead
from models.params import ImageMode, ModelParams
from models.preprocess import ImagePreprocess
from models.towers.packaged_files import LITE_WEIGHTS
from models.towers.pooling import MapPooling
from models.towers.tower import Description, ImageTower

MEAN = (127 / 255, 127 / 255, 127 / 255)  # (x - 127) / 128, as this network was trained
STD = (128 / 255, 128 / 255, 128 / 255)
LAST = 1280  # channels after the last convolution
SIZE = 224  # pixels of a side it was trained on
STEM = -1  # the level before the first block: edges and plain colour


class LiteImageTower(ImageTower):
    """EfficientNet-Lite0 cut after block `image_cut`, and a head. Batch statistics stay those of pretraining."""

    def __init__(self, params: ModelParams) -> None:
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        size = params.image_size or SIZE
        network = EfficientNet.from_name("efficientnet-lite0", image_size=size)
        network.load_state_dict(torch.load(LITE_WEIGHTS.locate(), map_location="cpu", weights_only=True))
        self.stem = nn.Sequential(network._conv_stem, network._bn0, nn.ReLU6())
        self.blocks = network._blocks
        self.last = nn.Sequential(network._conv_head, network._bn1, nn.ReLU6())
        self.cut = params.image_cut
        self.levels = tuple(sorted(level for level in params.image_levels if level <= self.cut))
        self.preprocess = ImagePreprocess(size=size, mean=MEAN, std=STD)
        channels = [block._project_conv.out_channels for block in self.blocks]
        widths = {STEM: network._conv_stem.out_channels, **dict(enumerate(channels))}
        self.pieces = [widths[level] for level in self.levels for _ in ("mean", "spread")]
        self.map_channels = channels[self.cut]
        self.map_side = _side(size, [block._depthwise_conv.stride[0] for block in self.blocks[: self.cut + 1]])
        self.pooling = MapPooling.of(params)
        width = LAST * self.pooling.parts + sum(self.pieces)
        self.head = ProjectionHead(width, params.dim, params.head, params.dropout)
        if params.image != "finetuned":
            self._fold()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.set_trainable(params.image)

    def early(self, pixels: Tensor) -> Tensor:
        """pixels [B, 3, H, W] -> [B, C*S*S + P]: the map, flat, then mean and spread of each early level."""
        x = self.stem(pixels.contiguous(memory_format=torch.channels_last))
        levels = _mean_and_spread(x) if STEM in self.levels else []
        for number, block in enumerate(self.blocks[: self.cut + 1]):
            x = block(x)
            if number in self.levels:
                levels += _mean_and_spread(x)
        return torch.cat([x.flatten(1), *levels], dim=1)

    def late(self, features: Tensor) -> Tensor:
        """[B, C*S*S + P] -> [B, W]."""
        flat = self.map_channels * self.map_side**2
        x = self.places(features)
        for block in self.blocks[self.cut + 1 :]:
            x = block(x)
        pieces = [*self.pooling.pieces(self.last(x)), *torch.split(features[:, flat:], self.pieces, dim=1)]
        return torch.cat([_sized(piece) for piece in pieces], dim=1)

    def places(self, features: Tensor) -> Tensor:
        """[B, C*S*S + P] -> the map [B, C, S, S]."""
        flat = self.map_channels * self.map_side**2
        return features[:, :flat].reshape(-1, self.map_channels, self.map_side, self.map_side)

    def late_modules(self) -> Sequence[nn.Module]:
        """The blocks after the cut and the last convolution."""
        return [*self.blocks[self.cut + 1 :], self.last]

    def set_trainable(self, mode: ImageMode) -> None:
        """See ImageTower. A tower built with a folded trunk cannot be `finetuned` later."""
        if mode == "finetuned" and self.folded:
            raise ValueError("this tower was built with a folded trunk: build it with image: finetuned")
        super().set_trainable(mode)

    def adapt(self, rank: int, alpha: int) -> None:
        """See Tower. The package's convolutions pad by themselves; those of one pixel become torch's own, which do not
        need to and take adapters.
        """
        for module in list(self.modules()):
            for name, layer in module.named_children():
                if isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1):
                    setattr(module, name, _plain(layer))
        super().adapt(rank, alpha)

    @property
    def folded(self) -> bool:
        """Whether batch norms of the trunk are merged into its convolutions."""
        return isinstance(self.stem[1], nn.Identity)

    def _fold(self) -> None:
        self.stem[0], self.stem[1] = _merged(self.stem[0], self.stem[1]), nn.Identity()
        for block in self.blocks[: self.cut + 1]:
            for conv, norm in (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")):
                if hasattr(block, conv):
                    setattr(block, conv, _merged(getattr(block, conv), getattr(block, norm)))
                    setattr(block, norm, nn.Identity())

    @classmethod
    def build(cls, kind: str, source: str | None, params: ModelParams) -> "LiteImageTower":
        """From the installed package; `source` is not used."""
        return cls(params)

    @classmethod
    def restore(cls, description: Description, folder: Path, params: ModelParams) -> "LiteImageTower":
        """The package again; tensors that were trained are loaded over it."""
        return cls(params)

    def describe(self) -> Description:
        """See Tower."""
        levels = {"levels": self.pooling.levels}
        return {"preprocess": self.preprocess.to_json(), "weights": LITE_WEIGHTS.reference(), **levels}

    def referenced(self) -> frozenset[str]:
        """All that does not train: nothing when all of it may, the trunk with `tail`, trunk and tail when frozen."""
        if self.live:
            return frozenset()
        names = frozenset(name for name in self.state_dict() if not name.startswith("head."))
        if self.mode == "frozen":
            return names
        tail = ("last.", *(f"blocks.{number}." for number in range(self.cut + 1, len(self.blocks))))
        return frozenset(name for name in names if not name.startswith(tail))


def _merged(conv: nn.Module, norm: nn.Module) -> nn.Module:
    assert isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    return fuse_conv_bn_eval(conv.eval(), norm.eval())


def _plain(conv: nn.Conv2d) -> nn.Conv2d:
    plain = nn.Conv2d(conv.in_channels, conv.out_channels, 1, bias=conv.bias is not None)
    plain.weight, plain.bias = conv.weight, conv.bias
    return plain


def _mean_and_spread(x: Tensor) -> list[Tensor]:
    """[B, C, H, W] -> two [B, C]: mean and standard deviation over the picture."""
    mean = x.mean(dim=(2, 3), keepdim=True)
    square = (x - mean).square().mean(dim=(2, 3))  # not E[x^2] - E[x]^2, which loses its digits on plain pictures
    return [mean.flatten(1), (square + 1e-6).sqrt()]


def _sized(x: Tensor) -> Tensor:
    """[B, C] -> [B, C] whose rows have a mean square of 1."""
    return x / (x.square().mean(dim=1, keepdim=True) + 1e-6).sqrt()


def _side(size: int, strides: list[int]) -> int:
    for stride in [2, *strides]:
        size = -(-size // stride)
    return size
