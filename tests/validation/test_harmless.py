"""What a healthy shop does every day must neither stop nor warn."""

from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.media import media_id
from catalog.products import Interaction, Judgement, Quarantined, Term
from tests.validation.worlds import World, picture, product
from validation.checks import validate_snapshot


def nothing(world: World) -> None: ...


def products_without_any_optional_field(world: World) -> None:
    for number in range(60):
        world.change(
            number, price=None, currency=None, language=None, stock=None, rating=None, updated_at=None, brand=None
        )


def a_price_of_zero(world: World) -> None:
    world.change(0, price=0.0)


def a_product_with_only_a_picture_and_pictures_that_are_shared(world: World) -> None:
    world.change(0, title="")
    world.change(1, images=(media_id(picture(2)),))  # a variant may share a photo with the next group
    world.media.pop(1)
    world.change(3, images=(media_id(picture(3)), media_id(picture(4))))


def titles_ids_and_languages_of_the_world(world: World) -> None:
    world.change(0, title="红色 T恤", language="zh-Hans-CN")
    world.change(1, title="Ďábelské šaty", language="cs")
    world.change(2, title="فستان أحمر", language="ar")
    world.change(3, id="SKU/7 (ü) '\"$x ${y} {count}")


def times_in_every_iso_shape(world: World) -> None:
    for number, time in enumerate(["2026-05-01T12:00:00Z", "2026-05-01T12:00:00.123+08:00", "2026-05-01T12:00-05:00"]):
        world.change(number, updated_at=time)


def some_quarantined_rows(world: World) -> None:  # 3 / 63 = 4.8 %
    world.quarantined = [Quarantined(60 + n, f"x{n}", "no_title", "why") for n in range(3)]


def no_side_tables(world: World) -> None:
    world.terms, world.judgements, world.interactions = [], [], []


def a_third_without_pictures(world: World) -> None:
    for number in range(20):
        world.change(number, images=())
    world.media = world.media[20:]


def more_of_everything(world: World) -> None:
    world.products += [product(number) for number in range(60, 90)]
    world.media += [(media_id(picture(number)), picture(number)) for number in range(60, 90)]
    world.terms += [Term("colour", "Red", "zh", "大红"), Term("category", "Clothes", "zh", "服装")]
    world.judgements += [Judgement("红色", "p0", 3, "zh"), Judgement("red shoes", "p0", 10)]
    world.interactions += [Interaction("u1", "p0", "view", "2026-05-01T12:00:00Z", "red shirt")] * 3


HARMLESS: list[Callable[[World], None]] = [
    nothing,
    products_without_any_optional_field,
    a_price_of_zero,
    a_product_with_only_a_picture_and_pictures_that_are_shared,
    titles_ids_and_languages_of_the_world,
    times_in_every_iso_shape,
    some_quarantined_rows,
    no_side_tables,
    a_third_without_pictures,
    more_of_everything,
]


@pytest.mark.parametrize("change", HARMLESS, ids=lambda change: change.__name__)
def test_a_harmless_change_neither_stops_nor_warns(change: Callable[[World], None], tmp_path: Path) -> None:
    world = World()
    change(world)
    report = validate_snapshot(world.write(tmp_path / "data"))
    assert (report.failures, report.warnings) == ((), ())
    assert report.success


def test_tables_without_rows_are_named_as_not_checked(tmp_path: Path) -> None:
    world = World()
    no_side_tables(world)
    report = validate_snapshot(world.write(tmp_path / "data"))
    assert report.absent == ("terms", "judgements", "interactions")
    assert {finding.table for finding in report.findings} == {"snapshot", "products", "media"}
