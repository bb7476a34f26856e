"""From a decoded picture to the array a backbone takes. One implementation, for training and for serving.

The default fit is `squeeze`: the whole picture, stretched to the square. Nothing is cut away (a shoe may reach the
edge) and no border is added (its colour would count as the product's). The price, a changed aspect ratio, is
the same on both sides: catalogues often ship squares that were squeezed before.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Fit = Literal["squeeze", "crop", "pad"]
Resample = Literal["bilinear", "bicubic", "lanczos"]
Floats = NDArray[np.float32]
Frame = tuple[float, float, float, float]
WHOLE: Frame = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class ImagePreprocess:
    """Resize, scale and normalise one picture.

    `size`: side of the result in pixels. `resize`: for `crop`, the length that the shorter side is resized to
    before the middle is cut out (the size when None). `mean` and `std` are for values in 0..1, per channel.
    """

    size: int
    fit: Fit = "squeeze"
    resample: Resample = "bicubic"
    resize: int | None = None
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)

    def prepare(self, image: Image.Image) -> Floats:
        """RGB picture -> float32 [3, size, size]."""
        fitted = FITS[self.fit](image, self)
        values = np.asarray(fitted, dtype=np.float32)  # [size, size, 3], 0..255
        scale = np.float32(1 / 255) / np.asarray(self.std, dtype=np.float32)
        shift = np.asarray(self.mean, dtype=np.float32) / np.asarray(self.std, dtype=np.float32)
        return np.ascontiguousarray((values * scale - shift).transpose(2, 0, 1))

    def prepare_batch(self, images: Sequence[Image.Image]) -> Floats:
        """RGB pictures -> float32 [B, 3, size, size]."""
        batch = np.empty((len(images), 3, self.size, self.size), dtype=np.float32)
        for row, image in enumerate(images):
            batch[row] = self.prepare(image)
        return batch

    def frame(self, width: int, height: int) -> Frame:
        """Where the result lies in a picture of that size: left, top, right, bottom, in widths and heights of it.

        (0, 0, 1, 1) is the whole picture; what is cut away is outside, and a border lies below 0 and beyond 1.
        """
        return FRAMES[self.fit](width, height, self)

    def to_json(self) -> dict[str, Any]:
        """As plain values for a config file."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "ImagePreprocess":
        """The inverse of `to_json`."""
        return cls(**{**values, "mean": tuple(values["mean"]), "std": tuple(values["std"])})


def _squeeze(image: Image.Image, how: ImagePreprocess) -> Image.Image:
    size = (how.size, how.size)
    return image if image.size == size else image.resize(size, RESAMPLES[how.resample])


def _crop(image: Image.Image, how: ImagePreprocess) -> Image.Image:
    shorter = how.resize or how.size
    width, height = image.size
    # cut, not rounded, to whole pixels: as transformers and torchvision do
    wide, tall = (max(how.size, shorter * side // min(width, height)) for side in (width, height))
    if image.size != (wide, tall):
        image = image.resize((wide, tall), RESAMPLES[how.resample])
    left, top = (wide - how.size) // 2, (tall - how.size) // 2
    return image.crop((left, top, left + how.size, top + how.size))


def _pad(image: Image.Image, how: ImagePreprocess) -> Image.Image:
    width, height = image.size
    factor = how.size / max(width, height)
    inner = (max(1, round(width * factor)), max(1, round(height * factor)))
    canvas = Image.new("RGB", (how.size, how.size), (255, 255, 255))
    canvas.paste(image.resize(inner, RESAMPLES[how.resample]), ((how.size - inner[0]) // 2, (how.size - inner[1]) // 2))
    return canvas


def _whole_frame(width: int, height: int, how: ImagePreprocess) -> Frame:
    return WHOLE


def _crop_frame(width: int, height: int, how: ImagePreprocess) -> Frame:
    shorter = how.resize or how.size
    wide, tall = (how.size / max(how.size, shorter * side / min(width, height)) for side in (width, height))
    return (1 - wide) / 2, (1 - tall) / 2, (1 + wide) / 2, (1 + tall) / 2


def _pad_frame(width: int, height: int, how: ImagePreprocess) -> Frame:
    wide, tall = max(width, height) / width, max(width, height) / height
    return (1 - wide) / 2, (1 - tall) / 2, (1 + wide) / 2, (1 + tall) / 2


RESAMPLES = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
FITS = {"squeeze": _squeeze, "crop": _crop, "pad": _pad}
FRAMES = {"squeeze": _whole_frame, "crop": _crop_frame, "pad": _pad_frame}
