"""TextCNN (Kim 2014): filters over three, four and five words, each filter's highest answer anywhere in the text.

Legend: B texts, L words, E numbers of a word, C filters of one length.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.params import ModelParams
from models.towers.reader import Reader

LENGTHS = (3, 4, 5)  # words under a filter
FILTERS = 100  # of each length


class Convolutions(Reader):
    """Word vectors -> [B, 3C]."""

    def __init__(self, dim: int, params: ModelParams) -> None:
        super().__init__()
        self.filters = nn.ModuleList(nn.Conv1d(dim, FILTERS, length) for length in LENGTHS)
        self.width = FILTERS * len(LENGTHS)

    def forward(self, words: Tensor, present: Tensor, weights: Tensor) -> Tensor:
        """See Reader. A filter stands around each word of the text, over zeros where the text has ended."""
        across = words.transpose(1, 2)  # [B, E, L]
        highest = []
        for length, filters in zip(LENGTHS, self.filters, strict=True):
            before = (length - 1) // 2
            answers = F.relu(filters(F.pad(across, (before, length - 1 - before))))  # [B, C, L]
            highest.append((answers * present.unsqueeze(1)).amax(dim=2))
        return torch.cat(highest, dim=1)
