"""The built-in sample: a small shop of 480 drawn products in twelve categories, the same for one seed.

It has what real catalogues have: variants, two languages, titles that leave out what the picture shows, missing
pictures, missing attributes, and a few rows that belong in quarantine.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
from PIL import Image

from catalog.errors import InvalidMedia
from catalog.products import CATEGORY, Interaction, Judgement, Term
from catalog.rows.records import Record, Reference
from catalog.sources.drawing import Colour, Pattern, Photo, brightness, encode, mix, texture
from catalog.sources.figures import FIGURES
from catalog.sources.inputs import Inputs
from catalog.sources.protocol import SideTables
from catalog.sources.sample_words import (
    BRANDS,
    CHINESE,
    COLOURS,
    DESIGNS,
    GOODS,
    PATTERNS,
    REVIEWS,
    SENTENCES,
)

PER_CATEGORY = 40
_FIRST_DAY = datetime(2026, 1, 5, 8, tzinfo=UTC)
_DARK: tuple[Colour, ...] = ((38, 50, 104), (150, 40, 44), (40, 90, 66), (60, 60, 66))
_LIGHT: tuple[Colour, ...] = ((247, 245, 238), (247, 245, 238), (244, 220, 150))


@dataclass(frozen=True)
class Design:
    """What the variants of one product group share."""

    number: int
    category: str
    pattern: Pattern
    brand: str
    name: tuple[str, str]  # English, Chinese
    material: str
    usage: str
    gender: str | None
    language: str
    noun: int  # which of the category's nouns


@dataclass(frozen=True)
class Variant:
    """One product before it is described: a design in a colour."""

    number: int  # from 1; its id is s0001
    design: Design
    colour: str

    @property
    def id(self) -> str:
        return f"s{self.number:04d}"

    def facets(self) -> dict[str, str]:
        """True attributes, told or not."""
        design = self.design
        told = {"colour": self.colour, "pattern": design.pattern, "material": design.material, "usage": design.usage}
        return told | ({"gender": design.gender} if design.gender else {})


class SampleSource:
    """The built-in catalogue. Pictures are drawn when they are asked for, about 25 ms each."""

    def __init__(self, seed: int = 7) -> None:
        self.seed = seed

    @property
    def name(self) -> str:
        """Name with the seed that made it."""
        return f"sample:{self.seed}"

    def records(self) -> Iterator[Record]:
        """480 good rows in mixed order, and five bad ones between them."""
        rows = [self._record(variant) for variant in self._variants]
        random.Random(f"{self.seed}:order").shuffle(rows)
        for place, bad in zip((60, 150, 240, 330, 420), self._bad_rows(rows[10]), strict=True):
            rows.insert(place, bad)
        for number, row in enumerate(rows, start=1):
            yield Record(number, row.values, row.category, row.attributes, row.images, row.reviews)

    def media(self, reference: Reference) -> bytes:
        """Draw one picture. Raises InvalidMedia for a reference that is not in the sample."""
        if isinstance(reference, bytes):
            raise InvalidMedia("The sample's pictures have names.")
        stem, _, ending = reference.rpartition(".")
        if stem == "broken":
            return self.media("s0001-1.jpg")[:2000]
        if stem == "dot":
            return encode(Photo(np.random.default_rng(0), False).finish().crop((0, 0, 1, 1)), "PNG")
        identity, _, view = stem.partition("-")
        variant = self._by_id.get(identity)
        if variant is None or not view.isdigit():
            raise InvalidMedia(f"The sample has no picture '{reference[:80]}'.")
        image = draw(variant.design, variant.colour, (self.seed, variant.number, int(view)), self.seed)
        return encode(image, "PNG" if ending == "png" else "JPEG")

    def is_away(self, reference: Reference) -> bool:
        """Never: it has no addresses."""
        return False

    def inputs(self) -> Inputs:
        """Nothing but its seed."""
        return Inputs({"source": self.name})

    def side_tables(self) -> SideTables:
        """Chinese terms for every facet value, graded answers, and actions of invented users."""
        return SideTables(tuple(_terms()), tuple(self._judgements()), tuple(self._interactions()))

    @cached_property
    def _variants(self) -> list[Variant]:
        rng = random.Random(f"{self.seed}:designs")
        variants: list[Variant] = []
        designs = 0
        for category, goods in GOODS.items():
            names = rng.sample(DESIGNS, len(DESIGNS))
            left = PER_CATEGORY
            while left:
                designs += 1
                design = Design(
                    number=designs,
                    category=category,
                    pattern=rng.choice(PATTERNS) if rng.random() < 0.75 else "Plain",
                    brand=rng.choice(BRANDS),
                    name=names.pop(),
                    material=rng.choice(goods.materials),
                    usage=rng.choice(goods.usages),
                    gender=rng.choice(goods.worn_by) if goods.worn_by else None,
                    language="zh" if rng.random() < 0.22 else "en",
                    noun=rng.randrange(len(goods.nouns)),
                )
                colours = rng.sample(list(COLOURS), min(left, rng.randint(2, 5)))
                first = len(variants) + 1
                variants.extend(Variant(number, design, colour) for number, colour in enumerate(colours, first))
                left -= len(colours)
        return variants

    @cached_property
    def _by_id(self) -> dict[str, Variant]:
        return {variant.id: variant for variant in self._variants}

    def _record(self, variant: Variant) -> Record:
        rng = random.Random(f"{self.seed}:row:{variant.number}")
        design, goods = variant.design, GOODS[variant.design.category]
        chinese = design.language == "zh"
        euros = round(goods.price * (0.7 + (design.number * 37 % 60) / 60) * rng.uniform(0.97, 1.03), 2)
        values = {
            "id": variant.id,
            "group_id": f"model-{design.number:03d}",
            "title": title_zh(variant, rng) if chinese else title_en(variant, rng),
            "description": _description(variant, rng) if rng.random() < 0.55 else "",
            "brand": design.brand if rng.random() < 0.95 else "",
            "price": "" if rng.random() < 0.03 else f"{euros * (7.8 if chinese else 1):.2f}",
            "currency": "CNY" if chinese else "EUR",
            "language": design.language,
            "stock": "" if rng.random() < 0.04 else str(0 if rng.random() < 0.09 else rng.randint(1, 60)),
            "rating": f"{min(5.0, max(1.0, rng.gauss(4.1, 0.6))):.1f}" if rng.random() < 0.7 else "",
            "updated_at": (_FIRST_DAY + timedelta(minutes=rng.randrange(250_000))).isoformat(),
        }
        ending = "png" if rng.random() < 0.08 else "jpg"
        views = 0 if rng.random() < 0.035 else 2 if rng.random() < 0.06 else 1
        return Record(
            source_row=0,
            values=values,
            category=(goods.department, design.category),
            attributes={} if rng.random() < 0.025 else variant.facets(),
            images=tuple(f"{variant.id}-{view + 1}.{ending}" for view in range(views)),
            reviews=tuple(rng.sample(REVIEWS, rng.randint(1, 2))) if rng.random() < 0.12 else (),
        )

    def _bad_rows(self, twin: Record) -> list[Record]:
        def row(identity: str, title: str, *images: str, **values: str) -> Record:
            return Record(0, {"id": identity, "title": title, "language": "en", **values}, images=images)

        return [
            row("bad-1", "Velmora Mug with half a picture", "broken.jpg"),
            twin,  # the same id a second time
            row("bad-3", "  "),
            row("bad-4", "Brisela Scarf at a price", "s0002-1.jpg", price="ask in the shop"),
            row("bad-5", "Kotumi Lamp too small to see", "dot.png"),
        ]

    def _judgements(self) -> Iterator[Judgement]:
        """Queries about two facets. Grade 3: has both; 1: the category alone; 0: the other facet alone."""
        rng = random.Random(f"{self.seed}:judgements")
        for number in range(48):
            about = rng.choice(self._variants)
            field = ("colour", "pattern", "usage")[number % 3]
            category, value = about.design.category, about.facets()[field]
            if number % 2:
                query, language = f"{CHINESE[field][value][0]}{GOODS[category].chinese[0]}", "zh"
            else:
                query, language = f"{value.lower()} {GOODS[category].nouns[0].lower()}", "en"
            grades = {}
            for variant in self._variants:
                same_category, same_value = variant.design.category == category, variant.facets().get(field) == value
                if same_category:
                    grades[variant.id] = 3 if same_value else 1
                elif same_value and rng.random() < 0.1:
                    grades[variant.id] = 0
            for product_id, grade in grades.items():
                yield Judgement(query, product_id, grade, language)

    def _interactions(self) -> Iterator[Interaction]:
        """300 actions of 40 users, each with a liking for two categories."""
        rng = random.Random(f"{self.seed}:interactions")
        likes = {f"user-{number:02d}": rng.sample(list(GOODS), 2) for number in range(1, 41)}
        at = _FIRST_DAY
        for _ in range(300):
            at += timedelta(minutes=rng.randint(1, 90))
            user = rng.choice(list(likes))
            product = rng.choice([v for v in self._variants if v.design.category in likes[user]])
            action = rng.choices(("view", "click", "cart", "buy"), (50, 30, 13, 7))[0]
            query = f"{product.colour.lower()} {GOODS[product.design.category].nouns[0].lower()}"
            yield Interaction(user, product.id, action, at.isoformat(), query if rng.random() < 0.5 else None)


def draw(design: Design, colour: str, photo_seed: tuple[int, ...], shape_seed: int) -> Image.Image:
    """The photo of a design in a colour: the design fixes form and pattern, the photo seed light and place."""
    rng = np.random.default_rng(photo_seed)
    shape = np.random.default_rng((shape_seed, design.number))
    red, green, blue = (
        float(channel) for channel in np.clip(np.asarray(COLOURS[colour]) + rng.normal(0, 5, 3), 0, 255)
    )
    main = (red, green, blue)
    if design.pattern == "Checked":  # shades of one colour, as gingham
        second = mix(main, (250, 249, 246), 0.85) if brightness(main) < 0.75 else _DARK[shape.integers(len(_DARK))]
    else:
        second = _LIGHT[shape.integers(len(_LIGHT))] if brightness(main) < 0.62 else _DARK[shape.integers(len(_DARK))]
    photo = Photo(rng, GOODS[design.category].indoors)
    FIGURES[design.category](photo, texture(design.pattern, main, second, shape), main, shape)
    return photo.finish()


def title_en(variant: Variant, rng: random.Random) -> str:
    """An English title that says colour, pattern and gender only sometimes."""
    design, goods = variant.design, GOODS[variant.design.category]
    told = variant.colour if rng.random() < 0.5 else ""
    pattern = design.pattern if rng.random() < (0.15 if design.pattern == "Plain" else 0.45) else ""
    whose = f"{design.gender}'s".replace("s's", "s'") if design.gender and rng.random() < 0.45 else ""
    noun = goods.nouns[design.noun]
    layout = rng.randrange(3)
    if layout == 0:
        words = [design.brand, design.name[0], pattern, told, noun]
    elif layout == 1:
        words = [design.brand, whose, design.name[0], pattern, noun, f"in {told}" if told else ""]
    else:
        words = [design.name[0], whose, told, pattern, noun, f"by {design.brand}"]
    return " ".join(word for word in words if word)


def title_zh(variant: Variant, rng: random.Random) -> str:
    """A Chinese title that says colour, pattern and gender only sometimes; the brand stays in Latin letters."""
    design, goods = variant.design, GOODS[variant.design.category]
    told = CHINESE["colour"][variant.colour][0] if rng.random() < 0.5 else ""
    pattern = CHINESE["pattern"][design.pattern][0] if rng.random() < 0.45 else ""
    whose = CHINESE["gender"][design.gender][0] if design.gender and rng.random() < 0.45 else ""
    noun = goods.chinese[design.noun % len(goods.chinese)]
    layout = rng.randrange(3)
    if layout == 0:
        return f"{design.brand} {design.name[1]}{whose}{told}{pattern}{noun}"
    if layout == 1:
        return f"{design.name[1]}系列{pattern}{noun} {whose}{told}".strip()
    return f"{design.brand} {design.name[0]} {told}{whose}{pattern}{noun}"


def _description(variant: Variant, rng: random.Random) -> str:
    design, goods = variant.design, GOODS[variant.design.category]
    english, chinese = rng.choice(SENTENCES[goods.department])
    if design.language == "zh":
        return f"{CHINESE['material'][design.material][0]}材质。{chinese}"
    return f"{english} {design.material}."


def _terms() -> Iterator[Term]:
    for category, goods in GOODS.items():
        for name in goods.chinese:
            yield Term(CATEGORY, category, "zh", name)
    for field, values in CHINESE.items():
        for value, names in values.items():
            for name in names:
                yield Term(field, value, "zh", name)
