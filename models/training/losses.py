"""Losses over a batch: texts on one side, products on the other, and which text is true of which product.

Legend: T texts, N products, D width. `logits` [T, N] = scale * texts [T, D] @ products.T [D, N], of unit vectors.
`positive` [T, N] bool: text i is true of product j. A text can be true of several products ("red shirt"), and a
product has several texts.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.training.params import LossName

MAX_SCALE = 100.0  # as in CLIP: a sharper temperature than 0.01 only makes training jump


def soft_targets(logits: Tensor, positive: Tensor) -> Tensor:
    """-1/|P(i)| * sum over j in P(i) of log softmax(logits_i)_j, the mean over rows i of it; P(i): the positives of i.

    Rows with no positive say nothing and are left out; 0 when no row has one.
    """
    share = positive.to(logits.dtype)
    count = share.sum(dim=1)  # [T]
    row = -(F.log_softmax(logits, dim=1) * share).sum(dim=1) / count.clamp(min=1)
    rows = (count > 0).to(logits.dtype)
    return (row * rows).sum() / rows.sum().clamp(min=1)


class Contrastive(nn.Module):
    """InfoNCE in both directions with several positives per row (the "out" form of SupCon, Khosla et al. 2020):
    half the loss of finding the products of each text, half that of finding the texts of each product.
    """

    def forward(self, logits: Tensor, positive: Tensor) -> Tensor:
        """logits [T, N], positive [T, N] -> scalar."""
        return (soft_targets(logits, positive) + soft_targets(logits.T, positive.T)) / 2


class Sigmoid(nn.Module):
    """Every pair on its own (SigLIP, Zhai et al. 2023):  1/T * sum over i, j of -log sigmoid(z_ij (logit_ij + bias)),

    z = 1 where text i is true of product j, -1 elsewhere. The bias is learned; it starts low because nearly all
    pairs are negative.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.tensor(-10.0))

    def forward(self, logits: Tensor, positive: Tensor) -> Tensor:
        """logits [T, N], positive [T, N] -> scalar."""
        sign = positive.to(logits.dtype) * 2 - 1
        return -F.logsigmoid(sign * (logits + self.bias)).sum() / max(1, logits.shape[0])


LOSSES: Mapping[LossName, type[nn.Module]] = {"contrastive": Contrastive, "sigmoid": Sigmoid}


@dataclass(frozen=True)
class Pairing:
    """Two sides of a batch that should find each other: texts [T, D], products [N, D], positive [T, N], a weight."""

    name: str
    texts: Tensor
    products: Tensor
    positive: Tensor
    weight: float


def total_loss(pairings: Sequence[Pairing], logit_scale: Tensor, loss: nn.Module) -> tuple[Tensor, dict[str, Tensor]]:
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
            logits = scale * pairing.texts.float() @ pairing.products.float().T
            value: Tensor = loss(logits, pairing.positive)
        total = total + pairing.weight * value
        weight += pairing.weight
        parts[pairing.name] = value.detach()
    return total / max(weight, 1e-9), parts


def clamp_scale(logit_scale: Tensor) -> None:
    """Keep the learned scale in [1, MAX_SCALE], in place; call after every update."""
    with torch.no_grad():
        logit_scale.clamp_(0.0, math.log(MAX_SCALE))
