"""The tokens of every product of a snapshot, as they lie in a release: a few kilobytes a product, mapped, not read.

places.npy        int8 [P, J, W]   J tokens of each of P pictures; mapped into memory
scale.npy         float32 [W]      places x scale are unit vectors
words.npy         float32 [V, W]   a row for each word that some title or term has; as long as the word matters
vocabulary.json                    those V words
titles.npy        int32 [M]        words of all titles, one after the other, as rows of words.npy
products.parquet  id, picture (row of places.npy, -1 without one), words (how many)

Legend: N products, T tokens of a query.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from catalog.arrays import read_array
from models.late.max_sim import Codes, Floats, best_of_places, best_of_words

ARRAYS = ("places", "scale", "words", "titles")


@dataclass(frozen=True)
class Matches:
    """Of each of T query tokens: `at`, the product's token that it is matched with, and how well.

    The first `places` of those are the J of the picture, its S x S places in rows and one for all of it; then come
    `words` of the title.
    """

    at: NDArray[np.int64]
    values: Floats
    places: int
    words: tuple[str, ...]


@dataclass(frozen=True)
class ProductTokens:
    """N products. Threads may share it."""

    ids: Sequence[str]
    pictures: NDArray[np.int64]  # [N] row of places, or -1
    counts: NDArray[np.int64]  # [N] words of the title
    places: Codes
    scale: Floats
    vocabulary: Sequence[str]
    words: Floats
    titles: NDArray[np.int32]

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Product id -> row."""
        return {product_id: row for row, product_id in enumerate(self.ids)}

    @cached_property
    def known(self) -> Mapping[str, int]:
        """Word -> row of `words`."""
        return {word: row for row, word in enumerate(self.vocabulary)}

    @cached_property
    def bytes_a_product(self) -> float:
        """Of places and titles, without the vocabulary that all share."""
        return (self.places.nbytes + self.titles.nbytes) / max(1, len(self.ids))

    def scores(self, query: Floats, ids: Sequence[str], seen: Collection[str]) -> dict[str, float]:
        """MaxSim of query tokens [T, W] with those of `ids` that have some; `seen`: image, text, or both of a product.

        A product that is not here, or has nothing of what is seen, is not in the answer.
        """
        if not len(query):
            return {}
        rows = np.array([self.position.get(product_id, -1) for product_id in ids], dtype=np.int64)
        best = np.full((len(ids), len(query)), -np.inf, dtype=np.float32)
        if "image" in seen:
            shown = np.flatnonzero((rows >= 0) & (self._at(self.pictures, rows) >= 0))
            codes = self.places[self.pictures[rows[shown]]]
            best[shown] = best_of_places(query, codes, self.scale)
        if "text" in seen:
            best = np.maximum(best, self._of_titles(query, rows))
        has = np.isfinite(best).all(axis=1)
        values = best[has].mean(axis=1)
        return {ids[at]: value for at, value in zip(np.flatnonzero(has).tolist(), values.tolist(), strict=True)}

    def matches(self, query: Floats, product_id: str, seen: Collection[str]) -> "Matches | None":
        """Which token of the product each of [T, W] is matched with: its score, told in parts. None as in `scores`."""
        row = self.position.get(product_id)
        if row is None or not len(query):
            return None
        parts: list[Floats] = []
        places = 0
        if "image" in seen and self.pictures[row] >= 0:
            codes = self.places[self.pictures[row]]
            parts.append((query * self.scale) @ codes.astype(np.float32).T)  # [T, J]
            places = len(codes)
        words = self.titles[self._starts[row] : self._starts[row] + self.counts[row]] if "text" in seen else ()
        if len(words):
            parts.append(query @ self._unit_words[words].T)
        if not parts:
            return None
        found = np.concatenate(parts, axis=1)
        return Matches(found.argmax(axis=1), found.max(axis=1), places, tuple(self.vocabulary[word] for word in words))

    def _of_titles(self, query: Floats, rows: NDArray[np.int64]) -> Floats:
        counts = np.where(rows >= 0, self._at(self.counts, rows), 0)
        owners = np.repeat(np.arange(len(rows)), counts)
        within = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
        at = self.titles[self._starts[rows[owners]] + within]
        return best_of_words(query, self._unit_words[at], owners, len(rows))

    def _at(self, values: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """`values` of rows; of row -1 anything."""
        return values[rows] if len(values) else np.full(len(rows), -1, dtype=np.int64)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        return np.cumsum(self.counts) - self.counts

    @cached_property
    def _unit_words(self) -> Floats:
        lengths = np.linalg.norm(self.words, axis=1, keepdims=True)
        unit: Floats = self.words / np.maximum(lengths, 1e-12)
        return unit

    def save(self, folder: Path) -> None:
        """Write the files into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        (folder / "vocabulary.json").write_text(json.dumps(list(self.vocabulary), ensure_ascii=False), encoding="utf-8")
        table = pa.table({"id": list(self.ids), "picture": self.pictures, "words": self.counts})
        pq.write_table(table, folder / "products.parquet")

    @classmethod
    def load(cls, folder: Path) -> "ProductTokens":
        """What `save` wrote; places are mapped. Raises FileNotFoundError, NotReady."""
        table = _products(folder)
        arrays = {name: read_array(folder / f"{name}.npy", mapped="r" if name == "places" else None) for name in ARRAYS}
        return cls(
            ids=table["id"].to_pylist(),
            pictures=np.array(table["picture"].to_pylist(), dtype=np.int64),
            counts=np.array(table["words"].to_pylist(), dtype=np.int64),
            vocabulary=json.loads((folder / "vocabulary.json").read_text(encoding="utf-8")),
            **arrays,
        )


def saved_ids(folder: Path) -> Sequence[str]:
    """Whose tokens `ProductTokens.save` wrote into `folder`."""
    ids: Sequence[str] = _products(folder)["id"].to_pylist()
    return ids


def _products(folder: Path) -> pa.Table:
    """Neither read_table nor to_numpy of a column is asked: both import pandas into the service."""
    with pq.ParquetFile(folder / "products.parquet") as file:
        return file.read()
