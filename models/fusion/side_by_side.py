"""Fusion where each modality has a part of the space for itself: `model.space: independent`.

Legend: B products, M modalities, D width.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from models.fusion.fusion import Fusion
from models.spaces import Span


class SideBySide(Fusion):
    """Where several modalities are present, each speaks in its own part only; `inner` says how loud."""

    own: Tensor  # [M, D], 1 in the part of each

    def __init__(self, inner: Fusion, parts: Sequence[Span]) -> None:
        super().__init__(inner.dim, inner.modalities)
        self.inner = inner
        own = torch.zeros(inner.modalities, inner.dim)
        for row, (first, last) in zip(own, parts, strict=True):
            row[first:last] = 1.0
        self.register_buffer("own", own, persistent=False)

    def combine(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See Fusion."""
        return self.inner.combine(F.normalize(vectors * self.own, dim=-1), mask)
