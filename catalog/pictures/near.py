"""Pictures that look the same, among many: near-linear, exact, in flat memory. Pure numpy.

Two hashes of 256 bits that differ in at most 15 are equal in at least one of 16 bands of 16 bits, so only pictures that
share a band are compared. Legend: N pictures, W words of 64 bits, P pairs.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from catalog.pictures.perceptual_hash import BITS, Colours, Hashes

BANDS = 16
MOST_BITS = BANDS - 1
"""More differing bits than that may hide from every band."""
NEAR_BITS = 12
"""Bits of BITS in which two files of one picture may differ."""
NEAR_COLOUR = 10
"""Levels of 255 in which a coarse field of colour may differ: the hash alone is colour-blind."""

Ints = NDArray[np.int64]

_SPREAD = np.random.default_rng(0).permutation(BITS)  # low frequencies say little: each band gets as many of them


def near_pairs(hashes: Hashes, most: int = NEAR_BITS) -> Iterator[Ints]:
    """Blocks [P, 2] of the pairs of `hashes` [N, W] that differ in at most `most` bits, each pair once, i < j.

    A block has at most N pairs. Raises ValueError over MOST_BITS.
    """
    if most > MOST_BITS:
        raise ValueError(f"pairs of more than {MOST_BITS} differing bits cannot be found.")
    bits = np.unpackbits(hashes.view(np.uint8).reshape(len(hashes), -1), axis=1)[:, _SPREAD]
    bands = np.ascontiguousarray(np.packbits(bits, axis=1)).view(np.uint16)  # [N, BANDS]
    for number in range(BANDS):
        order = np.argsort(bands[:, number], kind="stable")
        values = bands[order, number]
        ends = np.searchsorted(values, values, side="right")  # where the run of equal bands ends
        starts = np.arange(len(order))
        step = 1
        while len(starts := starts[starts + step < ends[starts]]):
            one, other = order[starts], order[starts + step]
            near = np.bitwise_count(hashes[one] ^ hashes[other]).sum(axis=1) <= most
            one, other = one[near], other[near]
            new = ~(bands[one, :number] == bands[other, :number]).any(axis=1)  # else an earlier band has told it
            if new.any():
                yield np.sort(np.stack([one[new], other[new]], axis=1), axis=1)
            step += 1


def groups_of_near(hashes: Hashes, colours: Colours, most: int = NEAR_BITS) -> Ints:
    """For each of N pictures the number of its group [N]: pictures that look the same, directly or through others.

    `hashes` [N, W], `colours` [N, C].
    """
    unique, first, back = np.unique(
        np.concatenate([hashes.view(np.uint8).reshape(len(hashes), -1), colours], axis=1),
        axis=0, return_index=True, return_inverse=True,
    )  # fmt: skip
    labels: Ints = np.arange(len(unique))
    kept_hashes, kept_colours = hashes[first], colours[first].astype(np.int16)
    for pairs in near_pairs(kept_hashes, most):
        apart = labels[pairs[:, 0]] != labels[pairs[:, 1]]
        one, other = pairs[apart].T
        alike = np.abs(kept_colours[one] - kept_colours[other]).max(axis=1, initial=0) <= NEAR_COLOUR
        if alike.any():
            labels = _joined(labels, labels[one[alike]], labels[other[alike]])
    groups: Ints = labels[back.reshape(-1)]
    return groups


def _joined(labels: Ints, one: Ints, other: Ints) -> Ints:
    from scipy.sparse import coo_matrix  # a third of a second, and needed only where two are near
    from scipy.sparse.csgraph import connected_components

    size = int(labels.max()) + 1
    graph = coo_matrix((np.ones(len(one), dtype=np.int8), (one, other)), shape=(size, size))
    components: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    return components[labels]
