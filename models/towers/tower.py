"""What a text tower and an image tower are: a pretrained backbone and a projection head into the shared space.

Legend: B batch, L tokens, W tower width, D shared space.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from catalog.errors import InvalidParams
from models.heads import ProjectionHead
from models.params import ImageMode, ModelParams, TextMode
from models.preprocess import ImagePreprocess
from models.spaces import Parts, Span, unit_parts
from models.text_tokens import TextTokens
from models.towers.lora import add_adapters, is_adapter

Description = dict[str, Any]


class Tower(nn.Module):
    """A backbone of width `width` and a `head`. Which of it trains is set by `set_trainable`."""

    head: ProjectionHead
    mode: str
    parts: Parts | None = None  # of the space, that its vectors fill; None: all of it

    @property
    def span(self) -> Span:
        """First and last + 1 dimension that its vectors fill."""
        return (0, self.head.dim) if self.parts is None else (self.parts[0][0], self.parts[-1][1])

    @property
    def learns(self) -> bool:
        """Whether training changes anything of it."""
        return any(parameter.requires_grad for parameter in self.parameters())

    @property
    def live(self) -> bool:
        """Whether all of the backbone may change in training, so that nothing it gives can be kept."""
        return self.mode in ("finetuned", "lora")

    @property
    def learns_from_nothing(self) -> bool:
        """Whether the backbone starts from random numbers: it then learns at the full rate, in training mode."""
        return False

    @property
    def width(self) -> int:
        """W, the width of the backbone's pooled output."""
        return self.head.width

    def project(self, pooled: Tensor) -> Tensor:
        """Pooled backbone output [B, W] -> unit rows [B, D]."""
        return unit_parts(self.head(pooled), self.parts or (self.span,))

    def backbone_parameters(self) -> list[nn.Parameter]:
        """Trainable parameters of the pretrained part: they take a smaller learning rate than the head's."""
        if self.learns_from_nothing:
            return []
        head = {id(parameter) for parameter in self.head.parameters()}
        return [p for p in self.parameters() if p.requires_grad and id(p) not in head]

    def train(self, mode: bool = True) -> Self:
        """Pretrained backbones stay in evaluation mode: their batch statistics and dropout are not for small batches.

        What learns from nothing trains as it was made to.
        """
        super().train(mode and self.learns_from_nothing and self.learns)
        self.head.train(mode and self.learns)
        self.training = mode
        return self

    def adapt(self, rank: int, alpha: int) -> None:
        """Put adapters beside the backbone's layers (models.towers.lora): they learn and the layers do not."""
        add_adapters(self, rank, alpha)
        self._let_learn([])

    def _let_learn(self, modules: Sequence[nn.Module]) -> None:
        """The parameters of `modules`, the adapters with `lora`, and the head; nothing else."""
        self.requires_grad_(False)
        for module in modules:
            module.requires_grad_(True)
        if self.mode == "lora":
            for name, parameter in self.named_parameters():
                parameter.requires_grad_(is_adapter(name))
        self.head.requires_grad_(True)
        self.train(self.training)

    def describe(self) -> Description:
        """What `restore` needs besides weights and files."""
        raise NotImplementedError

    def write_files(self, folder: Path) -> None:
        """Write tokenizer and configuration files into `folder`."""

    def referenced(self) -> frozenset[str]:
        """Names of tensors in the state that come unchanged from an installed package, and so need not be saved."""
        return frozenset()


class TextTower(Tower):
    """Texts -> vectors."""

    tokens: TextTokens
    mode: TextMode

    def fit(self, texts: Iterable[str]) -> None:
        """Learn which words there are from the training texts. Called once, before training; a tower whose tokenizer
        came with it has nothing to learn.
        """

    def fit_like(self, other: "TextTower") -> None:
        """`fit` to the words of another tower of the same class."""

    def tokenize(self, texts: Sequence[str]) -> dict[str, Tensor]:
        """B texts -> int64 tensors [B, L], one for each input of the backbone, on the tower's device."""
        device = self.head.center.device
        return {name: torch.from_numpy(array).to(device) for name, array in self.tokens(texts).items()}

    @property
    def resting(self) -> "TextTower":
        """The part of it whose backbone never changes where it is not `live`, so that its output can be kept."""
        return self

    def completed(self, rested: Tensor, texts: Sequence[str]) -> Tensor:
        """What `resting` gave for B texts, [B, R] -> pooled [B, W]: with what the part that learns says of them."""
        return rested

    def backbone(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """Tokens [B, L] -> pooled [B, W]. Keeps no graph when frozen, so its output can be cached."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.live):
            return self.pooled(tokens)

    def pooled(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """Tokens [B, L] -> [B, W]."""
        raise NotImplementedError

    def forward(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """Tokens [B, L] -> unit rows [B, D]."""
        return self.project(self.backbone(tokens))

    def set_trainable(self, mode: TextMode) -> None:
        """`frozen`: the head trains. `lora`: adapters too (models.towers.lora). `finetuned`: all of it does."""
        self.mode = mode
        self._let_learn([self] if mode == "finetuned" else [])

    @classmethod
    def build(cls, kind: str, source: str | None, params: ModelParams) -> "TextTower":
        """With pretrained weights from `source`."""
        raise NotImplementedError

    @classmethod
    def restore(cls, description: Description, folder: Path, params: ModelParams) -> "TextTower":
        """With the files of `folder`; the weights are loaded afterwards."""
        raise NotImplementedError


class ImageTower(Tower):
    """Pictures -> vectors, in two parts: a `trunk` whose output can be cached, and a `tail` that can train."""

    preprocess: ImagePreprocess
    mode: ImageMode

    def trunk(self, pixels: Tensor) -> Tensor:
        """pixels [B, 3, H, W] -> features [B, ...]. Keeps no graph unless something of the trunk trains."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.live):
            return self.early(pixels)

    def tail(self, features: Tensor) -> Tensor:
        """Trunk features [B, ...] -> pooled [B, W]."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.mode != "frozen"):
            return self.late(features)

    def early(self, pixels: Tensor) -> Tensor:
        """The trunk's layers."""
        raise NotImplementedError

    def late(self, features: Tensor) -> Tensor:
        """The tail's layers and the pooling."""
        raise NotImplementedError

    def places(self, features: Tensor) -> Tensor:
        """Trunk features [B, ...] -> [B, C, h, w]: what is where in the picture, for late interaction.

        A map is taken as it is; of a transformer's states [B, T, W] the patches, without the tokens before them.
        Raises InvalidParams for a trunk whose features know no places.
        """
        if features.ndim == 4:
            return features
        if features.ndim == 3:
            side = math.isqrt(features.shape[1])
            return features[:, -side * side :].transpose(1, 2).reshape(features.shape[0], -1, side, side)
        raise InvalidParams("late.enabled: the image tower of this preset does not tell where in a picture things are.")

    def late_modules(self) -> Sequence[nn.Module]:
        """What trains in mode `tail` beside the head."""
        raise NotImplementedError

    def forward(self, pixels: Tensor) -> Tensor:
        """pixels [B, 3, H, W] -> unit rows [B, D]."""
        return self.project(self.tail(self.trunk(pixels)))

    def set_trainable(self, mode: ImageMode) -> None:
        """`frozen`: the head trains. `tail`: the late layers too. `lora`: adapters everywhere. `finetuned`: all."""
        self.mode = mode
        self._let_learn({"tail": self.late_modules(), "finetuned": [self]}.get(mode, []))

    @classmethod
    def build(cls, kind: str, source: str | None, params: ModelParams) -> "ImageTower":
        """With pretrained weights from `source`."""
        raise NotImplementedError

    @classmethod
    def restore(cls, description: Description, folder: Path, params: ModelParams) -> "ImageTower":
        """With the files of `folder`; the weights are loaded afterwards."""
        raise NotImplementedError
