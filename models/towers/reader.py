"""What reads the vectors of a text's words in a WordTower.

Legend: B texts, L words, E numbers of a word, W width.
"""

from torch import Tensor, nn


class Reader(nn.Module):
    """Word vectors [B, L, E], zero where there is no word, -> texts [B, W]. Padding must change nothing."""

    width: int

    def forward(self, words: Tensor, present: Tensor, weights: Tensor) -> Tensor:
        """`present` [B, L]: 1 where there is a word, all of them in front. `weights` [B, L]: what each counts for."""
        raise NotImplementedError
