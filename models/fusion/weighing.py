"""Fusions that weigh whole modalities against each other: dimension d of the product comes from dimension d of each.

Legend: B products, M modalities, D width.
"""

import torch
from torch import Tensor, nn

from models.fusion.fusion import Fusion, mean_of


class MeanFusion(Fusion):
    """The mean of what is present."""

    def combine(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See Fusion."""
        return mean_of(vectors, mask)


class SumFusion(Fusion):
    """The sum of what is present. Its direction is the mean's, and only directions are kept: the two are one."""

    def combine(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See Fusion."""
        return vectors.sum(dim=1)


class LearnedFusion(Fusion):
    """A weighted mean with one learned weight a modality, the same for all products: softmax over those present.

    Starts as the mean, for the weights start equal.
    """

    def __init__(self, dim: int, modalities: int) -> None:
        super().__init__(dim, modalities)
        self.scores = nn.Parameter(torch.zeros(modalities))

    def combine(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See Fusion."""
        scores = self.scores[None, :, None].expand(vectors.shape[0], -1, -1)  # [B, M, 1]
        return (vectors * masked_softmax(scores, mask)).sum(dim=1)


class GatedFusion(Fusion):
    """A weighted mean: each modality's own gate says how much it has to tell, softmax over those present.

    Starts as the mean, for the gates start at zero.
    """

    def __init__(self, dim: int, modalities: int) -> None:
        super().__init__(dim, modalities)
        self.gates = nn.ModuleList(nn.Linear(dim, 1) for _ in range(modalities))
        for gate in self.gates:
            nn.init.zeros_(gate.weight)  # type: ignore[arg-type]
            nn.init.zeros_(gate.bias)  # type: ignore[arg-type]

    def weights(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """[B, M, D], [B, M, 1] -> weights [B, M, 1] that sum to 1 over the modalities present."""
        scores = torch.stack([gate(vectors[:, m]) for m, gate in enumerate(self.gates)], dim=1)  # [B, M, 1]
        return masked_softmax(scores, mask)

    def combine(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See Fusion."""
        return (vectors * self.weights(vectors, mask)).sum(dim=1)


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax over M of scores [B, M, 1], with 0 where mask [B, M, 1] is 0; all 0 where nothing is present."""
    odds = torch.exp(scores.clamp(-20, 20)) * mask
    return odds / odds.sum(dim=1, keepdim=True).clamp(min=1e-9)
