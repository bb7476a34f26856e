"""Losses over a batch: texts on one side, products on the other, and how true each text is of each product.

Legend: T texts, N products, D width. `logits` [T, N] = scale * texts [T, D] @ products.T [D, N], of unit vectors.
`relevance` [T, N]: bool, or a grade in [0, 1]; above 0 text i is true of product j. A text can be true of several
products ("red shirt"), and a product has several texts. A side may as well be the same products seen another way.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.training.params import LossName

MAX_SCALE = 100.0  # as in CLIP: a sharper temperature than 0.01 only makes training jump


def soft_targets(logits: Tensor, relevance: Tensor) -> Tensor:
    """- sum over j of t_ij log softmax(logits_i)_j, the mean over rows i of it;  t_ij = r_ij / sum over k of r_ik.

    So the positives of a row share the target evenly, or by their grades (generalised contrastive learning, Zhu et
    al. 2024). Rows with no positive say nothing and are left out; 0 when no row has one.
    """
    share = relevance.to(logits.dtype)
    count = share.sum(dim=1)  # [T]
    row = -(F.log_softmax(logits, dim=1) * share).sum(dim=1) / count.clamp(min=1e-9)
    rows = (count > 0).to(logits.dtype)
    return (row * rows).sum() / rows.sum().clamp(min=1)


class Loss(nn.Module):
    """(logits [T, N], relevance [T, N]) -> scalar, at least 0; 0 for a batch without positives.

    `margin`: how much closer a positive should be than a negative, for losses that have no temperature.
    """

    of_cosines = False  # whether it takes cosines in the place of logits

    def __init__(self, margin: float = 0.2) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, logits: Tensor, relevance: Tensor) -> Tensor:
        """The value of one side against the other."""
        raise NotImplementedError


class Contrastive(Loss):
    """InfoNCE in both directions with several positives per row (the "out" form of SupCon, Khosla et al. 2020):
    half the loss of finding the products of each text, half that of finding the texts of each product.
    """

    def forward(self, logits: Tensor, relevance: Tensor) -> Tensor:
        """See Loss."""
        return (soft_targets(logits, relevance) + soft_targets(logits.T, relevance.T)) / 2


class Sigmoid(Loss):
    """Every pair on its own (SigLIP, Zhai et al. 2023):  -1/T * sum over i, j of

    r_ij log s(logit_ij + bias) + (1 - r_ij) log s(-logit_ij - bias),    s(x) = 1 / (1 + e^-x).

    The bias is learned; it starts low because nearly all pairs are negative.
    """

    def __init__(self, margin: float = 0.2) -> None:
        super().__init__(margin)
        self.bias = nn.Parameter(torch.tensor(-10.0))

    def forward(self, logits: Tensor, relevance: Tensor) -> Tensor:
        """See Loss."""
        shifted, share = logits + self.bias, relevance.to(logits.dtype)
        likelihood = share * F.logsigmoid(shifted) + (1 - share) * F.logsigmoid(-shifted)
        return -(likelihood.sum() * relevance.any()) / max(1, logits.shape[0])


class Triplet(Loss):
    """A positive is closer than a negative by a margin (FaceNet, Schroff et al. 2015), in both directions:

    mean over positives (i, j) of  max(0, margin * r_ij + c_in - c_ij),    c: cosines.

    n is the semi-hard negative: the closest of those farther than the positive; where none is farther, the farthest.
    Positives of a row that has no negative are left out.
    """

    of_cosines = True

    def forward(self, cosines: Tensor, relevance: Tensor) -> Tensor:
        """See Loss."""
        grades = relevance.to(cosines.dtype)
        return (self._one_way(cosines, grades) + self._one_way(cosines.T, grades.T)) / 2

    def _one_way(self, cosines: Tensor, grades: Tensor) -> Tensor:
        negative = grades == 0
        mined = semi_hard(cosines, negative)
        counts = (grades > 0) & negative.any(dim=1, keepdim=True)
        violation = F.relu(self.margin * grades + torch.where(counts, mined - cosines, 0.0))
        return (violation * counts).sum() / counts.sum().clamp(min=1)


def semi_hard(cosines: Tensor, negative: Tensor) -> Tensor:
    """[T, N]: for each cell (i, j) the largest cosine of a negative of row i that is below cosines[i, j], or the
    least of them where none is below; infinite in a row without negatives."""
    ordered = cosines.masked_fill(~negative, torch.inf).sort(dim=1).values.contiguous()  # negatives first
    below = torch.searchsorted(ordered.detach(), cosines.detach().contiguous())  # how many are strictly below
    return ordered.gather(1, (below - 1).clamp(min=0))


LOSSES: Mapping[LossName, type[Loss]] = {"contrastive": Contrastive, "sigmoid": Sigmoid, "triplet": Triplet}


@dataclass(frozen=True)
class Pairing:
    """Two sides of a batch that should find each other: texts [T, D], products [N, D], relevance [T, N], a weight."""

    name: str
    texts: Tensor
    products: Tensor
    relevance: Tensor
    weight: float


def total_loss(pairings: Sequence[Pairing], logit_scale: Tensor, loss: Loss) -> tuple[Tensor, dict[str, Tensor]]:
    """Weighted mean of `loss` over the pairings, in float32 whatever the vectors came in.

    `logit_scale` is the logarithm of the scale (1 / temperature). Pairings with no rows on a side (a batch without
    pictures) are left out. Returns the total and, for curves, each pairing's own loss, detached.
    """
    scale = logit_scale.float().exp()
    total = logit_scale.float() * 0.0
    weight = 0.0
    parts: dict[str, Tensor] = {}
    for pairing in pairings:
        if pairing.weight == 0 or not len(pairing.texts) or not len(pairing.products):
            continue
        with torch.autocast(device_type=pairing.texts.device.type, enabled=False):
            texts = pairing.texts.float() if loss.of_cosines else scale * pairing.texts.float()
            value: Tensor = loss(texts @ pairing.products.float().T, pairing.relevance)
        total = total + pairing.weight * value
        weight += pairing.weight
        parts[pairing.name] = value.detach()
    return total / max(weight, 1e-9), parts


def clamp_scale(logit_scale: Tensor) -> None:
    """Keep the learned scale in [1, MAX_SCALE], in place; call after every update."""
    with torch.no_grad():
        logit_scale.clamp_(0.0, math.log(MAX_SCALE))
