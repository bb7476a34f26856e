"""Recurrent readers: a BiLSTM with max-pooled states (Conneau et al. 2017), a GRU's last state (Cho et al. 2014).

Legend: B texts, L words, E numbers of a word, H = `text_width` numbers of a state.
"""

import torch
from torch import Tensor, nn

from models.params import ModelParams
from models.towers.reader import Reader


class BiLstm(Reader):
    """Word vectors -> [B, 2H]: the highest value of each number over the text, forwards and backwards.

    Two one-way networks: the backward one reads each text turned around within its own length, so padding comes last
    for both.
    """

    def __init__(self, dim: int, params: ModelParams) -> None:
        super().__init__()
        self.forwards = nn.LSTM(dim, params.text_width, batch_first=True)
        self.backwards = nn.LSTM(dim, params.text_width, batch_first=True)
        self.width = 2 * params.text_width

    def forward(self, words: Tensor, present: Tensor, weights: Tensor) -> Tensor:
        """See Reader."""
        states = torch.cat([self.forwards(words)[0], self.backwards(turned(words, present))[0]], dim=-1)  # [B, L, 2H]
        there = present.unsqueeze(-1)
        return (states * there - (1 - there)).amax(dim=1)  # a state is above -1


class Gru(Reader):
    """Word vectors -> [B, H]: the state after the last word."""

    def __init__(self, dim: int, params: ModelParams) -> None:
        super().__init__()
        self.network = nn.GRU(dim, params.text_width, batch_first=True)
        self.width = params.text_width

    def forward(self, words: Tensor, present: Tensor, weights: Tensor) -> Tensor:
        """See Reader."""
        states: Tensor = self.network(words)[0]  # [B, L, H]
        last = present.sum(dim=1).long() - 1
        return states.gather(1, last.view(-1, 1, 1).expand(-1, 1, self.width)).squeeze(1)


def turned(words: Tensor, present: Tensor) -> Tensor:
    """[B, L, E] with the words of each text in the opposite order, padding still last.

    >>> turned(torch.tensor([[[1.0], [2.0], [0.0]]]), torch.tensor([[1.0, 1.0, 0.0]])).flatten().tolist()
    [2.0, 1.0, 0.0]
    """
    place = torch.arange(words.shape[1], device=words.device).unsqueeze(0)  # [1, L]
    length = present.sum(dim=1, keepdim=True).long()  # [B, 1]
    source = torch.where(place < length, length - 1 - place, place)
    return words.gather(1, source.unsqueeze(-1).expand(-1, -1, words.shape[2]))
