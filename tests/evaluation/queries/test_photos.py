"""The altered photo is cropped, mirrored and re-lit, and always the same."""

from io import BytesIO

import pytest
from PIL import Image

from catalog.errors import InvalidMedia
from catalog.media import decode_image
from evaluation.queries.photos import alter


def photo(red: int) -> bytes:
    """A 40 x 20 PNG, dark on the left half and `red` on the right half."""
    image = Image.new("RGB", (40, 20), (20, 20, 20))
    image.paste((red, 40, 40), (20, 0, 40, 20))
    buffer = BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def red_at(data: bytes, place: tuple[int, int]) -> int:
    pixel = decode_image(data).getpixel(place)
    assert isinstance(pixel, tuple)
    return int(pixel[0])


def test_an_altered_photo_is_the_mirrored_centre() -> None:
    altered = alter(photo(200), "crop-flip-bright")
    assert decode_image(altered).size == (40, 20)
    assert red_at(altered, (2, 8)) > 150 > 100 > red_at(altered, (37, 8))  # the red half was on the right


def test_the_edge_of_the_photo_is_cut_off() -> None:
    image = Image.new("RGB", (100, 100), (0, 0, 0))
    image.paste((250, 250, 250), (10, 10, 90, 90))  # a black frame of 10 %: what an 80 % crop takes away
    buffer = BytesIO()
    image.save(buffer, format="PNG")
    assert red_at(buffer.getvalue(), (2, 2)) == 0
    assert red_at(alter(buffer.getvalue(), "crop-flip-bright"), (2, 2)) > 240


def test_the_smallest_picture_stays_one_that_can_be_asked_with() -> None:
    buffer = BytesIO()
    Image.new("RGB", (8, 8), (200, 0, 0)).save(buffer, format="PNG")
    assert decode_image(alter(buffer.getvalue(), "crop-flip-dark")).size == (8, 8)


def test_darker_is_darker_and_brighter_is_brighter() -> None:
    assert red_at(alter(photo(160), "crop-flip-dark"), (2, 8)) == pytest.approx(0.75 * 160, abs=6)
    assert red_at(alter(photo(160), "crop-flip-bright"), (2, 8)) == pytest.approx(1.25 * 160, abs=6)


def test_the_same_photo_gives_the_same_bytes() -> None:
    assert alter(photo(100), "crop-flip-dark") == alter(photo(100), "crop-flip-dark")


def test_bytes_that_are_no_picture_and_unknown_alterations_are_refused() -> None:
    with pytest.raises(InvalidMedia):
        alter(b"text", "crop-flip-dark")
    with pytest.raises(KeyError):
        alter(photo(100), "upside-down")
