"""What every fusion of a product's modalities does alike: who is masked, who stays as it is, unit rows out.

Legend: B products, M modalities (text, image), D width.
"""

from torch import Tensor, nn
from torch.nn import functional as F


class Fusion(nn.Module):
    """vectors [B, M, D] (unit rows), present [B, M] bool -> [B, D], unit rows or zero.

    The rule, here and nowhere else: a missing modality is masked, whatever lies in its place; with one modality
    present the result is exactly that one's vector, so a product with words alone is found as its words are; with
    none it is the zero vector. What a fusion adds is `combine`, for products that have several.
    """

    def __init__(self, dim: int, modalities: int) -> None:
        super().__init__()
        self.dim, self.modalities = dim, modalities

    def forward(self, vectors: Tensor, present: Tensor) -> Tensor:
        """Mask, combine where more than one modality is present, normalise."""
        mask = present.to(vectors.dtype).unsqueeze(-1)  # [B, M, 1]
        vectors = vectors.masked_fill(mask == 0, 0.0)
        only = vectors.sum(dim=1)  # [B, D]: the one that is there, where there is one
        several = (mask.sum(dim=1) > 1.5).to(vectors.dtype)  # [B, 1]
        combined = F.normalize(self.combine(vectors, mask), dim=-1)
        return several * combined + (1 - several) * only

    def combine(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """vectors [B, M, D] with zero rows where masked, mask [B, M, 1] -> [B, D]."""
        raise NotImplementedError


def mean_of(vectors: Tensor, mask: Tensor) -> Tensor:
    """The mean of what is present: vectors [B, M, D] with zero rows where masked, mask [B, M, 1] -> [B, D]."""
    return vectors.sum(dim=1) / mask.sum(dim=1).clamp(min=1)
