"""Every way in which shops write pictures, against the pixels that were drawn: within what each codec loses."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageChops

from catalog.errors import InvalidMedia
from catalog.media import decode_image

Pixels = NDArray[np.uint8]

FIELD = 24  # pixels a side; six fields, so that no turning or mirroring gives the same picture
COLOURS = (((220, 30, 40), (30, 160, 60), (40, 60, 200)), ((240, 200, 40), (20, 20, 24), (250, 250, 250)))
EXACT, LOSSY, CMYK = 0, 12, 24  # levels of 255 in the middle of a field


def drawn() -> Pixels:
    """The picture, [48, 72, 3]."""
    return np.repeat(np.repeat(np.array(COLOURS, dtype=np.uint8), FIELD, axis=0), FIELD, axis=1)


def clear() -> Pixels:
    """Alpha [48, 72]: the left field of each row is clear, the middle one half clear."""
    alpha = np.full((2 * FIELD, 3 * FIELD), 255, dtype=np.uint8)
    alpha[:, :FIELD], alpha[:, FIELD : 2 * FIELD] = 0, 128
    return alpha


def on_white(pixels: Pixels, alpha: Pixels) -> Pixels:
    share = alpha[..., None] / 255.0
    return np.round(pixels * share + 255 * (1 - share)).astype(np.uint8)


def grey(pixels: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


RGB = Image.fromarray(drawn())
RGBA = Image.fromarray(np.dstack([drawn(), clear()]))
OTHER = Image.new("RGB", RGB.size, (1, 2, 3))
PALETTE = RGB.quantize(16)
BLACK_AND_WHITE = Image.fromarray(drawn()[..., 0] > 128)


def png_of(channels: NDArray[np.uint16], colour_type: int) -> bytes:
    """A PNG of 16 bits a channel, which Pillow does not write: `channels` [H, W, C]."""
    height, width = channels.shape[:2]

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in channels)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def wide(channels: Pixels) -> NDArray[np.uint16]:
    """Eight bits as sixteen, with something in the lower eight."""
    full = channels if channels.ndim == 3 else channels[..., None]
    return full.astype(np.uint16) * 257


def cmyk() -> Image.Image:
    return RGB.convert("CMYK")


def without_adobe(data: bytes) -> bytes:
    """A JPEG without the marker by which Adobe's programs say that they write CMYK inverted."""
    at = data.index(b"\xff\xee")
    return data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] :]


def plain_cmyk_jpeg() -> bytes:
    """CMYK as it is, not inverted, and without the marker: Pillow writes the inverse of what it is given."""
    return without_adobe(saved(ImageChops.invert(cmyk()), "JPEG", quality=95))


def ycck_jpeg() -> bytes:
    """Adobe's CMYK with its first three channels as luminance and colour differences."""
    inverted = 255 - np.asarray(cmyk())  # what Adobe writes; the decoder takes 255 less luminance's R, G, B for it
    ycc = np.asarray(Image.fromarray(255 - inverted[..., :3]).convert("YCbCr"))
    data = saved(Image.fromarray(255 - np.dstack([ycc, inverted[..., 3]]), "CMYK"), "JPEG", quality=95, subsampling=0)
    at = data.index(b"Adobe")
    return data[: at + 11] + b"\x02" + data[at + 12 :]


def frames(kind: str) -> bytes:
    return saved(RGB, kind, save_all=True, append_images=[OTHER, OTHER], duration=100, lossless=True, quality=100)


def gif_with_a_clear_colour() -> bytes:
    """The first colour of the palette is clear."""
    index = PALETTE.getpixel((0, 0))
    return saved(PALETTE, "GIF", transparency=index)


def first_field_clear() -> Pixels:
    pixels = drawn()
    pixels[:FIELD, :FIELD] = 255
    return pixels


WRITTEN: dict[str, tuple[Callable[[], bytes], Callable[[], Pixels], int]] = {
    "jpeg": (lambda: saved(RGB, "JPEG", quality=95), drawn, LOSSY),
    "jpeg, progressive": (lambda: saved(RGB, "JPEG", quality=90, progressive=True), drawn, LOSSY),
    "jpeg, grey": (lambda: saved(RGB.convert("L"), "JPEG", quality=95), lambda: grey(drawn()), LOSSY),
    "jpeg, Adobe's inverted CMYK": (lambda: saved(cmyk(), "JPEG", quality=95), drawn, CMYK),
    "jpeg, Adobe's YCCK": (ycck_jpeg, drawn, CMYK),
    "jpeg, CMYK that is not inverted": (plain_cmyk_jpeg, drawn, CMYK),
    "jpeg of a phone, several pictures": (
        lambda: saved(RGB, "MPO", save_all=True, append_images=[OTHER], quality=95), drawn, LOSSY,
    ),
    "png": (lambda: saved(RGB, "PNG"), drawn, EXACT),
    "png, transparent": (lambda: saved(RGBA, "PNG"), lambda: on_white(drawn(), clear()), 1),
    "png, grey and transparent": (
        lambda: saved(RGBA.convert("LA"), "PNG"), lambda: on_white(grey(drawn()), clear()), 1,
    ),
    "png, palette": (lambda: saved(PALETTE, "PNG"), lambda: np.asarray(PALETTE.convert("RGB")), EXACT),
    "png, palette with transparency": (
        lambda: saved(PALETTE, "PNG", transparency=PALETTE.getpixel((0, 0))), first_field_clear, 8,
    ),
    "png, one clear colour": (lambda: saved(RGB, "PNG", transparency=COLOURS[0][0]), first_field_clear, EXACT),
    "png, one bit": (
        lambda: saved(BLACK_AND_WHITE, "PNG"), lambda: np.asarray(BLACK_AND_WHITE.convert("RGB")), EXACT,
    ),
    "png, 16-bit grey": (lambda: png_of(wide(grey(drawn())[..., 0]), 0), lambda: grey(drawn()), 1),
    "png, 16-bit": (lambda: png_of(wide(drawn()), 2), drawn, 1),
    "png, 16-bit and transparent": (
        lambda: png_of(wide(np.dstack([drawn(), clear()])), 6), lambda: on_white(drawn(), clear()), 1,
    ),
    "png, 16-bit grey and transparent": (
        lambda: png_of(wide(np.dstack([grey(drawn())[..., 0], clear()])), 4),
        lambda: on_white(grey(drawn()), clear()), 1,
    ),
    "png, animated": (lambda: saved(RGB, "PNG", save_all=True, append_images=[OTHER]), drawn, EXACT),
    "webp": (lambda: saved(RGB, "WEBP", quality=95), drawn, LOSSY),
    "webp, lossless": (lambda: saved(RGB, "WEBP", lossless=True), drawn, EXACT),
    "webp, transparent": (
        lambda: saved(RGBA, "WEBP", lossless=True, exact=True), lambda: on_white(drawn(), clear()), 1,
    ),
    "webp, animated": (lambda: frames("WEBP"), drawn, EXACT),
    "avif": (lambda: saved(RGB, "AVIF", quality=95), drawn, LOSSY),
    "avif, transparent": (lambda: saved(RGBA, "AVIF", quality=95), lambda: on_white(drawn(), clear()), LOSSY),
    "avif, animated": (lambda: saved(RGB, "AVIF", save_all=True, append_images=[OTHER], quality=95), drawn, LOSSY),
    "gif": (lambda: saved(PALETTE, "GIF"), lambda: np.asarray(PALETTE.convert("RGB")), EXACT),
    "gif, animated": (lambda: frames("GIF"), drawn, 8),
    "gif, one clear colour": (gif_with_a_clear_colour, first_field_clear, 8),
    "bmp": (lambda: saved(RGB, "BMP"), drawn, EXACT),
    "tiff": (lambda: saved(RGB, "TIFF", compression="tiff_lzw"), drawn, EXACT),
    "tiff, CMYK": (lambda: saved(cmyk(), "TIFF"), drawn, EXACT),
    "tiff, 16-bit grey": (
        lambda: saved(Image.fromarray(wide(grey(drawn())[..., 0])[..., 0]), "TIFF"), lambda: grey(drawn()), 1,
    ),
}  # fmt: skip


def apart(found: Image.Image, pixels: Pixels) -> int:
    """By how many levels the middle of a field is off, at most."""
    assert (found.mode, found.size) == ("RGB", (pixels.shape[1], pixels.shape[0]))
    middles = (slice(FIELD // 2, None, FIELD), slice(FIELD // 2, None, FIELD))
    return int(np.abs(np.asarray(found, dtype=int)[middles] - pixels[middles].astype(int)).max())


@pytest.mark.parametrize("name", WRITTEN)
def test_a_picture_is_decoded_to_what_was_drawn(name: str) -> None:
    write, pixels, lost = WRITTEN[name]
    assert apart(decode_image(write()), pixels()) <= lost


@pytest.mark.parametrize("name", [name for name, (_, _, lost) in WRITTEN.items() if lost == EXACT])
def test_what_loses_nothing_is_decoded_bit_by_bit(name: str) -> None:
    write, pixels, _ = WRITTEN[name]
    assert np.array_equal(np.asarray(decode_image(write())), pixels())


TURNED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright[::-1, ::-1].transpose(1, 0, 2),
    8: lambda upright: np.rot90(upright, -1),
}
"""Orientation of EXIF -> how a camera stores the upright picture."""


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("orientation", TURNED)
def test_a_picture_that_was_stored_turned_is_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(TURNED[orientation](drawn())))
    options = {} if kind in ("PNG", "TIFF") else {"quality": 95}
    assert apart(decode_image(saved(stored, kind, exif=exif, **options)), drawn()) <= LOSSY


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_means_nothing_turns_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert apart(decode_image(saved(RGB, "JPEG", quality=95, exif=exif)), drawn()) <= LOSSY


@pytest.mark.parametrize(
    "data",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>',
        b"%PDF-1.7\n" + bytes(200),
        b"<!doctype html><title>Not found</title>",
        saved(RGB, "ICO"),
        saved(RGB, "PPM"),
        saved(RGB, "EPS"),
    ],
    ids=["svg", "pdf", "html", "ico", "ppm", "eps"],
)
def test_other_formats_are_refused_whatever_they_are_called(data: bytes) -> None:
    with pytest.raises(InvalidMedia, match="not a picture Etalage reads"):
        decode_image(data)
