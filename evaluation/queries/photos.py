"""A shop visitor's photo is not the shop's photo: the alterations that known-item photo queries go through."""

from collections.abc import Mapping
from io import BytesIO
from types import MappingProxyType

from PIL import Image, ImageEnhance, ImageOps

from catalog.media import decode_image

CROP = 0.8  # side of the centre that is kept, and stretched to the whole picture

# name -> brightness factor; every alteration also zooms into the centre 80 % and mirrors it
ALTERATIONS: Mapping[str, float] = MappingProxyType({"crop-flip-dark": 0.75, "crop-flip-bright": 1.25})


def alter(data: bytes, alteration: str) -> bytes:
    """The photo `data` cropped, mirrored and made darker or brighter, as JPEG bytes.

    Raises KeyError for an unknown alteration and InvalidMedia for bytes that are no picture.
    """
    factor = ALTERATIONS[alteration]
    changed = ImageEnhance.Brightness(ImageOps.mirror(_centre(decode_image(data)))).enhance(factor)
    buffer = BytesIO()
    changed.save(buffer, format="JPEG", quality=90)
    return buffer.getvalue()


def _centre(image: Image.Image) -> Image.Image:
    width, height = image.size
    left, top = round(width * (1 - CROP) / 2), round(height * (1 - CROP) / 2)
    return image.crop((left, top, width - left, height - top)).resize(image.size, Image.Resampling.BICUBIC)
