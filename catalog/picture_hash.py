"""What a picture looks like, in a few bytes: a perceptual hash, its coarse colours, and whether it shows anything."""

from collections.abc import Sequence
from typing import NamedTuple

import imagehash
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
_FIELDS = 32  # a side, averaged
_FLAT = 6  # levels of 255


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
    small = reduced.resize((_FIELDS, _FIELDS), Image.Resampling.BOX)
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
    factor = min(image.size) // _LARGE
    return image.reduce(factor) if factor > 1 else image


def _hash(image: Image.Image) -> Hashes:
    packed: Hashes = np.packbits(imagehash.phash(image, hash_size=SIDE).hash.reshape(-1)).view(np.uint64)
    return packed
