"""One vector for one product, from the vectors of its modalities.

Legend: B products, M modalities (text, image), D width. A missing modality is masked: with one modality present
the result is exactly that one's vector, with none it is the zero vector.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.params import FusionName


class Fusion(nn.Module):
    """vectors [B, M, D] (unit rows), present [B, M] bool -> [B, D], unit rows or zero."""

    def forward(self, vectors: Tensor, present: Tensor) -> Tensor:
        """Mask, combine where more than one modality is present, normalise."""
        mask = present.to(vectors.dtype).unsqueeze(-1)  # [B, M, 1]
        vectors = vectors * mask
        only = vectors.sum(dim=1)  # [B, D]: the one that is there, where there is one
        several = (mask.sum(dim=1) > 1.5).to(vectors.dtype)  # [B, 1]
        combined = F.normalize(self.combine(vectors, mask), dim=-1)
        return several * combined + (1 - several) * only

    def combine(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """vectors [B, M, D] with zero rows where masked, mask [B, M, 1] -> [B, D]."""
        raise NotImplementedError


class MeanFusion(Fusion):
    """The mean of what is present."""

    def __init__(self, dim: int, modalities: int) -> None:
        super().__init__()

    def combine(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See Fusion."""
        return vectors.sum(dim=1) / mask.sum(dim=1).clamp(min=1)


class GatedFusion(Fusion):
    """A weighted mean: each modality's own gate says how much it has to tell, softmax over those present.

    Starts as the mean, for the gates start at zero.
    """

    def __init__(self, dim: int, modalities: int) -> None:
        super().__init__()
        self.gates = nn.ModuleList(nn.Linear(dim, 1) for _ in range(modalities))
        for gate in self.gates:
            nn.init.zeros_(gate.weight)  # type: ignore[arg-type]
            nn.init.zeros_(gate.bias)  # type: ignore[arg-type]

    def weights(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """[B, M, D], [B, M, 1] -> weights [B, M, 1] that sum to 1 over the modalities present."""
        scores = torch.stack([gate(vectors[:, m]) for m, gate in enumerate(self.gates)], dim=1)  # [B, M, 1]
        odds = torch.exp(scores.clamp(-20, 20)) * mask
        return odds / odds.sum(dim=1, keepdim=True).clamp(min=1e-9)

    def combine(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See Fusion."""
        return (vectors * self.weights(vectors, mask)).sum(dim=1)


class ConcatFusion(Fusion):
    """The mean plus a learned correction from all modalities side by side. Starts as the mean."""

    def __init__(self, dim: int, modalities: int) -> None:
        super().__init__()
        self.inner = nn.Linear(dim * modalities, 2 * dim)
        self.outer = nn.Linear(2 * dim, dim)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def combine(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See Fusion."""
        mean = vectors.sum(dim=1) / mask.sum(dim=1).clamp(min=1)
        correction: Tensor = self.outer(F.gelu(self.inner(vectors.flatten(1))))
        return mean + correction


FUSIONS: dict[FusionName, Callable[[int, int], Fusion]] = {
    "mean": MeanFusion,
    "gated": GatedFusion,
    "concat": ConcatFusion,
}
