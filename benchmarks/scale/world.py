"""A made catalogue of any size, the same for the same seed: vectors in clusters, prices, products with words.

    write_vectors(folder, 100_000, 256)               # once; every process then maps the file
    world = World.read(folder, queries=50)

The clusters' sizes fall like those of a shop's categories, and the noise around their centres is strong along few
directions and weak along most, as in the space of a trained encoder. Queries come from the same clusters.
Prices are spread evenly over 0 to 1,000 and know nothing of the vectors: `price < 10` lets 1 % through.
Legend: N products, D width, Q queries.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.products import Product
from catalog.words.terms import TermIndex
from catalog.words.text import lexical_text
from search.lexical import stored_words
from search.rows import Rows, payload_of

SEED = 7
DEAREST = 1_000.0

Floats = NDArray[np.float32]

_PER_CLUSTER = 500  # products, on average
_FEWEST_CLUSTERS = 16
_NOISE = 0.6  # length of the noise beside a centre of length 1
_AT_ONCE = 50_000  # rows made at once
_VOCABULARY = 3_000  # words that titles are drawn from
_BRANDS = 300
_CATEGORIES = 100
_ATTRIBUTES = {"colour": 16, "gender": 4, "usage": 8, "season": 4, "material": 24}  # name -> values


@dataclass(frozen=True)
class World:
    """`vectors` [N, D] are mapped from the file, `queries` [Q, D] and `prices` [N] in memory. Vectors have length 1."""

    vectors: Floats
    queries: Floats
    prices: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.vectors)

    @classmethod
    def read(cls, folder: Path, queries: int) -> "World":
        """What `write_vectors` wrote, and `queries` queries."""
        vectors: Floats = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
        count, dim = vectors.shape
        prices = np.random.default_rng([SEED, 1]).permutation(count) * (DEAREST / count)
        return cls(vectors, _draw(np.random.default_rng([SEED, 2]), queries, count, dim), prices)


def write_vectors(folder: Path, count: int, dim: int) -> None:
    """Write `folder`/vectors.npy, float32 [count, dim]."""
    out = np.lib.format.open_memmap(folder / "vectors.npy", mode="w+", dtype=np.float32, shape=(count, dim))
    for start in range(0, count, _AT_ONCE):
        rows = min(_AT_ONCE, count - start)
        out[start : start + rows] = _draw(np.random.default_rng([SEED, 3, start]), rows, count, dim)
    out.flush()


def make_rows(world: World) -> Rows:
    """The catalogue as a release holds it: three vectors a product, five attributes, a title and a description.

    Payloads have been through JSON, as those that a service reads from its store. Ids sort in the order of rows.
    """
    rng = np.random.default_rng([SEED, 4])
    count = len(world)
    payloads, words = [], []
    for row in range(count):
        product = _product(row, float(world.prices[row]), rng)
        payloads.append(json.loads(json.dumps(payload_of(product))))
        words.append(" ".join(stored_words(lexical_text(product, _NO_TERMS))))
    everything = np.ones(count, dtype=bool)
    return Rows(
        ids=tuple(payload["id"] for payload in payloads),
        payloads=tuple(payloads),
        words=tuple(words),
        vectors={"fused": np.array(world.vectors), "text": _moved(world.vectors, 5), "image": _moved(world.vectors, 6)},
        present=dict.fromkeys(("fused", "text", "image"), everything),
        encoder="s" * 16,
        snapshot="s" * 12,
    )


def word_queries(count: int) -> list[str]:
    """Three words each, common and rare as in the titles."""
    rng = np.random.default_rng([SEED, 7])
    return [_words(rng, 3) for _ in range(count)]


def _draw(rng: np.random.Generator, rows: int, count: int, dim: int) -> Floats:
    """Unit vectors [rows, dim] of a world of `count` products."""
    clusters = max(_FEWEST_CLUSTERS, count // _PER_CLUSTER)
    share = 1.0 / (np.arange(clusters) + 10.0)
    fixed = np.random.default_rng([SEED, 0])
    centres = _unit(fixed.normal(size=(clusters, dim)))
    strength = 1.0 / np.sqrt(np.arange(dim) + 1.0)
    strength *= _NOISE / np.linalg.norm(strength)
    directions, _ = np.linalg.qr(fixed.normal(size=(dim, dim)))
    noise = (rng.normal(size=(rows, dim)) * strength) @ directions.T
    return _unit(centres[rng.choice(clusters, rows, p=share / share.sum())] + noise)


def _moved(vectors: Floats, stream: int) -> Floats:
    """Unit vectors near `vectors`: what one modality alone says of the same products."""
    moved = np.empty(vectors.shape, dtype=np.float32)
    for start in range(0, len(vectors), _AT_ONCE):
        part = vectors[start : start + _AT_ONCE]
        noise = np.random.default_rng([SEED, stream, start]).normal(size=part.shape) / part.shape[1] ** 0.5
        moved[start : start + len(part)] = _unit(part + 0.3 * noise)
    return moved


def _product(row: int, price: float, rng: np.random.Generator) -> Product:
    category = int(rng.integers(_CATEGORIES))
    return Product(
        id=f"p{row:08}",
        group_id=f"g{row // 3:08}",
        title=_words(rng, 7),
        description=_words(rng, 20),
        brand=f"Brand {_power(rng, _BRANDS)}",
        category=(f"Department {category // 10}", f"Category {category}"),
        attributes={name: f"{name} {rng.integers(values)}" for name, values in _ATTRIBUTES.items()},
        price=price,
        currency="EUR",
        language="en",
        stock=int(rng.integers(20)),
        images=(f"{row:032x}",),
    )


def _words(rng: np.random.Generator, count: int) -> str:
    return " ".join(f"w{_power(rng, _VOCABULARY)}" for _ in range(count))


def _power(rng: np.random.Generator, values: int) -> int:
    """0 often, the last one seldom: ranks of words fall like 1 / rank."""
    return int(values ** float(rng.random())) - 1


def _unit(vectors: NDArray[np.float64]) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = (vectors / lengths).astype(np.float32)
    return unit


_NO_TERMS = TermIndex([])
