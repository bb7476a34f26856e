"""Texts on their way into the text tower: remembered backbone outputs where the backbone is frozen, else tokens.

Legend: T texts, R numbers of the part that never changes, W tower width.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from models.dual_encoder import DualEncoder
from models.training.features import Features, FeatureStore, fill, text_key, untrained

CHUNK = 64  # texts through the backbone at once


class Texts(Protocol):
    """Pooled backbone outputs of texts."""

    def missing(self, texts: Iterable[str]) -> int:
        """How many of `texts` `prepare` would compute."""

    def prepare(self, texts: Iterable[str]) -> Iterator[int]:
        """Get ready for `texts`; yields how many were computed after each chunk."""

    def rested(self, model: DualEncoder, texts: Sequence[str]) -> Tensor:
        """T texts -> [T, R] on the model's device: of the part that never changes. Not for a live tower."""

    def pooled(self, model: DualEncoder, texts: Sequence[str]) -> Tensor:
        """T texts -> [T, W] on the model's device."""


class RememberedTexts:
    """A frozen backbone runs once for each distinct text; its outputs lie in a store.

    Texts are sorted by length before they are cut into chunks, so little is padded, and the same texts always meet
    in the same chunks.
    """

    def __init__(self, model: DualEncoder, store: FeatureStore) -> None:
        self.model, self.store = model, store

    def missing(self, texts: Iterable[str]) -> int:
        """See Texts."""
        return len(self.store.missing(map(text_key, texts)))

    def prepare(self, texts: Iterable[str]) -> Iterator[int]:
        """See Texts."""
        by_key = {text_key(text): text for text in sorted(set(texts), key=lambda text: (len(text), text))}

        def compute(keys: list[str]) -> Features:
            with torch.inference_mode():
                resting = self.model.text.resting
                backbone = resting.backbone(resting.tokenize([by_key[key] for key in keys]))
            features: Features = backbone.float().cpu().numpy()
            return features

        yield from fill(self.store, by_key, compute, CHUNK)

    def rested(self, model: DualEncoder, texts: Sequence[str]) -> Tensor:
        """See Texts."""
        return torch.from_numpy(self.store.rows([text_key(text) for text in texts])).to(model.device)

    def pooled(self, model: DualEncoder, texts: Sequence[str]) -> Tensor:
        """See Texts."""
        parts = [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)]
        return torch.cat([model.text.completed(self.rested(model, part), part) for part in parts])


class LiveTexts:
    """The backbone runs, with gradients while training."""

    def missing(self, texts: Iterable[str]) -> int:
        """None: nothing is kept."""
        return 0

    def prepare(self, texts: Iterable[str]) -> Iterator[int]:
        """Nothing to do."""
        return iter(())

    def rested(self, model: DualEncoder, texts: Sequence[str]) -> Tensor:
        """See Texts."""
        raise NotImplementedError("a tower of which all may change keeps nothing")

    def pooled(self, model: DualEncoder, texts: Sequence[str]) -> Tensor:
        """See Texts."""
        if torch.is_grad_enabled():
            return model.text.backbone(model.text.tokenize(texts))
        parts = [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)]
        return torch.cat([model.text.backbone(model.text.tokenize(part)) for part in parts])


def texts_folder(model: DualEncoder, shared: Path) -> Path:
    """Where in `shared` the outputs of the resting part of the text tower are kept, for every model that has it."""
    return shared / f"texts-{untrained(model.text.resting)}"


def open_texts(model: DualEncoder, folder: Path) -> Texts:
    """Remembered outputs of a frozen backbone, kept in `folder`; or tokens when it trains."""
    return LiveTexts() if model.text.live else RememberedTexts(model, FeatureStore.open(folder, "float32"))
