"""The network of the learned composer, in torch; models.composer.LearnedComposer runs the same weights in numpy.

Legend: B batch, D width of the space, H hidden width.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.composer import Floats, shapes


class ComposerNetwork(nn.Module):
    """unit( sigmoid(gate(z)) * photo + scale * words + residual(z) ), z = [photo, words]; see LearnedComposer.

    Its last layers start at zero: the gate half open, the residual silent, so it begins as a sum.
    """

    def __init__(self, dim: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.dim, self.hidden = dim, hidden
        self.gate, self.residual = _Layers(dim, hidden, dropout), _Layers(dim, hidden, dropout)
        self.scale = nn.Parameter(torch.tensor(0.5))

    def forward(self, photo: Tensor, words: Tensor) -> Tensor:
        """Unit rows [B, D] each -> unit rows [B, D]."""
        both = torch.cat([photo, words], dim=-1)
        kept = torch.sigmoid(self.gate(both)) * photo
        return F.normalize(kept + self.scale * words + self.residual(both), dim=-1)

    def weights(self) -> dict[str, Floats]:
        """What LearnedComposer takes."""
        named = {name: value.detach().cpu().numpy().astype(np.float32) for name, value in self.state_dict().items()}
        assert {name: array.shape for name, array in named.items()} == shapes(self.dim, self.hidden)
        return named


class _Layers(nn.Module):
    """Linear 2D -> H, ReLU, dropout, linear H -> D."""

    def __init__(self, dim: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.first, self.second, self.dropout = nn.Linear(2 * dim, hidden), nn.Linear(hidden, dim), nn.Dropout(dropout)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, both: Tensor) -> Tensor:
        out: Tensor = self.second(self.dropout(F.relu(self.first(both))))
        return out
