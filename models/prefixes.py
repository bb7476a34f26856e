"""Matryoshka vectors (Kusupati et al. 2022): the first d dimensions of a vector are a vector too, a shorter one.

Legend: B batch, M modalities, d width of a prefix, D whole width.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from models.fusion.fusion import Fusion


def unit_prefix(vectors: Tensor, width: int) -> Tensor:
    """[..., D] -> [..., d], unit length again; zero rows stay zero."""
    return F.normalize(vectors[..., :width], dim=-1)


def fuse_prefixes(fusion: Fusion, vectors: Tensor, present: Tensor) -> Tensor:
    """Unit rows [B, M, d] that are prefixes, and present [B, M] -> products [B, d].

    The fusion was made for D dimensions: it sees zeros in the others, and the product's prefix is kept. So a product
    is a function of what is stored of it, however short that is.
    """
    width = vectors.shape[-1]
    if width == fusion.dim:
        whole: Tensor = fusion(vectors, present)
        return whole
    return unit_prefix(fusion(F.pad(vectors, (0, fusion.dim - width)), present), width)


class PrefixFusion(nn.Module):
    """`fuse_prefixes` as a module, to be exported."""

    def __init__(self, fusion: Fusion) -> None:
        super().__init__()
        self.fusion = fusion

    def forward(self, vectors: Tensor, present: Tensor) -> Tensor:
        """[B, M, d], [B, M] -> [B, d]."""
        return fuse_prefixes(self.fusion, vectors, present)
