"""Cross-modal consistency: words and pictures of the same products lie in the same arrangement.

Legend: N products of a batch with words and a picture, D width.
"""

from typing import Self

import torch
from torch import Tensor

from models.training.encoded import Encoded
from models.training.objective import Given, Objective, Value


class Consistency(Objective):
    """CyCLIP (Goel et al. 2022), on cosines:  (1/N) * sum over j, k of (v_j.v_k - w_j.w_k)^2 + (v_j.w_k - v_k.w_j)^2

    v: pictures, w: the same products' words. The first term compares distances within each modality, the second
    makes the distances across them symmetric.
    """

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight

    @classmethod
    def build(cls, given: Given) -> Self | None:
        """See Objective."""
        return cls(given.params.consistency) if given.params.consistency else None

    def forward(self, encoded: Encoded) -> Value:
        """See Objective."""
        both = encoded.has_words[encoded.shown]
        pictures, words = encoded.pictures[both], encoded.words[encoded.shown][both]
        if not len(pictures):
            return Value(encoded.logit_scale.float() * 0.0, {})
        with torch.autocast(device_type=pictures.device.type, enabled=False):
            value = inconsistency(pictures.float(), words.float())
        return Value(self.weight * value, {"consistency": value.detach()})


def inconsistency(pictures: Tensor, words: Tensor) -> Tensor:
    """[N, D], [N, D] unit rows -> scalar; see Consistency."""
    within = pictures @ pictures.T - words @ words.T
    across = pictures @ words.T
    return (within.square().sum() + (across - across.T).square().sum()) / len(pictures)
