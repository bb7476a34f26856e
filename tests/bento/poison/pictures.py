"""Pictures: the odd ones are answered, all others are refused as no picture (415) or too large (413)."""

import gzip
from collections.abc import Callable

from PIL import Image

from tests.bento.hostile import b64, bomb, fields, form, part
from tests.bento.poison import images
from tests.bento.poison.case import Poison
from tests.bento.poison.images import claims, floats, frames, png, red, saved, turned, whole

Picture = tuple[str, int, Callable[[], bytes]]
SCRIPT = b"<?php system('id'); ?><script>alert(1)</script>"

ODD: list[Picture] = [
    ("CMYK", 200, lambda: saved(red("CMYK"), "JPEG")),
    ("CMYK in a TIFF", 200, lambda: saved(red("CMYK"), "TIFF", compression="tiff_lzw")),
    ("Lab", 200, lambda: saved(Image.new("LAB", images.SIDE, (128, 200, 120)), "TIFF")),
    ("YCbCr", 200, lambda: saved(red("YCbCr"), "TIFF")),
    ("grey", 200, lambda: saved(red("L"), "JPEG")),
    ("grey with alpha", 200, lambda: saved(red("LA"), "PNG")),
    ("one bit", 200, lambda: saved(red("1"), "PNG")),
    ("a palette with a transparent colour", 200, lambda: saved(red("P"), "PNG", transparency=0)),
    ("all transparent", 200, lambda: saved(Image.new("RGBA", images.SIDE, (0, 0, 0, 0)), "WEBP", lossless=True)),
    ("16 bits of grey", 200, lambda: saved(images.grey16(), "PNG")),
    ("16 bits of grey in a TIFF", 200, lambda: saved(images.grey16(), "TIFF")),
    ("16 bits of each colour", 200, images.rgb48),
    ("floats", 200, lambda: floats(0.0, 1.0)),
    ("floats that are NaN and infinite", 200, lambda: floats(float("nan"), float("inf"), float("-inf"))),
    ("floats beyond every colour", 200, lambda: floats(-3e38, 3e38)),
    ("progressive", 200, lambda: saved(red(), "JPEG", progressive=True)),
    ("animated, GIF", 200, lambda: frames("GIF")),
    ("animated, WebP", 200, lambda: frames("WEBP")),
    ("animated, PNG", 200, lambda: frames("PNG")),
    ("animated, AVIF", 200, lambda: frames("AVIF", 5)),
    ("pages of a TIFF", 200, lambda: frames("TIFF")),
    ("a pair of a phone, MPO", 200, lambda: saved(red(), "MPO", save_all=True, append_images=[red()])),
    ("on its side by EXIF", 200, lambda: turned(6)),
    ("mirrored and turned by EXIF", 200, lambda: turned(7)),
    ("turned by an EXIF value that is none", 200, lambda: turned(65535)),
    ("an EXIF block of noise", 200, lambda: saved(red(), "JPEG", exif=b"Exif\0\0" + bytes(range(256)))),
    ("an EXIF block cut short", 200, lambda: saved(red(), "JPEG", exif=turned(6)[6:40])),
    ("a colour profile of noise", 200, lambda: saved(red(), "JPEG", icc_profile=bytes(range(256)) * 9)),
    ("a script in the comment", 200, lambda: saved(red(), "JPEG", comment=SCRIPT * 100)),
    ("a script in the comment of a GIF", 200, lambda: saved(red(), "GIF", comment=SCRIPT)),
    ("a thousand comments", 200, images.commented),
    ("a script behind it", 200, lambda: whole()["PNG"] + SCRIPT),
    ("a ZIP behind it", 200, lambda: whole()["JPEG"] + b"PK\x03\x04" + bytes(200) + b"PK\x05\x06" + bytes(18)),
    ("eight pixels by eight", 200, lambda: saved(red(side=(8, 8)), "PNG")),
    ("very wide", 200, lambda: saved(red(side=(60_000, 8)), "PNG")),
    ("forty megapixels", 200, images.at_the_limit),
    ("a PNG that says more rows than it has", 200, lambda: claims("PNG", 48, 320)),
    ("a JPEG that says more than it has", 200, lambda: claims("JPEG", 4000, 4000)),
    ("a PNG with noise behind its pixels", 200, lambda: _with_noise(-12)),
    ("a TIFF whose directory leads to itself", 200, images.tiff_loop),
]

BROKEN: list[Picture] = [
    ("nothing", 415, lambda: b""),
    ("one pixel", 415, lambda: saved(red(side=(1, 1)), "PNG")),
    ("one pixel, GIF", 415, lambda: saved(red(side=(1, 1)), "GIF")),
    ("seven pixels by eight", 415, lambda: saved(red(side=(7, 8)), "PNG")),
    ("no width", 415, lambda: claims("PNG", 0, 9)),
    ("30,000 x 30,000 pixels in a few kilobytes", 413, lambda: bomb(30_000, 30_000)),
    *(
        (f"a {kind} that says 30,000 x 30,000", 413, lambda kind=kind: claims(kind, 30_000, 30_000))
        for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF")
    ),
    ("a PNG that says two billion pixels each way", 413, lambda: claims("PNG", 2**31 - 1, 2**31 - 1)),
    ("a BMP of negative size", 413, lambda: claims("BMP", -48, -32)),
    ("a comment of 100 megabytes, packed", 415, lambda: images.text_bomb(100)),
    ("a colour profile of 100 megabytes, packed", 415, lambda: images.profile_bomb(100)),
    *((f"half a {kind}", 415, lambda kind=kind: _half(kind)) for kind in whole()),
    *((f"the first bytes of a {kind}", 415, lambda kind=kind: whole()[kind][:16]) for kind in whole()),
    ("a PNG whose checksum is wrong", 415, lambda: _flipped(whole()["PNG"], 30)),
    ("a PNG whose pixels are no zlib", 415, lambda: png(8, 8, 8, 0, b"").replace(b"x\x9c", b"zz")),
    ("a PNG without pixels", 415, lambda: png(8, 8, 8, 0, b"")),
    ("a PNG of a colour type that is none", 415, lambda: png(8, 8, 8, 5, b"\0" * 72)),
    ("a PNG with noise before its pixels", 415, lambda: _with_noise(33)),
    ("a PNG with noise amid its pixels", 415, images.torn),
    ("an ICO", 415, lambda: saved(red(), "ICO")),
    ("a PCX", 415, lambda: saved(red(), "PCX")),
    ("a PPM", 415, lambda: saved(red(), "PPM")),
    ("a JPEG 2000", 415, lambda: saved(red(), "JPEG2000")),
    ("a PDF", 415, lambda: saved(red(), "PDF")),
    ("an EPS", 415, lambda: saved(red(), "EPS")),
    ("a PNG in gzip", 415, lambda: gzip.compress(whole()["PNG"])),
    ("a PDF with a JPEG in it", 415, lambda: b"%PDF-1.7\n1 0 obj\n" + whole()["JPEG"]),
    ("a ZIP before a PNG", 415, lambda: b"PK\x03\x04" + bytes(26) + whole()["PNG"]),
    ("a video", 415, lambda: b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(400)),
    ("an SVG that reads files", 415, lambda: b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>'),
]


def entries() -> list[Poison]:
    """Every picture, in a form and in JSON by turns; nothing about it depends on the road, as the last rows show."""
    found = []
    for at, (name, status, picture) in enumerate(ODD + BROKEN):
        send = _in_form if at % 2 else _in_json
        found.append(Poison(f"picture: {name}", (status,), send(picture), hits=3 if status == 200 else None))
    for name, status, picture in (ODD[0], ODD[16], BROKEN[0], BROKEN[5]):
        for road, send in (("form", _in_form), ("JSON", _in_json)):
            found.append(Poison(f"picture by {road}: {name}", (status,), send(picture)))
    return found


def _in_form(picture: Callable[[], bytes]) -> Callable[[], dict[str, object]]:
    return lambda: form(part("image", picture(), "photo.jpg"), part("k", b"3"))


def _in_json(picture: Callable[[], bytes]) -> Callable[[], dict[str, object]]:
    return lambda: fields(image=b64(picture()), k=3)


def _half(kind: str) -> bytes:
    data = whole()[kind]
    return data[: len(data) // 2]


def _with_noise(at: int) -> bytes:
    data = whole()["PNG"]
    return data[:at] + bytes(range(128, 200)) + data[at:]


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
