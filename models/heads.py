"""Projection heads: tower width W -> shared space D.

A head first standardises its input per dimension (centre and spread are fitted once on training features and
saved with the weights), because backbones give widths whose sizes differ by orders of magnitude.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from models.params import HeadName


class ProjectionHead(nn.Module):
    """[B, W] -> [B, D], not yet unit length."""

    center: Tensor
    spread: Tensor

    def __init__(self, width: int, dim: int, kind: HeadName = "linear", dropout: float = 0.0) -> None:
        super().__init__()
        self.width, self.dim = width, dim
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))
        self.dropout = nn.Dropout(dropout)
        self.layers = HEADS[kind](width, dim)

    @torch.no_grad()
    def standardise(self, features: Tensor) -> None:
        """Fit centre and spread to training features [N, W]. Call once, before training."""
        values = features.double()
        self.center.copy_(values.mean(dim=0))
        deviation = values.std(dim=0, correction=0)
        self.spread.copy_(deviation.clamp(min=1e-3 * float(deviation.max())))

    def forward(self, features: Tensor) -> Tensor:
        """[B, W] -> [B, D]."""
        projected: Tensor = self.layers(self.dropout((features - self.center) / self.spread))
        return projected


class PassingHead(ProjectionHead):
    """Changes nothing: for a tower whose output goes into the head of another (models.towers.words_beside)."""

    def __init__(self, width: int) -> None:
        super().__init__(width, width)
        self.layers = nn.Identity()

    def standardise(self, features: Tensor) -> None:
        """Nothing."""


class AlignedHead(ProjectionHead):
    """For backbones that share a space already: both towers start from the same rotation, so their agreement stays.

    With W = D it starts as the identity; with W > D as one fixed random orthogonal projection.
    """

    def __init__(self, width: int, dim: int) -> None:
        super().__init__(width, dim)
        layer = nn.Linear(width, dim, bias=False)
        with torch.no_grad():
            layer.weight.copy_(_orthogonal(width, dim))
        self.layers = layer

    def standardise(self, features: Tensor) -> None:
        """Nothing: moving one side alone would undo what the backbones share."""


def _orthogonal(width: int, dim: int) -> Tensor:
    if width == dim:
        return torch.eye(dim)
    square = torch.randn(max(width, dim), max(width, dim), generator=torch.Generator().manual_seed(0))
    rotation: Tensor = torch.linalg.qr(square).Q
    return rotation[:dim, :width]


def _linear(width: int, dim: int) -> nn.Module:
    return nn.Linear(width, dim)


class _Residual(nn.Module):
    """A linear map plus what a small network adds to it: on frozen features it learns faster than either alone."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.skip = nn.Linear(width, dim)
        self.more = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * dim), nn.GELU(), nn.Dropout(0.2), nn.Linear(4 * dim, dim)
        )

    def forward(self, x: Tensor) -> Tensor:
        """[B, W] -> [B, D]."""
        projected: Tensor = self.skip(x) + self.more(x)
        return projected


HEADS: dict[HeadName, Callable[[int, int], nn.Module]] = {"linear": _linear, "residual": _Residual}
