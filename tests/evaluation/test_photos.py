"""The altered photo is cropped, mirrored and re-lit, and always the same."""

import pytest

from catalog.errors import InvalidMedia
from catalog.media import decode_image
from evaluation.photos import alter
from tests.evaluation.worlds import photo


def test_an_altered_photo_is_the_mirrored_centre() -> None:
    image = decode_image(alter(photo(200), "crop-flip-bright"))
    assert image.size == (32, 16)  # 80 % of 40 x 20
    left, right = image.getpixel((2, 8)), image.getpixel((29, 8))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert left[0] > 150 > 100 > right[0]  # the red half was on the right


def test_darker_is_darker_and_brighter_is_brighter() -> None:
    reds = {}
    for name in ("crop-flip-dark", "crop-flip-bright"):
        pixel = decode_image(alter(photo(160), name)).getpixel((2, 8))
        assert isinstance(pixel, tuple)
        reds[name] = pixel[0]
    assert reds["crop-flip-dark"] == pytest.approx(0.75 * 160, abs=6)
    assert reds["crop-flip-bright"] == pytest.approx(1.25 * 160, abs=6)


def test_the_same_photo_gives_the_same_bytes() -> None:
    assert alter(photo(100), "crop-flip-dark") == alter(photo(100), "crop-flip-dark")


def test_bytes_that_are_no_picture_and_unknown_alterations_are_refused() -> None:
    with pytest.raises(InvalidMedia):
        alter(b"text", "crop-flip-dark")
    with pytest.raises(KeyError):
        alter(photo(100), "upside-down")
