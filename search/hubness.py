"""Hubs: pictures that lie near almost every text, and so are found before the picture that a text is about.

    hubs = Hubs.load(folder)
    hubs.corrected(scored, vectors, strength)      # the candidates of the image leg again, hubs further down

A product's score loses `strength` x level, with level = T log mean over b of exp(b.p / T): how near the queries b of a
bank, titles of products that the encoder trained on, come to its picture p. Inverted softmax (Smith et al., "Offline
bilingual word vectors, orthogonal transformations and the inverted softmax", ICLR 2017), with a bank as in Bogolin et
al., "Cross Modal Retrieval with Querybank Normalisation", CVPR 2022. Legend: B bank, N products, D width.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import read_array
from catalog.errors import NotReady
from search.collection import DECIMALS, Scored

FOLDER = "hubs"  # of a release's ranking
ABOUT, BANK = "hubs.json", "bank.npy"
TEMPERATURE = 0.06  # cosine; 0.04 to 0.08 did alike (docs/experiments.md)
MOST_LEVELS = 2_000_000  # remembered, some 150 bytes each

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Hubs:
    """`bank` [B, D]: unit vectors of texts, made by `encoder`. Threads may share it."""

    encoder: str
    bank: Floats
    _levels: dict[bytes, float] = field(default_factory=dict, repr=False, compare=False)

    def levels(self, vectors: Floats) -> NDArray[np.float64]:
        """[N, D] -> [N]. Remembered by the vector itself, so a product that changes is looked at again."""
        keys = [hashlib.blake2b(vector.tobytes(), digest_size=16).digest() for vector in vectors]
        known = {key: level for key in keys if (level := self._levels.get(key)) is not None}
        new = [row for row, key in enumerate(keys) if key not in known]
        if new:
            near = (vectors[new] @ self.bank.T).astype(np.float64) / TEMPERATURE
            top = near.max(axis=1)
            levels = TEMPERATURE * (top + np.log(np.exp(near - top[:, None]).mean(axis=1)))
            found = dict(zip((keys[row] for row in new), levels.tolist(), strict=True))
            if len(self._levels) + len(found) > MOST_LEVELS:
                self._levels.clear()
            self._levels.update(found)
            known |= found
        return np.array([known[key] for key in keys], dtype=np.float64)

    def corrected(self, scored: Scored, vectors: Floats, strength: float) -> Scored:
        """Candidates with vectors [N, D], less `strength` x level each, best first, equal ones by id."""
        if strength == 0 or not scored:
            return scored
        again = [
            (product_id, round(score - strength * float(level), DECIMALS))
            for (product_id, score), level in zip(scored, self.levels(vectors), strict=True)
        ]
        return sorted(again, key=lambda pair: (-pair[1], pair[0]))

    def save(self, folder: Path) -> None:
        """Write the folder; the bank as 16-bit floats, which moves a level by less than 0.001."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / BANK, self.bank.astype(np.float16))
        (folder / ABOUT).write_text(json.dumps({"format": 1, "encoder": self.encoder}) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Hubs":
        """Read what `save` wrote. Raises NotReady when it is missing or wrong."""
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            bank = read_array(folder / BANK).astype(np.float32)
            if about["format"] != 1 or bank.ndim != 2 or not len(bank) or not np.isfinite(bank).all():
                raise ValueError
            return cls(str(about["encoder"]), bank)
        except FileNotFoundError as error:
            raise NotReady(f"{error.filename} is missing: run the tune stage.") from None
        except (KeyError, TypeError, ValueError):
            raise NotReady(f"{folder} holds no bank of queries: run the tune stage again.") from None
