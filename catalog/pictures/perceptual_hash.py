"""What a picture looks like, in a few bytes: a perceptual hash, its coarse colours, and whether it shows anything."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog.media import decode_image

SIDE = 16  # lowest frequencies a side; 8 x 8, the usual, takes all sunglasses on white for one picture
BITS = SIDE * SIDE
GRID = 4  # fields of colour a side

Hashes = NDArray[np.uint64]  # [W] or [N, W], W words of 64 bits
Colours = NDArray[np.uint8]  # [N, GRID * GRID * 3]

_CELLS = 128  # of the shorter side, at least; with fewer the leakage audit finds other pairs
_MOST_CELLS = 2048  # of the longer one
_FIELDS = 32  # a side, averaged
_FLAT = 6  # levels of 255
_SCALE = 64  # of each transform: rounding to whole numbers is then well below what a JPEG changes
_ONE_THREAD = 2**18  # multiplications of a product for which OpenBLAS takes one thread

Floats = NDArray[np.float32]


class Look(NamedTuple):
    """The look of a picture, in 80 bytes: one is kept of every picture of a catalogue.

    `flat`: it is of one colour, so that its hash says nothing.
    """

    hash: bytes
    colours: bytes
    flat: bool


def look_of(image: Image.Image) -> Look:
    """The look of a decoded RGB picture."""
    reduced, factors = _reduced(image)
    whole = (0.0, 0.0, image.width / factors[0], image.height / factors[1])  # a cell at the end may be a part of one
    small = reduced.resize((_FIELDS, _FIELDS), Image.Resampling.BOX, box=whole)
    darkest, lightest = zip(*small.getextrema(), strict=True)  # of each channel
    flat = max(light - dark for dark, light in zip(darkest, lightest, strict=True)) <= _FLAT
    colours = small.resize((GRID, GRID), Image.Resampling.BOX).tobytes()
    return Look(_hash(image.size, reduced, factors).tobytes(), colours, flat)


def arrays_of(looks: Sequence[Look]) -> tuple[Hashes, Colours]:
    """Hashes [N, W] and coarse colours [N, C] of N looks."""
    hashes = np.frombuffer(b"".join(look.hash for look in looks), dtype=np.uint64).reshape(len(looks), -1)
    colours = np.frombuffer(b"".join(look.colours for look in looks), dtype=np.uint8).reshape(len(looks), -1)
    return hashes, colours


def picture_hash(data: bytes) -> Hashes:
    """pHash [W]: which of the picture's lowest frequencies are above their median (Zauner, "Implementation and
    Benchmarking of Perceptual Image Hash Functions", 2010). Colour-blind; a smaller or darker copy keeps most bits.

    Raises InvalidMedia for bytes that are no picture.
    """
    image = decode_image(data)
    return _hash(image.size, *_reduced(image))


def _reduced(image: Image.Image) -> tuple[Image.Image, tuple[int, int]]:
    """The picture averaged to cells, far finer than the frequencies kept, and the pixels of a cell across and down."""
    factor = max(1, min(image.size) // _CELLS)
    factors = max(factor, image.width // _MOST_CELLS), max(factor, image.height // _MOST_CELLS)
    return image if factors == (1, 1) else image.reduce(factors), factors


def _hash(size: tuple[int, int], reduced: Image.Image, factors: tuple[int, int]) -> Hashes:
    """The lowest frequencies of the cells of a picture of `size` pixels, as two products with matrices.

    They are rounded, so that those that are none by the picture's symmetry are all zero, and not what is left of sums.
    """
    grey = np.asarray(reduced.convert("L"), dtype=np.float32)
    across, down = (_frequencies(*side) for side in zip(size, factors, strict=True))
    low = np.rint(_product(down, grey) @ across.T).reshape(-1)
    below, above = np.partition(low, (BITS // 2 - 1, BITS // 2))[BITS // 2 - 1 : BITS // 2 + 1]
    packed: Hashes = np.packbits(low > (below + above) / 2).view(np.uint64)
    return packed


def _product(few: Floats, grey: Floats) -> Floats:
    """few [SIDE, H] @ grey [H, W] in blocks of columns, each too small for BLAS to share out among threads.

    Waiting for each other costs them more than one thread needs for all, and many times as much on a busy machine.
    """
    width = max(1, _ONE_THREAD // few.size)
    return np.concatenate([few @ grey[:, start : start + width] for start in range(0, grey.shape[1], width)], axis=1)


@lru_cache(maxsize=256)
def _frequencies(side: int, factor: int) -> Floats:
    """[SIDE, cells]: the cosine transform of `side` pixels, each cell of `factor` of them by the mean of its cosines.

    The last cell may be narrower; one as wide as the others would stretch the picture.
    """
    ends = np.minimum(np.arange(0, side + factor, factor), side)[: -(-side // factor) + 1] / side
    waves = np.pi * np.arange(1, SIDE)[:, None]
    means = (np.sin(waves * ends[1:]) - np.sin(waves * ends[:-1])) / waves
    return np.ascontiguousarray(_SCALE * np.vstack([np.diff(ends), means]), dtype=np.float32)
