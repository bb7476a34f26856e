"""What an objective is: it reads a batch's vectors and gives a loss.

An objective is a module: what it learns beside the model (a bias, a head) trains and is checkpointed with it, and
is not part of the saved model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from torch import Tensor, nn

from catalog.products import Product
from models.dual_encoder import DualEncoder
from models.training.encoded import Encoded
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
    """Encoded batch -> Value. The value of a batch that says nothing about it is 0, with no parts.

    `labelled`: whether it is for batches with titles, phrases and queries, or for those of a warm-up.
    """

    labelled = True

    @classmethod
    def build(cls, given: Given) -> Self | None:
        """The objective that the params ask for; None when they ask for none."""
        raise NotImplementedError

    def forward(self, encoded: Encoded) -> Value:
        """The value of one batch."""
        raise NotImplementedError
