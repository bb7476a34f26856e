"""What training descends: objectives that read a batch's vectors and give a loss each; their sum is the loss.

    objectives = build_objectives(Given(params, model, products))
    total, parts = total_of(objectives, encoded)

An objective is a module: what it learns beside the model (a bias, a head) trains and is checkpointed with it, and
is not part of the saved model. A new one is a class here or in a file of its own, named in OBJECTIVES.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from torch import Tensor, nn

from catalog.products import Product
from models.dual_encoder import DualEncoder
from models.training.encoded import Encoded
from models.training.losses import LOSSES, Pairing, total_loss
from models.training.params import TrainParams


@dataclass(frozen=True)
class Given:
    """What an objective may be made from."""

    params: TrainParams
    model: DualEncoder
    products: Sequence[Product]  # of the training split; Batch.rows counts in them


class Value(NamedTuple):
    """A loss, weighted already, and its parts by name for the curves, detached and not weighted."""

    loss: Tensor
    parts: Mapping[str, Tensor]


class Objective(nn.Module):
    """Encoded batch -> Value. The value of a batch that says nothing about it is 0, with no parts."""

    @classmethod
    def build(cls, given: Given) -> Self | None:
        """The objective that the params ask for; None when they ask for none."""
        raise NotImplementedError

    def forward(self, encoded: Encoded) -> Value:
        """The value of one batch."""
        raise NotImplementedError


class Matching(Objective):
    """Texts find pictures and fused products: the weighted mean of `train.loss` over the pairs of `train.weights`."""

    def __init__(self, params: TrainParams) -> None:
        super().__init__()
        self.loss = LOSSES[params.loss](params.margin)
        self.weights = params.weights

    @classmethod
    def build(cls, given: Given) -> Self | None:
        """Always there."""
        return cls(given.params)

    def forward(self, encoded: Encoded) -> Value:
        """See Objective."""
        e, weights = encoded, self.weights
        pairings = [
            Pairing("title_image", e.titles, e.pictures, e.title_true[:, e.shown], weights.title_image),
            Pairing("phrase_image", e.phrases, e.pictures, e.phrase_true[:, e.shown], weights.phrase_image),
            Pairing("title_product", e.titles, e.products, e.title_true, weights.title_product),
            Pairing("phrase_product", e.phrases, e.products, e.phrase_true, weights.phrase_product),
        ]
        return Value(*total_loss(pairings, e.logit_scale, self.loss))


def build_objectives(given: Given) -> nn.ModuleDict:
    """The objectives that the params ask for, on the model's device, in the order of OBJECTIVES."""
    built = {name: kind.build(given) for name, kind in OBJECTIVES.items()}
    return nn.ModuleDict({name: one for name, one in built.items() if one is not None}).to(given.model.device)


def total_of(objectives: nn.ModuleDict, encoded: Encoded) -> tuple[Tensor, dict[str, Tensor]]:
    """The sum of all objectives and every part by name."""
    first, *others = [objective(encoded) for objective in objectives.values()]
    total, parts = first.loss, dict(first.parts)
    for value in others:
        total = total + value.loss
        parts.update(value.parts)
    return total, parts


OBJECTIVES: Mapping[str, type[Objective]] = {"matching": Matching}
