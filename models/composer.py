"""From the parts of a query to one vector: a photo and the words said about it ("like this, in red").

    composer = load_composer()
    composer.compose(photo, words, share=0.5) -> float32 [D], unit length

`sum` is arithmetic; `learned` was trained by models.compose on pairs of products that differ in one attribute, and
runs here in numpy: no torch. Legend: D width of the space, H hidden width.

composer.json      which composer, the fingerprint of the encoder whose vectors it takes, D and H
composer.npz       weights of `learned`
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import read_arrays
from catalog.errors import InvalidQuery, NotReady
from catalog.workspace import COMPOSER

Floats = NDArray[np.float32]
ComposerName = Literal["sum", "learned"]

FORMAT = 1
ABOUT = "composer.json"
WEIGHTS = "composer.npz"
_NOTHING = 1e-6  # a vector shorter than this points nowhere


class Composer(Protocol):
    """Composes a photo and words. Threads may share it."""

    @property
    def name(self) -> ComposerName:
        """Its name in COMPOSERS."""

    @property
    def encoder(self) -> str | None:
        """Fingerprint of the encoder whose vectors it takes; None takes those of any."""

    def compose(self, photo: Floats, words: Floats, share: float) -> Floats:
        """Unit vectors [D] -> unit vector [D]; `share` of the words: 0 is the photo alone, 1 the words alone."""

    def save(self, folder: Path) -> None:
        """Write what `load_composer` reads."""


def weighted_sum(parts: Sequence[tuple[Floats, float]]) -> Floats:
    """(vector [D], weight) of each part of a query -> their sum [D], unit length.

    Raises InvalidQuery when nothing is left of it.
    """
    total = np.sum([np.asarray(vector, dtype=np.float32) * weight for vector, weight in parts], axis=0)
    length = float(np.linalg.norm(total))
    if length < _NOTHING:
        raise InvalidQuery("The parts of the query cancel each other out: give one of them a weight above 0.")
    return np.asarray(total / length, dtype=np.float32)


@dataclass(frozen=True)
class SumComposer:
    """(1 - share) photo + share words."""

    name: ComposerName = "sum"
    encoder: str | None = None

    def compose(self, photo: Floats, words: Floats, share: float) -> Floats:
        """See Composer."""
        return weighted_sum([(words, share), (photo, 1.0 - share)])

    def save(self, folder: Path) -> None:
        """Write composer.json."""
        _write_about(folder, self, {})


@dataclass(frozen=True)
class LearnedComposer:
    """What of the photo to keep and what to change, read off both (after TIRG: Vo et al., "Composing Text and Image
    for Image Retrieval", CVPR 2019).

        out = unit( sigmoid(gate(z)) * photo + scale * words + residual(z) ),   z = [photo, words]

    gate and residual: linear 2D -> H, ReLU, linear H -> D. Unlike TIRG the words themselves are added, because here
    they lie in the same space as the photo: an untrained network is a plain sum. With `share` 0.5 the answer is `out`;
    below, it moves to the photo, above, to the words.
    """

    encoder: str | None
    weights: Mapping[str, Floats] = field(repr=False)
    name: ComposerName = "learned"

    def compose(self, photo: Floats, words: Floats, share: float) -> Floats:
        """See Composer."""
        both = np.concatenate([photo, words]).astype(np.float32)
        kept = (photo * (1.0 + np.tanh(self._layers("gate", both) / 2)) / 2).astype(np.float32)  # sigmoid, no overflow
        scale, residual = float(self.weights["scale"]), self._layers("residual", both)
        composed = weighted_sum([(kept, 1.0), (words, scale), (residual, 1.0)])
        end, away = (words, 2 * share - 1) if share > 0.5 else (photo, 1 - 2 * share)
        return weighted_sum([(composed, 1 - away), (end, away)])

    def _layers(self, name: str, both: Floats) -> Floats:
        """[2D] -> [D]."""
        own = self.weights
        hidden = np.maximum(own[f"{name}.first.weight"] @ both + own[f"{name}.first.bias"], 0)
        out: Floats = own[f"{name}.second.weight"] @ hidden + own[f"{name}.second.bias"]
        return out

    def save(self, folder: Path) -> None:
        """Write composer.npz, then composer.json."""
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / WEIGHTS, **self.weights)  # type: ignore[arg-type]
        hidden, both = self.weights["gate.first.weight"].shape
        _write_about(folder, self, {"dim": both // 2, "hidden": hidden})


def shapes(dim: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """The weights of `learned`, by name."""
    layers = {
        "first.weight": (hidden, 2 * dim),
        "first.bias": (hidden,),
        "second.weight": (dim, hidden),
        "second.bias": (dim,),
    }
    return {f"{net}.{name}": shape for net in ("gate", "residual") for name, shape in layers.items()} | {"scale": ()}


def load_composer(folder: Path = COMPOSER) -> Composer:
    """Read `folder`. Raises NotReady when it is missing or wrong."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if about["format"] != FORMAT:
            raise NotReady(f"{folder} has format {about['format']}, this version reads {FORMAT}.")
        return COMPOSERS[about["composer"]](folder, about)
    except FileNotFoundError as error:
        raise NotReady(f"{error.filename} is missing: run the compose stage.") from None
    except (KeyError, ValueError) as error:
        raise NotReady(f"{folder} holds no composer of this version ({error}): run the compose stage again.") from None


def _load_sum(folder: Path, about: Mapping[str, object]) -> Composer:
    return SumComposer()


def _load_learned(folder: Path, about: Mapping[str, object]) -> Composer:
    wanted = shapes(int(str(about["dim"])), int(str(about["hidden"])))
    weights = {name: array.astype(np.float32) for name, array in read_arrays(folder / WEIGHTS).items()}
    if {name: array.shape for name, array in weights.items()} != wanted:
        raise NotReady(f"{folder / WEIGHTS} does not fit {ABOUT}: run the compose stage again.")
    return LearnedComposer(encoder=str(about["encoder"]), weights=weights)


def _write_about(folder: Path, composer: Composer, shape: Mapping[str, int]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    about = {"format": FORMAT, "composer": composer.name, "encoder": composer.encoder, **shape}
    (folder / ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


COMPOSERS: Mapping[ComposerName, Callable[[Path, Mapping[str, object]], Composer]] = {
    "sum": _load_sum,
    "learned": _load_learned,
}
