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

_LARGE = 256  # pixels of the shorter side
_LONGEST = 2048  # pixels of a side that a matrix is made for
_SCALED = 64  # pixels a side that the frequencies are of
_FIELDS = 32  # a side, averaged
_FLAT = 6  # levels of 255
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
    reduced = _reduced(image)
    small = reduced.resize((_FIELDS, _FIELDS), Image.Resampling.BOX, reducing_gap=3.0)
    darkest, lightest = zip(*small.getextrema(), strict=True)  # of each channel
    flat = max(light - dark for dark, light in zip(darkest, lightest, strict=True)) <= _FLAT
    colours = small.resize((GRID, GRID), Image.Resampling.BOX).tobytes()
    return Look(_hash(reduced).tobytes(), colours, flat)


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
    return _hash(_reduced(decode_image(data)))


def _reduced(image: Image.Image) -> Image.Image:
    """A large picture averaged down first: the fine filter before the hash would take as long as the decoding."""
    factor = max(1, min(image.size) // _LARGE)
    factors = max(factor, image.width // _LONGEST), max(factor, image.height // _LONGEST)
    return image if factors == (1, 1) else image.reduce(factors)


def _hash(image: Image.Image) -> Hashes:
    """The lowest frequencies of the picture scaled to _SCALED pixels a side, as two products with matrices.

    They are rounded, so that those that are none by the picture's symmetry are all zero, and not what is left of sums.
    """
    grey = np.asarray(image.convert("L"), dtype=np.float32)
    low = np.rint(_product(_frequencies(image.height), grey) @ _frequencies(image.width).T).reshape(-1)
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
def _frequencies(side: int) -> Floats:
    """[SIDE, side]: Lanczos' filter (three lobes, as Pillow has it) to _SCALED pixels, then the cosine transform."""
    scale = side / _SCALED
    centres = (np.arange(_SCALED)[:, None] + 0.5) * scale
    lobes = (np.arange(side) + 0.5 - centres) / max(scale, 1.0)
    filtered = np.where(np.abs(lobes) < 3, np.sinc(lobes) * np.sinc(lobes / 3), 0.0)
    filtered /= filtered.sum(axis=1, keepdims=True)
    cosines = np.cos(np.pi * np.arange(SIDE)[:, None] * (np.arange(_SCALED) + 0.5) / _SCALED)
    return np.ascontiguousarray(cosines @ filtered, dtype=np.float32)
