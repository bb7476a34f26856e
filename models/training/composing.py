"""Training of the learned composer on vectors that are already there: seconds to a minute on two cores.

A pair (a, b) differs in one facet. Asked with the photo of a and words for b's value, b must be found among the
products of its batch, in each of its vectors (fused, image, text); others of the batch that have all that is wanted
count as found too. Legend: B batch, D width, N products.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from models.composer import Floats
from models.embeddings import Mask
from models.training.changes import Change, ChangePairs, ChangeWords
from models.training.compose_params import ComposeParams
from models.training.composer_network import ComposerNetwork
from models.training.losses import soft_targets
from models.training.pairs import TruthTable


@dataclass(frozen=True)
class ChangeData:
    """Products that can be changed, the words that ask for it, and the vectors of both.

    `vectors`: fused, image, text -> [N, D], and `present` -> [N], False where a product has none; `photos` is the name
    of those that queries are asked with. `words`: [T, D] of said.texts.
    """

    pairs: ChangePairs
    said: ChangeWords
    truth: TruthTable
    words: Floats
    vectors: Mapping[str, Floats]
    present: Mapping[str, Mask]
    photos: str = "image"

    def draw(self, count: int, rng: random.Random) -> "Asked":
        """`count` random changes, in words."""
        changes = [self.pairs.draw(rng) for _ in range(count)]
        said = [self.said.draw(change, self.pairs.wanted(change), rng) for change in changes]
        targets = np.array([change.target for change in changes], dtype=np.int64)
        return Asked(
            changes,
            photos=self.vectors[self.photos][[change.source for change in changes]],
            words=self.words[[number for number, _ in said]],
            targets=targets,
            wanted=self.truth.of_phrases([phrase for _, phrase in said], targets),
        )


@dataclass(frozen=True)
class Asked:
    """B changes: `photos`, `words` [B, D], the rows of `targets` [B], and who of them fits whom, `wanted` [B, B]."""

    changes: list[Change]
    photos: Floats
    words: Floats
    targets: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    wanted: Mask


def train_composer(data: ChangeData, params: ComposeParams) -> dict[str, Floats]:
    """The weights of a LearnedComposer. The same data, params and machine give the same weights."""
    torch.manual_seed(params.seed)
    rng = random.Random(params.seed)
    network = ComposerNetwork(data.words.shape[1], params.hidden, params.dropout).train()
    optimiser = torch.optim.AdamW(network.parameters(), params.learning_rate, weight_decay=params.weight_decay)
    size = min(params.batch_size, max(2, len(data.pairs.sources)))
    steps = max(2, params.epochs * len(data.pairs.sources) // size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, params.learning_rate, total_steps=steps, pct_start=params.warmup_fraction
    )
    targets = {name: torch.from_numpy(vectors) for name, vectors in data.vectors.items()}
    for _ in range(steps):
        asked = data.draw(size, rng)
        composed = network(torch.from_numpy(asked.photos), torch.from_numpy(asked.words))
        wanted = torch.from_numpy(asked.wanted)
        losses = []
        for name, vectors in targets.items():
            there = torch.from_numpy(data.present[name][asked.targets])
            logits = composed @ vectors[torch.from_numpy(asked.targets)][there].T / params.temperature
            losses.append(soft_targets(logits, wanted[:, there]))
        loss = torch.stack(losses).mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return network.weights()


def untrained(dim: int, hidden: int) -> dict[str, Floats]:
    """The weights that training starts from: a plain sum, but for its length."""
    return ComposerNetwork(dim, hidden, 0.0).weights()
