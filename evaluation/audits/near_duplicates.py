"""The nearest of theirs to each of ours, by perceptual hash or by cosine, and how near is too near. Pure numpy.

Too near is read off the data: products of another category are surely other products, so the closeness that next to
none of ours has to one of those is more than two products have by chance.

Legend: A ours, B theirs, W words of 64 bits, D width. Closeness is higher for nearer ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.pictures.perceptual_hash import Hashes

Floats = NDArray[np.float32]
Closeness = Callable[[int, int], Floats]  # (start, stop) of ours -> [stop - start, B]

_CELLS = 8_000_000  # of a block of closeness held in memory at once


@dataclass(frozen=True, slots=True)
class Nearest:
    """For each of ours [A]: the row of the nearest of theirs, how close it is, and how close the nearest of another
    category is (-inf where none is known to be of another)."""

    row: NDArray[np.int64]
    closeness: Floats
    of_another_category: Floats


def by_hash(ours: Hashes, theirs: Hashes) -> Closeness:
    """Closeness of hashes [A, W] and [B, W]: minus the number of bits that differ."""

    def closeness(start: int, stop: int) -> Floats:
        differing = np.zeros((stop - start, len(theirs)), dtype=np.int16)
        for word in range(ours.shape[1]):
            differing += np.bitwise_count(ours[start:stop, None, word] ^ theirs[None, :, word])
        negated: Floats = -differing.astype(np.float32)
        return negated

    return closeness


def by_cosine(ours: Floats, theirs: Floats) -> Closeness:
    """Closeness of unit vectors [A, D] and [B, D]: their cosine."""

    def closeness(start: int, stop: int) -> Floats:
        cosines: Floats = ours[start:stop] @ theirs.T
        return cosines

    return closeness


def nearest(closeness: Closeness, ours: Sequence[str | None], theirs: Sequence[str | None]) -> Nearest:
    """The nearest of theirs to each of ours; `ours` [A] and `theirs` [B] are categories, None where unknown.

    Raises ValueError when there is none of theirs.
    """
    if not theirs:
        raise ValueError("nothing can be nearest among no products.")
    codes = {name: code for code, name in enumerate(sorted({*ours, *theirs} - {None}, key=str))}
    own = np.array([codes.get(name, -1) for name in ours])  # [A]
    other = np.array([codes.get(name, -1) for name in theirs])  # [B]
    rows = np.empty(len(ours), dtype=np.int64)
    best, unlike = np.empty(len(ours), dtype=np.float32), np.empty(len(ours), dtype=np.float32)
    for start, stop in _blocks(len(ours), len(theirs)):
        block = closeness(start, stop)
        rows[start:stop] = block.argmax(axis=1)
        best[start:stop] = block.max(axis=1)
        differ = (own[start:stop, None] != other) & (own[start:stop, None] >= 0) & (other >= 0)
        unlike[start:stop] = np.where(differ, block, -np.inf).max(axis=1)
    return Nearest(rows, best, unlike)


def limit(of_another_category: Floats, rate: float) -> float | None:
    """The closeness to exceed: at most the share `rate` of ours [A] exceed it with a product of another category.

    None where no product is known to be of another category: then the data cannot say what is too near.
    """
    known = np.sort(of_another_category[np.isfinite(of_another_category)])[::-1]
    return float(known[int(rate * len(known))]) if len(known) else None


def pairs_above(closeness: Closeness, ours: int, theirs: int, least: float) -> int:
    """How many of the ours x theirs pairs are closer than `least`."""
    return sum(int((closeness(start, stop) > least).sum()) for start, stop in _blocks(ours, theirs))


def _blocks(ours: int, theirs: int) -> list[tuple[int, int]]:
    size = max(1, _CELLS // theirs)
    return [(start, min(start + size, ours)) for start in range(0, ours, size)]
