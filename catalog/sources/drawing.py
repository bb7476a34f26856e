"""Painting for the built-in sample: textures, light, shadow and background of one drawn product photo.

Everything is drawn at twice the size and shrunk, from a numpy Generator alone: same seed, same pixels.
Lengths are fractions of the side; S is the side in drawn pixels.
"""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

SIDE = 224
S = 2 * SIDE

Colour = tuple[float, float, float]  # 0..255
Point = tuple[float, float]
Pixels = NDArray[np.float32]  # [S, S, 3], 0..255
Mask = NDArray[np.float32]  # [S, S], 0..1
Pattern = Literal["Plain", "Striped", "Dotted", "Checked", "Zigzag", "Floral"]

_Y: Mask = np.repeat(np.arange(S, dtype=np.float32)[:, None] / np.float32(S), S, axis=1)
_X: Mask = np.ascontiguousarray(_Y.T)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`share` of the way from one colour to the other."""
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def brightness(colour: Colour) -> float:
    """0 (black) to 1 (white), as the eye weighs the channels."""
    return (0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]) / 255


def polygon(points: Sequence[Point], smooth: int = 0) -> Mask:
    """Filled polygon; `smooth` rounds of corner cutting make it organic."""
    corners = np.asarray(points, dtype=np.float64)
    for _ in range(smooth):
        following = np.roll(corners, -1, axis=0)
        corners = np.stack([0.75 * corners + 0.25 * following, 0.25 * corners + 0.75 * following], axis=1).reshape(
            -1, 2
        )
    image = Image.new("L", (S, S), 0)
    ImageDraw.Draw(image).polygon([(x * S, y * S) for x, y in corners], fill=255)
    return _mask(image)


def ellipse(x: float, y: float, width: float, height: float) -> Mask:
    """Filled ellipse around (x, y)."""
    image = Image.new("L", (S, S), 0)
    box = ((x - width / 2) * S, (y - height / 2) * S, (x + width / 2) * S, (y + height / 2) * S)
    ImageDraw.Draw(image).ellipse(box, fill=255)
    return _mask(image)


def box(left: float, top: float, right: float, bottom: float, radius: float = 0.0) -> Mask:
    """Filled rectangle with round corners."""
    image = Image.new("L", (S, S), 0)
    ImageDraw.Draw(image).rounded_rectangle((left * S, top * S, right * S, bottom * S), radius * S, fill=255)
    return _mask(image)


def stroke(points: Sequence[Point], width: float) -> Mask:
    """A line through points, with round joints and ends."""
    image = Image.new("L", (S, S), 0)
    draw = ImageDraw.Draw(image)
    pixels = [(x * S, y * S) for x, y in points]
    draw.line(pixels, fill=255, width=max(1, round(width * S)), joint="curve")
    half = width * S / 2
    for x, y in (pixels[0], pixels[-1]):
        draw.ellipse((x - half, y - half, x + half, y + half), fill=255)
    return _mask(image)


def arc(x: float, y: float, width: float, height: float, start: float, end: float, thickness: float) -> Mask:
    """Part of an ellipse's outline; angles in degrees, clockwise from the right."""
    angles = np.radians(np.linspace(start, end, 40))
    return stroke([(x + width / 2 * math.cos(a), y + height / 2 * math.sin(a)) for a in angles], thickness)


def blur(mask: Mask, radius: float) -> Mask:
    """Gaussian blur; `radius` as a fraction of the side."""
    pad = math.ceil(2 * radius * S)
    image = Image.fromarray(np.pad((mask * 255).astype(np.uint8), pad)).filter(ImageFilter.GaussianBlur(radius * S))
    return _mask(image)[pad:-pad, pad:-pad]


def texture(pattern: Pattern, colour: Colour, second: Colour, rng: np.random.Generator) -> Pixels:
    """A sheet of cloth, [S, S, 3]: `second` drawn as the pattern on `colour`."""
    share = np.clip(_PATTERNS[pattern](rng), 0, 1)[..., None]
    sheet = np.asarray(colour, np.float32) * (1 - share) + np.asarray(second, np.float32) * share
    return sheet.astype(np.float32)


class Photo:
    """A picture being painted: background first, then parts from back to front."""

    def __init__(self, rng: np.random.Generator, floor: bool) -> None:
        self.rng = rng
        wall = np.asarray((238.0, 237.0, 235.0)) + rng.uniform(-7, 7, 3) - rng.uniform(0, 16)
        light = 1.03 - 0.10 * np.hypot(_X - np.float32(rng.uniform(0.3, 0.7)), _Y - np.float32(rng.uniform(0.2, 0.5)))
        self.pixels: Pixels = light[..., None] * wall.astype(np.float32)
        if floor:
            edge = rng.uniform(0.70, 0.78)
            tone = np.asarray(_FLOORS[int(rng.integers(len(_FLOORS)))], np.float32)
            row = int(edge * S)
            self.pixels[row:] = (1 + 0.12 * (_Y[row:] - np.float32(edge)))[..., None] * tone
        self._floor = floor
        self._light_from = float(rng.uniform(-1, 1))

    def shadow(self, mask: Mask, strength: float = 0.28) -> None:
        """A soft shadow that the whole figure throws, below and beside it."""
        moved = np.roll(blur(mask, 0.022), (int(0.018 * S), int(-0.014 * S * self._light_from)), axis=(0, 1))
        self.pixels *= 1 - strength * moved[..., None]

    def paint(self, mask: Mask, sheet: Pixels | Colour, *, volume: float = 0.35, folds: float = 0.0) -> None:
        """Lay `sheet` where `mask` is, rounded by light: `volume` darkens towards the edges, `folds` creases cloth."""
        here = _window(mask)
        mask = mask[here]
        inner = blur(mask, 0.03) if volume else mask
        light = 1 - volume * (1 - np.clip(inner * 1.6 - 0.6, 0, 1)) * 0.8
        light *= 1.04 - 0.16 * ((_X[here] - 0.5) * self._light_from + (_Y[here] - 0.5) * 0.7)
        if folds:
            light *= 1 + folds * _creases(self.rng)[here]
        colours = np.asarray(sheet, np.float32)
        colours = (colours[here] if colours.ndim == 3 else colours) * light[..., None]
        gloss = 14 * volume * inner[..., None]  # even black cloth shows its form
        cover = mask[..., None]
        self.pixels[here] += (np.clip(colours + gloss, 0, 255) - self.pixels[here]) * cover

    def line(self, mask: Mask, darken: float = 0.35) -> None:
        """A seam, edge or crease: darkens what is there."""
        here = _window(mask)
        self.pixels[here] *= 1 - darken * mask[here][..., None]

    def finish(self) -> Image.Image:
        """The photo: turned a little, moved a little, grain of a sensor, shrunk to SIDE x SIDE."""
        rng = self.rng
        margin = S // 5
        padded = np.pad(self.pixels, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
        image = Image.fromarray(np.clip(padded, 0, 255).astype(np.uint8))
        scale, angle = rng.uniform(0.88, 1.10), math.radians(rng.uniform(-4, 4) * (0.4 if self._floor else 1.0))
        cos, sin = math.cos(angle) / scale, math.sin(angle) / scale
        dx, dy = rng.uniform(-0.035, 0.035, 2) * S
        middle = S / 2
        # Two drawn pixels for each step, read between them: the mean of four, so edges are smooth.
        turn = (2 * cos, 2 * sin, margin + middle - cos * (middle + dx) - sin * (middle + dy))
        lift = (-2 * sin, 2 * cos, margin + middle + sin * (middle + dx) - cos * (middle + dy))
        small = image.transform((SIDE, SIDE), Image.Transform.AFFINE, turn + lift, Image.Resampling.BILINEAR)
        grained = np.asarray(small, np.float32) * rng.uniform(0.94, 1.04) + rng.normal(0, 2.0, (SIDE, SIDE, 3))
        return Image.fromarray(np.clip(grained, 0, 255).astype(np.uint8))


def encode(image: Image.Image, kind: Literal["JPEG", "PNG"], quality: int = 88) -> bytes:
    """Bytes of a picture file."""
    stream = io.BytesIO()
    image.save(stream, kind, **({"quality": quality} if kind == "JPEG" else {"compress_level": 6}))
    return stream.getvalue()


_FLOORS: Sequence[Colour] = ((205, 188, 165), (190, 186, 182), (214, 205, 196), (172, 150, 128))


def _window(mask: Mask) -> tuple[slice, slice]:
    """The smallest rectangle outside which `mask` is zero."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _mask(image: Image.Image) -> Mask:
    mask: Mask = np.zeros((image.height, image.width), np.float32)
    where = image.getbbox()  # most parts are small: convert only them
    if where:
        left, top, right, bottom = where
        mask[top:bottom, left:right] = np.asarray(image.crop(where), np.float32) / np.float32(255)
    return mask


def _creases(rng: np.random.Generator) -> Mask:
    """Slow waves between -1 and 1, longer downwards than across, as hanging cloth has."""
    coarse = rng.normal(0, 1, (6, 14))
    image = Image.fromarray(coarse.astype(np.float32)).resize((S, S), Image.Resampling.BICUBIC)
    waves = np.asarray(image, np.float32)
    creases: Mask = waves / np.float32(max(1e-6, float(np.abs(waves).max())))
    return creases


def _plain(rng: np.random.Generator) -> Mask:
    return np.zeros((S, S), np.float32)


def _striped(rng: np.random.Generator) -> Mask:
    angle = rng.choice([0.0, 0.0, math.pi / 2, math.pi / 4])
    along = _X * math.sin(angle) + _Y * math.cos(angle)
    period, share = rng.uniform(0.055, 0.10), rng.uniform(0.32, 0.5)
    return np.asarray((along / period) % 1.0 < share, np.float32)


def _dotted(rng: np.random.Generator) -> Mask:
    period, size = rng.uniform(0.065, 0.11), rng.uniform(0.22, 0.32)
    row = np.floor(_Y / period)
    across = (_X / period + 0.5 * (row % 2)) % 1.0 - 0.5
    down = (_Y / period) % 1.0 - 0.5
    return np.asarray(np.hypot(across, down) < size, np.float32)


def _checked(rng: np.random.Generator) -> Mask:
    period = rng.uniform(0.10, 0.16)
    across, down = ((_X / period) % 1.0 < 0.5), ((_Y / period) % 1.0 < 0.5)
    return np.asarray(0.45 * across + 0.45 * down, np.float32)


def _zigzag(rng: np.random.Generator) -> Mask:
    period, depth = rng.uniform(0.08, 0.12), rng.uniform(0.03, 0.045)
    wave = np.abs((_X / 0.09) % 1.0 - 0.5) * 2 * depth
    return np.asarray(((_Y + wave) / period) % 1.0 < 0.4, np.float32)


def _floral(rng: np.random.Generator) -> Mask:
    image = Image.new("L", (S, S), 0)
    draw = ImageDraw.Draw(image)
    step = rng.uniform(0.12, 0.15)
    for row, y in enumerate(np.arange(0.0, 1.05, step)):
        for x in np.arange(0.0, 1.05, step) + 0.5 * step * (row % 2):
            petals, size = 5, rng.uniform(0.017, 0.024) * S
            cx, cy = (x + rng.uniform(-0.02, 0.02)) * S, (y + rng.uniform(-0.02, 0.02)) * S
            turn = rng.uniform(0, 2 * math.pi)
            for petal in range(petals):
                a = turn + petal * 2 * math.pi / petals
                px, py = cx + 1.15 * size * math.cos(a), cy + 1.15 * size * math.sin(a)
                draw.ellipse((px - size * 0.8, py - size * 0.8, px + size * 0.8, py + size * 0.8), fill=255)
            draw.ellipse((cx - size * 0.5, cy - size * 0.5, cx + size * 0.5, cy + size * 0.5), fill=70)
    return _mask(image)


_PATTERNS: Mapping[Pattern, Callable[[np.random.Generator], Mask]] = {
    "Plain": _plain,
    "Striped": _striped,
    "Dotted": _dotted,
    "Checked": _checked,
    "Zigzag": _zigzag,
    "Floral": _floral,
}
