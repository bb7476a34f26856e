"""Pictures of another world are told, and those of the same shop on another day are not."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from catalog.pictures.looks import read_looks, write_looks
from catalog.pictures.perceptual_hash import Look, look_of
from catalog.products import Product
from evaluation.audits.picture_shift import picture_shift
from evaluation.gates.continuity import Tables, continuity
from evaluation.gates.decide import asked_of_continuity
from evaluation.gates.rules import ContinuityRules

Change = Callable[[Image.Image], Image.Image]
RULES = ContinuityRules()


def drawn(number: int) -> Image.Image:
    """A thing of some colour on white, somewhere near the middle."""
    rng = np.random.default_rng(number)
    image = Image.new("RGB", (64, 64), (250, 250, 248))
    colour = tuple(int(value) for value in rng.integers(0, 230, 3))
    size, left, top = (int(value) for value in rng.integers((24, 8, 8), (40, 20, 20)))
    image.paste(colour, (left, top, left + size, top + size))
    return image


def shop(numbers: range, change: Change = lambda image: image, changed: float = 1.0) -> Tables:
    """A product for each number; the first `changed` share of them has another picture."""
    products, looks = [], {}
    for place, number in enumerate(numbers):
        image = drawn(number)
        look = look_of(change(image) if place < changed * len(numbers) else image)
        products.append(Product(f"p{number}", f"p{number}", "Thing", images=(f"m{number}",)))
        looks[f"m{number}"] = look
    return Tables(products, looks=looks)


def apart(then: Tables, now: Tables) -> float:
    found = picture_shift((then.products, then.looks), (now.products, now.looks))
    assert found
    return found[2]


def as_jpeg(image: Image.Image) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=50)
    return Image.open(stream).convert("RGB")


def grey(image: Image.Image) -> Image.Image:
    return ImageOps.grayscale(image).convert("RGB")


def cropped(image: Image.Image) -> Image.Image:
    return image.crop((14, 14, 50, 50))


def on_a_table(image: Image.Image) -> Image.Image:
    white = ImageOps.grayscale(image).point(lambda value: 255 if value > 245 else 0)
    return Image.composite(Image.new("RGB", image.size, (180, 150, 120)), image, white)


def one_for_all(image: Image.Image) -> Image.Image:
    return Image.new("RGB", image.size, (200, 200, 200))


THEN = shop(range(600))


@pytest.mark.parametrize("change", [grey, cropped, on_a_table, one_for_all], ids=lambda change: change.__name__)
def test_pictures_of_another_style_are_told_and_stop_unless_params_only_warn(change: Change) -> None:
    found = continuity(THEN, shop(range(600), change), RULES.minimum)
    (told,) = [reason for reason in asked_of_continuity(found, RULES) if reason.outcome != "passed"]
    assert (told.outcome, told.limit) == ("failed", 0.7) and told.value and told.value > 0.85
    assert told.sentence.startswith("how well pictures of then and now are told apart (0.5: not at all, 1: always) is")
    mild = ContinuityRules(warn=("pictures",))
    assert [reason.outcome for reason in asked_of_continuity(found, mild) if reason.outcome != "passed"] == ["warned"]
    assert apart(THEN, shop(range(600), change, changed=0.6)) > RULES.pictures


@pytest.mark.parametrize(
    "now",
    [
        THEN,
        shop(range(30, 630)),  # 5 % new
        shop(range(1000, 1600)),  # all new, of the same shop
        shop(range(600), as_jpeg),  # saved again
        shop(range(600), lambda image: image.resize((32, 32))),
        shop(range(600), grey, changed=0.1),  # a new line of grey things
    ],
    ids=["the same", "some new", "all new", "saved again", "smaller", "a tenth grey"],
)
def test_what_shops_do_every_day_is_not(now: Tables) -> None:
    assert apart(THEN, now) < 0.6


def test_a_few_pictures_tell_nothing() -> None:
    assert picture_shift((THEN.products[:100], THEN.looks), (THEN.products[:100], THEN.looks)) is None
    assert [change.what for change in continuity(Tables(THEN.products), THEN, 20).of("pictures")] == []


def test_looks_come_back_as_they_were_written(tmp_path: Path) -> None:
    looks = {"b": look_of(drawn(1)), "a": Look(b"\x00" * 32, b"\xff" * 48, True)}
    write_looks(looks, tmp_path / "looks.parquet")
    assert read_looks(tmp_path / "looks.parquet") == looks
    first = (tmp_path / "looks.parquet").read_bytes()
    write_looks(dict(reversed(looks.items())), tmp_path / "looks.parquet")
    assert (tmp_path / "looks.parquet").read_bytes() == first
