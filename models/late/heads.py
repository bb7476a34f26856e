"""Token heads: from frozen towers to the tokens of late interaction.

A word is its text vector [D] through one linear map, as long as the word matters (0 to 2, learned): "for" says less
than "red". A picture is the map of its trunk, pooled to S x S places, and its pooled features for one more token.

Legend: B pictures, T words, D width of the served space, C channels of the map, F pooled features, S side,
J = S^2 + 1 tokens of a picture, W their width.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.heads import ProjectionHead
from models.late.params import LateParams


class LateHeads(nn.Module):
    """`words`, `importance`, `places`, `whole` and `logit_scale`, the logarithm of 1 / temperature."""

    def __init__(self, dim: int, channels: int, features: int, params: LateParams) -> None:
        super().__init__()
        self.side = params.side
        self.words = ProjectionHead(dim, params.width, "linear", params.dropout)
        self.importance = nn.Linear(dim, 1)
        nn.init.zeros_(self.importance.weight)
        nn.init.zeros_(self.importance.bias)
        self.places = ProjectionHead(channels, params.width, "residual", params.dropout)
        self.whole = ProjectionHead(features, params.width, "residual", params.dropout)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / params.temperature)))

    def of_words(self, vectors: Tensor) -> Tensor:
        """Text vectors [T, D] -> [T, W]; lengths between 0 and 2."""
        standard = (vectors - self.words.center) / self.words.spread
        return F.normalize(self.words(vectors), dim=-1) * (2 * torch.sigmoid(self.importance(standard)))

    def of_places(self, places: Tensor) -> Tensor:
        """[B, S^2, C] -> unit rows [B, S^2, W]."""
        return F.normalize(self.places(places), dim=-1)

    def of_whole(self, pooled: Tensor) -> Tensor:
        """[B, F] -> unit rows [B, 1, W]."""
        return F.normalize(self.whole(pooled), dim=-1).unsqueeze(1)

    def of_picture(self, places: Tensor, pooled: Tensor) -> Tensor:
        """-> unit rows [B, J, W]."""
        return torch.cat([self.of_places(places), self.of_whole(pooled)], dim=1)


def pooled_places(found: Tensor, side: int) -> Tensor:
    """A map [B, C, h, w] -> [B, S^2, C], the mean of each place."""
    return F.adaptive_avg_pool2d(found, side).flatten(2).transpose(1, 2)
