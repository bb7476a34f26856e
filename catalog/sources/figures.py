"""The twelve things the built-in sample sells, each drawn from a few numbers that belong to its design.

A figure is a function (photo, cloth, colour, shape): it paints itself on `photo` with `cloth` (the patterned sheet) and
trims in or near `colour`. `shape` is a Generator seeded by the design, so variants of one group share their form.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from catalog.sources.drawing import (
    Colour,
    Mask,
    Photo,
    Pixels,
    arc,
    box,
    brightness,
    ellipse,
    mix,
    polygon,
    stroke,
)

Shape = np.random.Generator
Figure = Callable[[Photo, Pixels, Colour, Shape], None]

_BLACK: Colour = (30, 30, 34)
_WHITE: Colour = (246, 245, 242)
_METALS: tuple[Colour, ...] = ((196, 170, 96), (188, 190, 196), (92, 92, 98))
_WOODS: tuple[Colour, ...] = ((150, 108, 70), (196, 160, 116), (92, 66, 48))


def _mirrored(*points: tuple[float, float]) -> list[tuple[float, float]]:
    """A closed outline from its left half, top to bottom."""
    return [*points, *((1 - x, y) for x, y in reversed(points))]


def _any(*masks: Mask) -> Mask:
    union: Mask = np.maximum.reduce(masks)
    return union


def _darker(colour: Colour, share: float = 0.35) -> Colour:
    return mix(colour, _BLACK, share) if brightness(colour) > 0.2 else mix(colour, _WHITE, share * 0.5)


def dress(photo: Photo, cloth: Pixels, colour: Colour, shape: Shape) -> None:
    """A dress: neck, sleeves or straps, waist, flared skirt."""
    waist, flare, hem = shape.uniform(0.40, 0.425), shape.uniform(0.17, 0.30), shape.uniform(0.80, 0.92)
    sleeve, deep = shape.integers(3), shape.uniform(0.14, 0.22)
    side = [(0.385, 0.32), (waist, 0.46), (waist - 0.01, 0.49), (flare + 0.04, hem - 0.2), (flare, hem)]
    top = [[(0.43, 0.07), (0.395, 0.08)], [(0.41, 0.08), (0.34, 0.11), (0.26, 0.25), (0.345, 0.29)],
           [(0.41, 0.08), (0.34, 0.11), (0.20, 0.47), (0.265, 0.50)]][sleeve]  # fmt: skip
    neck = [(0.43, 0.075), (0.5, deep), (0.57, 0.075)]
    body = polygon(_mirrored(*top, *side)) * (1 - polygon([(0.43, 0.0), *neck, (0.57, 0.0)]))
    photo.shadow(body)
    photo.paint(body, cloth, volume=0.3, folds=0.10)
    photo.line(stroke([(waist, 0.465), (0.5, 0.475), (1 - waist, 0.465)], 0.012), 0.3)
    for x in np.linspace(0.38, 0.62, 4):
        photo.line(stroke([(x, 0.50), (0.5 + (x - 0.5) * 2.2, hem - 0.02)], 0.005) * body, 0.18)


def t_shirt(photo: Photo, cloth: Pixels, colour: Colour, shape: Shape) -> None:
    """A t-shirt: short sleeves, round or v neck."""
    width, hem, length = shape.uniform(0.27, 0.30), shape.uniform(0.80, 0.87), shape.uniform(0.30, 0.40)
    v_neck, pocket = shape.random() < 0.35, shape.random() < 0.3
    outline = _mirrored(
        (0.41, 0.16), (0.30, 0.20), (0.10, length), (0.19, length + 0.1), (width, 0.34), (width - 0.01, hem)
    )
    neck = polygon([(0.40, 0.05), (0.5, 0.29), (0.60, 0.05)]) if v_neck else ellipse(0.5, 0.15, 0.19, 0.14)
    body = polygon(outline) * (1 - neck)
    photo.shadow(polygon(outline))
    photo.paint(polygon([(0.42, 0.16), (0.58, 0.16), (0.57, 0.22), (0.43, 0.22)], 1), _darker(colour, 0.45))
    photo.paint(body, cloth, volume=0.3, folds=0.09)
    rim = (
        stroke([(0.41, 0.165), (0.5, 0.285), (0.59, 0.165)], 0.02)
        if v_neck
        else arc(0.5, 0.15, 0.2, 0.15, 5, 175, 0.02)
    )
    photo.paint(rim, _darker(colour, 0.25), volume=0.1)
    for x, sign in ((0.31, -1), (0.69, 1)):
        photo.line(stroke([(x, 0.21), (x + sign * 0.025, 0.36)], 0.006), 0.3)
    photo.line(stroke([(width, hem - 0.035), (1 - width, hem - 0.035)], 0.005) * body, 0.3)
    if pocket:
        photo.line(np.clip(box(0.54, 0.37, 0.66, 0.50, 0.01) - box(0.547, 0.377, 0.653, 0.493, 0.01), 0, 1), 0.35)


def trousers(photo: Photo, cloth: Pixels, colour: Colour, shape: Shape) -> None:
    """Trousers: waistband and two legs, slim to wide."""
    knee, ankle, hem = shape.uniform(0.29, 0.32), shape.uniform(0.26, 0.345), shape.uniform(0.90, 0.95)
    inner, cuffs = shape.uniform(0.45, 0.475), shape.random() < 0.4
    outline = _mirrored(
        (0.35, 0.06), (0.335, 0.15), (0.305, 0.32), (knee, 0.55), (ankle, hem), (inner, hem), (0.488, 0.36)
    )
    body = polygon(outline)
    photo.shadow(body)
    photo.paint(body, cloth, volume=0.35, folds=0.07)
    photo.line(stroke([(0.343, 0.115), (0.657, 0.115)], 0.006) * body, 0.4)
    photo.line(stroke([(0.5, 0.115), (0.5, 0.36)], 0.006), 0.35)
    for x, sign in ((0.35, 1), (0.65, -1)):
        photo.line(stroke([(x + sign * 0.04, 0.13), (x - sign * 0.02, 0.22)], 0.006) * body, 0.4)
        photo.line(stroke([(x + sign * 0.055, 0.3), (x + sign * 0.05, hem - 0.03)], 0.004) * body, 0.2)
    photo.paint(ellipse(0.5, 0.09, 0.022, 0.022), _METALS[1], volume=0.2)
    if cuffs:
        photo.line(box(0.0, hem - 0.045, 1.0, hem, 0.0) * body, 0.2)


def shoe(photo: Photo, cloth: Pixels, colour: Colour, shape: Shape) -> None:
    """A sneaker from the side: sole, upper, toe cap, laces."""
    high, heel, cap = shape.uniform(0.0, 0.10), shape.uniform(0.0, 0.03), shape.random() < 0.5
    collar = 0.40 - high
    outline = [(0.10, 0.66), (0.105, collar + 0.05), (0.15, collar), (0.26, collar + 0.045), (0.36, collar + 0.03)]
    outline += [(0.44, collar + 0.02), (0.58, 0.52), (0.78, 0.56), (0.90, 0.62), (0.91, 0.69), (0.10, 0.69)]
    upper = polygon(outline, 2)
    sole = polygon([(0.075, 0.665), (0.93, 0.665), (0.935, 0.72), (0.89, 0.755), (0.10, 0.76 + heel), (0.07, 0.72)], 2)
    photo.shadow(_any(upper, sole), 0.4)
    photo.paint(upper, cloth, volume=0.4, folds=0.03)
    photo.paint(sole, _WHITE if brightness(colour) < 0.8 else (168, 150, 128), volume=0.25)
    photo.line(stroke([(0.08, 0.715), (0.93, 0.715)], 0.006) * sole, 0.25)
    if cap:
        photo.paint(polygon([(0.74, 0.55), (0.95, 0.60), (0.95, 0.67), (0.72, 0.67)], 2) * upper, _WHITE, volume=0.2)
    photo.paint(ellipse(0.26, collar + 0.03, 0.19, 0.045) * upper, _darker(colour, 0.6), volume=0.1)
    lace = _WHITE if brightness(colour) < 0.75 else _darker(colour, 0.6)
    for step in np.linspace(0, 1, 4):
        x, y = 0.42 + 0.15 * step, collar + 0.07 + (0.47 - collar) * step
        photo.paint(stroke([(x - 0.035, y + 0.03), (x + 0.045, y - 0.03)], 0.014), lace, volume=0.1)
    photo.line(stroke([(0.30, 0.66), (0.345, 0.55), (0.375, 0.47)], 0.006) * upper, 0.35)


def bag(photo: Photo, cloth: Pixels, colour: Colour, shape: Shape) -> None:
    """A handbag: body, flap, handle, clasp."""
    slope, top, tall, flap = (
        shape.uniform(0.0, 0.07),
        shape.uniform(0.40, 0.48),
        shape.uniform(0.22, 0.40),
        shape.random() < 0.6,
    )
    metal = _METALS[shape.integers(len(_METALS))]
    body = polygon(_mirrored((0.20 + slope, top), (0.17, 0.60), (0.16, 0.84), (0.20, 0.88)), 1)
    handle = arc(0.5, top + 0.02, 0.40, 2 * tall, 180, 360, 0.032)
    photo.shadow(_any(body, handle))
    photo.paint(handle, _darker(colour, 0.25), volume=0.3)
    photo.paint(body, cloth, volume=0.45)
    if flap:
        cover = polygon(_mirrored((0.195 + slope, top - 0.005), (0.18 + slope / 2, 0.60), (0.34, 0.67)), 1)
        photo.paint(cover, cloth, volume=0.45)
        photo.paint(box(0.465, 0.615, 0.535, 0.69, 0.015), metal, volume=0.3)
    else:
        photo.line(stroke([(0.20 + slope, top + 0.05), (0.80 - slope, top + 0.05)], 0.008) * body, 0.45)
        photo.paint(ellipse(0.5, top + 0.05, 0.03, 0.03), metal, volume=0.3)
    for x in (0.305, 0.695):
        photo.paint(ellipse(x, top + 0.02, 0.034, 0.034), metal, volume=0.3)


def watch(photo: Photo, cloth: Pixels, colour: Colour, shape: Shape) -> None:
    """A wrist watch: strap, case, dial, hands."""
    half, size = shape.uniform(0.075, 0.105), shape.uniform(0.32, 0.40)
    metal = _METALS[shape.integers(len(_METALS))]
    dial = (_WHITE, _BLACK, mix(metal, _WHITE, 0.7))[shape.integers(3)]
    square, minute, hour = shape.random() < 0.3, shape.uniform(0, 2 * math.pi), shape.uniform(0, 2 * math.pi)
    strap = polygon(
        _mirrored((0.5 - half * 0.72, 0.03), (0.5 - half, 0.36), (0.5 - half, 0.64), (0.5 - half * 0.72, 0.97))
    )
    case = (
        box(0.5 - size / 2, 0.5 - size / 2, 0.5 + size / 2, 0.5 + size / 2, 0.06)
        if square
        else ellipse(0.5, 0.5, size, size)
    )
    inside = size * 0.84
    face = (
        box(0.5 - inside / 2, 0.5 - inside / 2, 0.5 + inside / 2, 0.5 + inside / 2, 0.04)
        if square
        else ellipse(0.5, 0.5, inside, inside)
    )
    photo.shadow(_any(strap, case), 0.35)
    photo.paint(strap, cloth, volume=0.5)
    for y in (0.10, 0.15, 0.20, 0.82, 0.87):
        photo.line(ellipse(0.5, y, 0.014, 0.018), 0.6)
    photo.paint(box(0.5 + size / 2 - 0.005, 0.48, 0.5 + size / 2 + 0.025, 0.52, 0.01), metal, volume=0.3)
    photo.paint(case, metal, volume=0.5)
    photo.paint(face, dial, volume=0.12)
    ink = _BLACK if brightness(dial) > 0.5 else _WHITE
    for hour_mark in range(12):
        a = hour_mark * math.pi / 6
        near, far = inside * 0.40, inside * (0.33 if hour_mark % 3 == 0 else 0.37)
        photo.paint(stroke([(0.5 + r * math.sin(a), 0.5 - r * math.cos(a)) for r in (near, far)], 0.010), ink, volume=0)
    for angle, reach, width in ((hour, 0.22, 0.016), (minute, 0.34, 0.010)):
        tip = (0.5 + inside * reach * math.sin(angle), 0.5 - inside * reach * math.cos(angle))
        photo.paint(stroke([(0.5, 0.5), tip], width), ink, volume=0)


def hat(photo: Photo, cloth: Pixels, colour: Colour, shape: Shape) -> None:
    """A brimmed hat with a band."""
    brim, tall, top = shape.uniform(0.72, 0.90), shape.uniform(0.24, 0.36), shape.uniform(0.13, 0.17)
    base = 0.60
    peak = base - tall
    left = [(0.5, peak - 0.01), (0.5 - top * 0.75, peak), (0.5 - top, peak + 0.06)]
    crown = polygon(_mirrored(*left, (0.5 - top - 0.045, base), (0.5 - top, base + 0.03)), 2)
    rim = ellipse(0.5, base + 0.02, brim, 0.23)
    photo.shadow(_any(crown, rim), 0.35)
    photo.paint(rim, cloth, volume=0.4)
    photo.line(ellipse(0.5, base + 0.0, 2 * top + 0.14, 0.10), 0.3)
    photo.paint(crown, cloth, volume=0.5, folds=0.04)
    band = polygon(
        [
            (0.3, base - 0.075),
            (0.5, base - 0.055),
            (0.7, base - 0.075),
            (0.7, base - 0.005),
            (0.5, base + 0.02),
            (0.3, base - 0.005),
        ]
    )
    photo.paint(band * crown, _darker(colour, 0.6), volume=0.2)
    photo.line(
        stroke(
            [(0.5 - top * 0.4, base - tall + 0.03), (0.5, base - tall + 0.07), (0.5 + top * 0.4, base - tall + 0.03)],
            0.012,
        )
        * crown,
        0.25,
    )


def scarf(photo: Photo, cloth: Pixels, colour: Colour, shape: Shape) -> None:
    """A scarf laid in a loop with two hanging ends and fringes."""
    width, left_end, right_end = shape.uniform(0.15, 0.20), shape.uniform(0.72, 0.84), shape.uniform(0.62, 0.84)
    loop = np.clip(ellipse(0.5, 0.27, 0.60, 0.40) - ellipse(0.5, 0.235, 0.29, 0.15), 0, 1)
    left = polygon([(0.31, 0.34), (0.31 + width, 0.38), (0.29 + width, left_end), (0.27, left_end)])
    right = polygon([(0.70 - width, 0.38), (0.70, 0.34), (0.735, right_end), (0.72 - width, right_end)])
    fringe = [
        stroke([(start + step * (width - 0.005), end - 0.005), (start + step * (width - 0.005), end + 0.055)], 0.009)
        for start, end in ((0.275, left_end), (0.727 - width, right_end))
        for step in np.linspace(0.03, 0.97, 8)
    ]
    photo.shadow(_any(loop, left, right))
    photo.paint(_any(*fringe), _darker(colour, 0.15), volume=0.1)
    photo.paint(right, cloth, volume=0.4, folds=0.10)
    photo.paint(left, cloth, volume=0.4, folds=0.10)
    photo.paint(loop, cloth, volume=0.55, folds=0.12)
    photo.line(arc(0.5, 0.26, 0.44, 0.28, 20, 165, 0.008) * loop, 0.3)


def umbrella(photo: Photo, cloth: Pixels, colour: Colour, shape: Shape) -> None:
    """An open umbrella: dome with scallops, ribs, pole and crook."""
    wide, top, scallops = shape.uniform(0.40, 0.45), shape.uniform(0.13, 0.20), int(shape.integers(4, 6))
    wood, edge = _WOODS[shape.integers(len(_WOODS))], 0.52
    dome = ellipse(0.5, edge, 2 * wide, 2 * (edge - top)) * box(0, 0, 1, edge)
    step = 2 * wide / scallops
    for number in range(scallops):
        dome = dome * (1 - ellipse(0.5 - wide + step * (number + 0.5), edge + 0.012, step * 0.94, 0.11))
    pole = _any(stroke([(0.5, top - 0.045), (0.5, 0.86)], 0.017), arc(0.455, 0.86, 0.09, 0.12, 0, 180, 0.026))
    photo.shadow(_any(dome, pole))
    photo.paint(pole, wood, volume=0.3)
    photo.paint(dome, cloth, volume=0.4)
    for number in range(1, scallops):
        foot = 0.5 - wide + step * number
        bend = 0.5 + (foot - 0.5) * 0.78
        photo.line(stroke([(0.5, top), (bend, (edge + top) / 2 - 0.02), (foot, edge)], 0.007) * dome, 0.35)


def mug(photo: Photo, cloth: Pixels, colour: Colour, shape: Shape) -> None:
    """A mug on a table: body, rim, handle."""
    half, taper, top = shape.uniform(0.19, 0.25), shape.uniform(0.0, 0.05), shape.uniform(0.24, 0.34)
    foot, reach = 0.80, shape.uniform(0.20, 0.26)
    wall = polygon([(0.45 - half, top), (0.45 + half, top), (0.45 + half - taper, foot), (0.45 - half + taper, foot)])
    body = _any(wall, ellipse(0.45, foot, 2 * (half - taper), 0.10))
    handle = arc(0.45 + half - 0.02, (top + foot) / 2 - 0.01, 2 * reach, 0.32, -82, 82, 0.052)
    photo.shadow(_any(body, handle, ellipse(0.5, foot + 0.03, 2.2 * half, 0.12)), 0.4)
    photo.paint(handle, colour, volume=0.5)
    photo.paint(body, cloth, volume=0.55)
    photo.paint(ellipse(0.45, top, 2 * half, 0.115), mix(colour, _WHITE, 0.35), volume=0.1)
    inside = _WHITE if shape.random() < 0.6 else _darker(colour, 0.4)
    photo.paint(ellipse(0.45, top + 0.005, 2 * half - 0.035, 0.09), mix(inside, _BLACK, 0.18), volume=0.2)
    if shape.random() < 0.5:
        photo.paint(ellipse(0.45, top + 0.02, 2 * half - 0.08, 0.055), (92, 58, 36), volume=0.1)


def chair(photo: Photo, cloth: Pixels, colour: Colour, shape: Shape) -> None:
    """A chair at an angle: upholstered back and seat, four legs."""
    wood = (*_WOODS, (70, 70, 74))[shape.integers(4)]
    tall, spread, rounded = shape.uniform(0.10, 0.17), shape.uniform(0.0, 0.04), int(shape.integers(0, 3))
    legs = [
        stroke([(0.30, 0.60), (0.28 - spread, 0.93)], 0.028),
        stroke([(0.72, 0.60), (0.74 + spread, 0.93)], 0.028),
        stroke([(0.36, 0.58), (0.37 - spread, 0.83)], 0.024),
        stroke([(0.66, 0.58), (0.66 + spread, 0.83)], 0.024),
    ]
    back = polygon(_mirrored((0.33, tall), (0.315, 0.30), (0.33, 0.47), (0.5, 0.49)), rounded)
    seat = polygon(_mirrored((0.33, 0.50), (0.25, 0.60), (0.255, 0.655), (0.5, 0.67)), 1)
    posts = _any(stroke([(0.36, 0.40), (0.355, 0.60)], 0.024), stroke([(0.64, 0.40), (0.645, 0.60)], 0.024))
    photo.shadow(_any(*legs, ellipse(0.5, 0.90, 0.56, 0.09)), 0.3)
    for leg in legs:
        photo.paint(leg, wood, volume=0.3)
    photo.paint(posts, wood, volume=0.3)
    photo.paint(back, cloth, volume=0.45)
    photo.paint(seat, cloth, volume=0.4)
    photo.line(stroke([(0.257, 0.615), (0.5, 0.63), (0.743, 0.615)], 0.008) * seat, 0.35)


def lamp(photo: Photo, cloth: Pixels, colour: Colour, shape: Shape) -> None:
    """A table lamp: shade, stem, foot. The colour is the shade's."""
    top, bottom, low = shape.uniform(0.12, 0.22), shape.uniform(0.24, 0.33), shape.uniform(0.44, 0.52)
    stuff = (*_METALS, *_WOODS)[shape.integers(6)]
    belly = shape.uniform(0.0, 0.11)
    shade = polygon(
        [(0.5 - top, 0.13), (0.5 + top, 0.13), (0.5 + bottom, low), (0.5, low + 0.025), (0.5 - bottom, low)]
    )
    stem = stroke([(0.5, low), (0.5, 0.84)], 0.026)
    parts = [stem, ellipse(0.5, 0.85, 0.30, 0.075)]
    if belly > 0.04:
        parts.append(ellipse(0.5, 0.72, 0.12 + belly, 0.22))
    photo.shadow(_any(shade, *parts), 0.35)
    for part in parts:
        photo.paint(part, stuff, volume=0.5)
    photo.paint(shade, cloth, volume=0.35)
    glow = ellipse(0.5, low - 0.06, bottom * 1.5, 0.32) * shade
    photo.pixels += 20 * glow[..., None]
    photo.line(stroke([(0.5 - top, 0.137), (0.5 + top, 0.137)], 0.008), 0.2)


FIGURES: Mapping[str, Figure] = {
    "Dresses": dress,
    "T-shirts": t_shirt,
    "Trousers": trousers,
    "Shoes": shoe,
    "Bags": bag,
    "Watches": watch,
    "Hats": hat,
    "Scarves": scarf,
    "Umbrellas": umbrella,
    "Mugs": mug,
    "Chairs": chair,
    "Lamps": lamp,
}
