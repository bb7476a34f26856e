"""Which changes of a shop's pictures are told? Photos against others of the folder, and against what becomes of those.

python -m benchmarks.picture_shift ../shared/data/fashion/images

The numbers are areas under the ROC curve of evaluation.audits.picture_shift: 0.5 where nothing can be told, 1 where
all can.
"""

import argparse
import random
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image, ImageFilter, ImageOps

from catalog.media import decode_image
from catalog.pictures.perceptual_hash import look_of
from evaluation.audits.picture_shift import MOST, features
from evaluation.audits.shifts import told_apart

SEED = 1


def grey(image: Image.Image) -> Image.Image:
    """Without colour."""
    return ImageOps.grayscale(image).convert("RGB")


def cut(share: float) -> Callable[[Image.Image], Image.Image]:
    """The middle of a picture, `share` of each side."""

    def middle(image: Image.Image) -> Image.Image:
        away = [int(side * (1 - share) / 2) for side in image.size]
        return image.crop((away[0], away[1], image.width - away[0], image.height - away[1]))

    return middle


def on_grey(image: Image.Image) -> Image.Image:
    """What is nearly white becomes light grey."""
    white = ImageOps.grayscale(image).point(lambda value: 255 if value >= 240 else 0)
    return Image.composite(Image.new("RGB", image.size, (225, 225, 225)), image, white)


def outlines(image: Image.Image) -> Image.Image:
    """Edges on white."""
    return ImageOps.invert(image.filter(ImageFilter.FIND_EDGES))


def warmer(image: Image.Image) -> Image.Image:
    """A quarter of orange over all."""
    return Image.blend(image, Image.new("RGB", image.size, (255, 190, 120)), 0.25)


CHANGES: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "as they are": lambda image: image,
    "all grey": grey,
    "cut to 60 %": cut(0.6),
    "cut to 80 %": cut(0.8),
    "cut to 90 %": cut(0.9),
    "on grey": on_grey,
    "outlines only": outlines,
    "a warmer light": warmer,
    "mirrored": ImageOps.mirror,
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(4)),
}


def main() -> None:
    """Print a line for each change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    paths = sorted(parser.parse_args().folder.glob("*.jpg"))
    random.Random(SEED).shuffle(paths)
    then, now = ([decode_image(path.read_bytes()) for path in part] for part in (paths[:MOST], paths[MOST : 2 * MOST]))
    before = features([look_of(image) for image in then])
    for name, change in CHANGES.items():
        print(
            f"{name:<16} {told_apart(before, features([look_of(change(image)) for image in now]), 7):.3f}", flush=True
        )
    half = [grey(image) if place < len(now) // 2 else image for place, image in enumerate(now)]
    print(f"{'half of them grey':<16} {told_apart(before, features([look_of(image) for image in half]), 7):.3f}")


if __name__ == "__main__":
    main()
