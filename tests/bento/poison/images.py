"""Pictures made in memory for the tables: odd ones, broken ones, and headers that promise what is not there."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

SIDE = (48, 32)


def red(mode: str = "RGB", side: tuple[int, int] = SIDE) -> Image.Image:
    """A plain red picture in another mode."""
    return Image.new("RGB", side, (220, 20, 20)).convert(mode)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The file of a picture."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def whole() -> dict[str, bytes]:
    """One sound file of each format that is read."""
    return {kind: saved(red(), kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")}


def frames(kind: str, count: int = 40) -> bytes:
    """An animated picture; the first frame is red."""
    others = [Image.new("RGB", SIDE, (0, 6 * at, 255 - 6 * at)) for at in range(count)]
    return saved(red(), kind, save_all=True, append_images=others, duration=10)


def turned(orientation: int) -> bytes:
    """A JPEG whose EXIF says how to turn it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(red(), "JPEG", exif=exif)


def grey16() -> Image.Image:
    """Sixteen bits of grey."""
    return Image.fromarray(np.linspace(0, 65535, SIDE[0] * SIDE[1]).astype(np.uint16).reshape(SIDE[::-1]))


def floats(*values: float) -> bytes:
    """A TIFF of 32-bit floats with `values` in its first pixels."""
    pixels = np.zeros(SIDE[::-1], dtype=np.float32)
    pixels[0, : len(values)] = values
    return saved(Image.fromarray(pixels), "TIFF")


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *before: bytes) -> bytes:
    """A PNG by hand; `rows` are packed here, `before` are chunks ahead of them."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(before) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def torn() -> bytes:
    """A PNG whose second half of pixels has a name that no chunk may have; Pillow's words for it quote the bytes."""
    noise = np.random.default_rng(0)
    data = png(*SIDE, 8, 0, b"".join(b"\0" + noise.bytes(SIDE[0]) for _ in range(SIDE[1])))
    start = data.index(b"IDAT")
    length = struct.unpack(">I", data[start - 4 : start])[0]
    pixels = data[start + 4 : start + 4 + length]
    half = length // 2
    return data[: start - 4] + chunk(b"IDAT", pixels[:half]) + chunk(b"\x80\x81\x82\x83", pixels[half:]) + data[-12:]


def rgb48() -> bytes:
    """Sixteen bits of each colour, which Pillow reads but cannot write."""
    row = b"\0" + struct.pack(">HHH", 60000, 4000, 4000) * SIDE[0]
    return png(*SIDE, 16, 2, row * SIDE[1])


def text_bomb(megabytes: int) -> bytes:
    """A PNG with a comment that unpacks to that many megabytes."""
    packed = zlib.compress(bytes(megabytes * 2**20), 1)
    return png(8, 8, 8, 0, b"\0" * 72, chunk(b"zTXt", b"Comment\0\0" + packed))


def profile_bomb(megabytes: int) -> bytes:
    """A PNG with a colour profile that unpacks to that many megabytes."""
    packed = zlib.compress(bytes(megabytes * 2**20), 1)
    return png(8, 8, 8, 0, b"\0" * 72, chunk(b"iCCP", b"icc\0\0" + packed))


def commented() -> bytes:
    """A PNG with a thousand small comments."""
    notes = PngImagePlugin.PngInfo()
    for at in range(1000):
        notes.add_text(f"Comment{at}", "<script>alert(1)</script>")
    return saved(red(), "PNG", pnginfo=notes)


def claims(kind: str, width: int, height: int) -> bytes:
    """A small sound file of that format whose header says it has width x height pixels."""
    data = bytearray(whole()[kind])
    if kind == "PNG":
        data[16:24] = struct.pack(">II", width, height)
        data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    elif kind == "BMP":
        data[18:26] = struct.pack("<ii", width, height)
    elif kind == "GIF":
        data[6:10] = struct.pack("<HH", width, height)
    elif kind == "JPEG":
        at = data.index(b"\xff\xc0")
        data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    elif kind == "TIFF":
        _tiff_size(data, width, height)
    else:
        raise ValueError(kind)
    return bytes(data)


def _tiff_size(data: bytearray, width: int, height: int) -> None:
    start = struct.unpack("<I", data[4:8])[0]
    for at in range(start + 2, start + 2 + 12 * struct.unpack("<H", data[start : start + 2])[0], 12):
        tag = struct.unpack("<H", data[at : at + 2])[0]
        if tag in (256, 257):
            data[at + 2 : at + 12] = struct.pack("<HII", 4, 1, width if tag == 256 else height)


def tiff_loop() -> bytes:
    """A TIFF whose directory names itself as the next one."""
    data = bytearray(whole()["TIFF"])
    start = struct.unpack("<I", data[4:8])[0]
    end = start + 2 + 12 * struct.unpack("<H", data[start : start + 2])[0]
    data[end : end + 4] = data[4:8]
    return bytes(data)


def at_the_limit() -> bytes:
    """Forty megapixels of one bit, the most that is read."""
    return png(8000, 5000, 1, 0, (b"\0" + b"\xff" * 1000) * 5000)
