"""From a map of features to one row: its mean, or the means of its parts at several levels.

Spatial pyramid pooling (He et al. 2014): the whole map, its quarters, its sixteenths, side by side, so a row still
says roughly where something is. Parts of a side that does not divide share a row of the map, as in torch's
adaptive pooling; here they are a product of matrices, which exports to ONNX for every size.

Legend: B pictures, C channels, H, W height and width of the map, P parts in all.
"""

import torch
from torch import Tensor, nn

from models.params import ModelParams


class MapPooling(nn.Module):
    """[B, C, H, W] -> [B, P * C], part by part. `levels`: into how many parts a side is cut, for each level."""

    def __init__(self, levels: tuple[int, ...]) -> None:
        super().__init__()
        self.levels = levels
        self.parts = sum(level**2 for level in levels)

    @classmethod
    def of(cls, params: ModelParams) -> "MapPooling":
        """As `params` say."""
        return cls(params.image_pyramid if params.image_pooling == "pyramid" else (1,))

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        return torch.cat([part.flatten(1) for part in self.pieces(features)], dim=1)

    def pieces(self, features: Tensor) -> list[Tensor]:
        """[B, C, H, W] -> P times [B, C]."""
        found = []
        for level in self.levels:
            if level == 1:
                found.append(features.mean(dim=(2, 3)))
                continue
            rows, columns = (windows(side, level).to(features) for side in features.shape[2:])
            means = rows @ features @ columns.T  # [B, C, level, level]
            found += [means[:, :, row, column] for row in range(level) for column in range(level)]
        return found


def windows(side: int, parts: int) -> Tensor:
    """[parts, side]: each row takes the mean of one part.

    >>> windows(3, 2).tolist()
    [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]
    """
    spans = [(part * side // parts, -(-(part + 1) * side // parts)) for part in range(parts)]
    return torch.tensor([[(first <= x < last) / (last - first) for x in range(side)] for first, last in spans])
