"""Do the pictures of two snapshots look alike, on the whole? A cheap answer that needs no encoder.

A product's first picture is 16 fields of colour (catalog.pictures.perceptual_hash) and how colourful each of them is; a
classifier is asked to tell those of then from those of now. Products of then are drawn from one half of all ids and
those of now from the other, so that no picture is held against itself.
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from catalog.pictures.perceptual_hash import GRID, Look, arrays_of
from catalog.products import Product
from evaluation.audits.shifts import Floats, told_apart

LEAST = 100
"""Pictures on each side: by chance the answer then lies within 0.12 of 0.5 in all but three of a thousand cases."""
MOST = 1000
_SEED = 7


def picture_shift(
    then: tuple[Sequence[Product], Mapping[str, Look]], now: tuple[Sequence[Product], Mapping[str, Look]]
) -> tuple[int, int, float] | None:
    """Pictures of then and of now, and how well they are told apart: the area under the ROC curve, 0.5 by chance.

    Where a share s of the pictures is of another world, it is 0.5 + s / 2. None with fewer than LEAST on a side.
    """
    before, after = (_drawn(*side, half) for half, side in enumerate((then, now)))
    if min(len(before), len(after)) < LEAST:
        return None
    apart = told_apart(features(before), features(after), _SEED)
    return len(before), len(after), max(0.5, apart)


def features(looks: Sequence[Look]) -> Floats:
    """[N, 4 GRID^2]: red, green and blue of each field, and how far the strongest of them is from the weakest."""
    colours = arrays_of(looks)[1].reshape(len(looks), GRID * GRID, 3).astype(np.float32) / 255
    chroma = colours.max(axis=2) - colours.min(axis=2)
    return np.concatenate([colours.reshape(len(looks), -1), chroma], axis=1)


def _drawn(products: Sequence[Product], looks: Mapping[str, Look], half: int) -> list[Look]:
    """At most MOST first pictures of the products in one half, as a draw that depends on nothing but their ids."""
    drawn = sorted(((_digest(product), number) for number, product in enumerate(products) if product.images))
    chosen = [products[number] for digest, number in drawn if digest[-1] % 2 == half]
    return [looks[product.images[0]] for product in chosen if product.images[0] in looks][:MOST]


def _digest(product: Product) -> bytes:
    return hashlib.sha256(product.id.encode()).digest()
