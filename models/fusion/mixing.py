"""Fusions in which modalities act on each other.

Legend: B products, M modalities, D width, H heads of width D / H.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.fusion.fusion import Fusion, mean_of

_MOST_HEADS = 4


class ConcatFusion(Fusion):
    """The mean plus a learned correction from all modalities side by side. Starts as the mean."""

    def __init__(self, dim: int, modalities: int) -> None:
        super().__init__(dim, modalities)
        self.inner = nn.Linear(dim * modalities, 2 * dim)
        self.outer = nn.Linear(2 * dim, dim)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def combine(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See Fusion."""
        correction: Tensor = self.outer(F.gelu(self.inner(vectors.flatten(1))))
        return mean_of(vectors, mask) + correction


class ProductFusion(Fusion):
    """Hadamard product:  (prod over m of (1 + c * v_m) - 1) / c,  dimension by dimension, which for two is

        t + i + c * t * i:  what both say counts for more.

    c = sqrt(D) * strength brings the entries of unit vectors, about 1 / sqrt(D), to the size of 1; `strength` [D] is
    learned and starts at 1. A missing modality is a factor of 1: a plain product of the vectors would be zero then.
    """

    def __init__(self, dim: int, modalities: int) -> None:
        super().__init__(dim, modalities)
        self.strength = nn.Parameter(torch.ones(dim))

    def combine(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See Fusion. One factor after the other, without the division: (1 + ca)(1 + cb) = 1 + c(a + b + cab)."""
        c = math.sqrt(self.dim) * self.strength
        product = vectors[:, 0]
        for m in range(1, self.modalities):
            product = product + vectors[:, m] + c * product * vectors[:, m]
        return product


class AttentionFusion(Fusion):
    """One Transformer layer over the modalities as tokens (pre-norm; Vaswani et al. 2017), then their mean.

    Every token knows its modality by a learned embedding. Starts as the mean, for what is added starts at zero.
    """

    def __init__(self, dim: int, modalities: int) -> None:
        super().__init__(dim, modalities)
        self.heads = math.gcd(dim, _MOST_HEADS)
        self.modality = nn.Parameter(torch.randn(modalities, dim) / math.sqrt(dim))
        self.before, self.between = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.asked, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.inner, self.outer = nn.Linear(dim, 2 * dim), nn.Linear(2 * dim, dim)
        for layer in (self.out, self.outer):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def combine(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See Fusion."""
        tokens = vectors + self._attended(self.before(vectors + self.modality), mask)  # [B, M, D]
        tokens = tokens + self.outer(F.gelu(self.inner(self.between(tokens))))
        return mean_of(tokens * mask, mask)

    def _attended(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """What each token takes from those that are present: [B, M, D], [B, M, 1] -> [B, M, D]."""
        shape = (-1, self.modalities, self.heads, self.dim // self.heads)
        query, key, value = (part.reshape(shape).transpose(1, 2) for part in self.asked(tokens).chunk(3, dim=-1))
        scores = query @ key.transpose(-1, -2) / math.sqrt(shape[-1])  # [B, H, M, M]
        scores = scores.masked_fill(mask.transpose(1, 2).unsqueeze(1) == 0, -1e9)
        taken = (scores.softmax(dim=-1) @ value).transpose(1, 2).reshape(-1, self.modalities, self.dim)
        attended: Tensor = self.out(taken)
        return attended
