"""A small network over features, in numpy: two hidden layers with ReLU. It is trained in torch (evaluation).

Contributions are gradient x input. The network is linear around every row, so they and what is left of the score,
the base, sum to it exactly. Legend: C candidates, F features, H hidden units.
"""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from catalog.arrays import read_arrays
from catalog.errors import NotReady
from search.ranking.features import Floats

MODEL = "neural.npz"
FARTHEST = 5.0  # standard deviations: a feature further out counts as this far


@dataclass(frozen=True)
class Weights:
    """Arrays of one network. Inputs are F standardised features and F flags "not known"."""

    mean: Floats  # [F], of the training rows, as is the spread
    spread: Floats  # [F]
    first: Floats  # [2 F, H1]
    first_bias: Floats  # [H1]
    second: Floats  # [H1, H2]
    second_bias: Floats  # [H2]
    last: Floats  # [H2]


class Network:
    """See search.ranking.ranker.Ranker."""

    def __init__(self, weights: Weights, features: tuple[str, ...]) -> None:
        """Raises NotReady when the weights are of another number of features."""
        if weights.mean.shape != (len(features),) or weights.first.shape[0] != 2 * len(features):
            raise NotReady(f"The network looks at {len(weights.mean)} features, and {len(features)} are named.")
        self.weights = weights
        self.features = features

    def scores(self, features: Floats) -> Floats:
        """See Ranker."""
        w = self.weights
        hidden = np.maximum(inputs_of(features, w.mean, w.spread) @ w.first + w.first_bias, 0.0)
        scores: Floats = np.maximum(hidden @ w.second + w.second_bias, 0.0) @ w.last
        return scores

    def contributions(self, features: Floats) -> Floats:
        """See Ranker. What is not known adds to its feature."""
        w = self.weights
        x = inputs_of(features, w.mean, w.spread)
        one = x @ w.first + w.first_bias
        two = np.maximum(one, 0.0) @ w.second + w.second_bias
        gradient = (((two > 0) * w.last) @ w.second.T * (one > 0)) @ w.first.T  # [C, 2 F]
        known, missing = np.split(gradient * x, 2, axis=1)
        added = known + missing
        return np.column_stack([added, self.scores(features) - added.sum(axis=1)])

    def save(self, folder: Path) -> None:
        """See Ranker."""
        with (folder / MODEL).open("wb") as file:
            np.savez(file, **{field.name: getattr(self.weights, field.name) for field in fields(Weights)})

    @classmethod
    def load(cls, folder: Path, features: tuple[str, ...]) -> "Network":
        """What `save` wrote. Raises NotReady."""
        try:
            arrays = read_arrays(folder / MODEL)
            weights = Weights(**{field.name: arrays[field.name] for field in fields(Weights)})
        except FileNotFoundError:
            raise NotReady(f"{folder / MODEL} is missing: run the rank stage.") from None
        except (KeyError, ValueError, OSError) as error:
            raise NotReady(f"{folder / MODEL} holds no network: {error}.") from None
        return cls(weights, features)


def inputs_of(features: Floats, mean: Floats, spread: Floats) -> Floats:
    """[C, 2 F]: features in standard deviations from their mean, 0 where not known; and 1 where not known, else 0."""
    missing = np.isnan(features)
    standard = np.clip((np.where(missing, mean, features) - mean) / spread, -FARTHEST, FARTHEST)
    return np.concatenate([standard, missing], axis=1)
