"""What finding near pictures costs, beside comparing each with each; and how far other files of one photo are from it.

    python -m benchmarks.near_pictures ../shared/data/fashion/images [PHOTOS]

Hashes are those of the folder's photos, made many: each copy has a fifth of its bits changed, which is another picture
with the same habits. Seconds are of the processor, medians of three rounds.
"""

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from catalog.media import decode_image
from catalog.pictures.near import NEAR_BITS, NEAR_COLOUR, groups_of_near
from catalog.pictures.perceptual_hash import BITS, Colours, Hashes, arrays_of, look_of

SIZES = (12_500, 25_000, 50_000, 100_000)
ROUNDS = 3
BLOCK = 500

Copy = Callable[[Image.Image], tuple[Image.Image, str, int]]
COPIES: dict[str, Copy] = {
    "JPEG, quality 50": lambda image: (image, "JPEG", 50),
    "half the size": lambda image: (image.resize((image.width // 2, image.height // 2)), "JPEG", 85),
    "half as large again": lambda image: (image.resize((image.width * 3 // 2, image.height * 3 // 2)), "JPEG", 85),
    "2.3 times as large": lambda image: (image.resize((image.width * 23 // 10, image.height * 23 // 10)), "JPEG", 85),
    "WebP, quality 70": lambda image: (image, "WEBP", 70),
}


def main(folder: Path, count: int) -> None:
    """Measure and print."""
    photos = [decode_image(path.read_bytes()) for path in sorted(folder.glob("*.jpg"))[:count]]
    hashes, colours = arrays_of([look_of(photo) for photo in photos])
    print(f"{len(photos)} photos; near is {NEAR_BITS} of {BITS} bits and {NEAR_COLOUR} levels of colour")
    for name, copy in COPIES.items():
        others = arrays_of([look_of(written(*copy(photo))) for photo in photos])
        bits = np.bitwise_count(hashes ^ others[0]).sum(axis=1)
        levels = np.abs(colours.astype(int) - others[1]).max(axis=1)
        near = ((bits <= NEAR_BITS) & (levels <= NEAR_COLOUR)).mean()
        print(
            f"{name}: median {np.median(bits):.0f} bits, most {bits.max()} and {levels.max()} levels; near {near:.1%}"
        )
    many, coloured = multiplied(hashes, colours, SIZES[-1])
    for size in SIZES:
        own = median(seconds(groups_of_near, many[:size], coloured[:size]) for _ in range(ROUNDS))
        peer = seconds(each_with_each, many[:size]) if size == SIZES[0] else None
        beside = f"; each with each {peer:.1f} s, {peer / own:.0f} times" if peer is not None else ""
        print(f"{size:,} pictures: {own:.2f} s{beside}", flush=True)


def written(image: Image.Image, kind: str, quality: int) -> Image.Image:
    """The picture after it was written and read."""
    stream = io.BytesIO()
    image.save(stream, kind, quality=quality)
    return decode_image(stream.getvalue())


def multiplied(hashes: Hashes, colours: Colours, count: int) -> tuple[Hashes, Colours]:
    """`count` hashes and colours with the habits of those given."""
    generator = np.random.default_rng(1)
    rows = generator.integers(0, len(hashes), count)
    bits = np.unpackbits(hashes.view(np.uint8), axis=1)[rows] ^ (generator.random((count, BITS)) < 0.2)
    return np.packbits(bits, axis=1).view(np.uint64), colours[rows]


def each_with_each(hashes: Hashes) -> int:
    """How many pairs are near, by comparing all."""
    found = 0
    for start in range(0, len(hashes), BLOCK):
        apart = np.zeros((min(BLOCK, len(hashes) - start), len(hashes)), dtype=np.int16)
        for word in range(hashes.shape[1]):
            apart += np.bitwise_count(hashes[start : start + BLOCK, None, word] ^ hashes[None, :, word])
        found += int((apart <= NEAR_BITS).sum())
    return found


def seconds(run: Callable[..., object], *arguments: object) -> float:
    """Of the processor."""
    began = time.process_time()
    run(*arguments)
    return time.process_time() - began


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
