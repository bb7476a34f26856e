"""What a healthy shop does every day must neither stop nor warn."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

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


def rows_in_another_order(world: World) -> None:
    world.products.reverse()
    world.media.reverse()
    world.judgements.reverse()


def a_new_category(world: World) -> None:
    for number in range(4):
        world.change(number, category=("Clothes", "Scarves"))


def three_percent_more_products(world: World) -> None:
    world.products += [product(number) for number in (60, 61)]
    world.media += [(media_id(picture(number)), picture(number)) for number in (60, 61)]


def three_percent_fewer_products(world: World) -> None:
    del world.products[-2:], world.media[-2:]


def prices_rise_by_four_percent(world: World) -> None:
    for number, old in enumerate(world.products):
        world.change(number, price=round((old.price or 0) * 1.04, 2))


def a_sale_on_a_third_of_the_shop(world: World) -> None:
    for number in range(0, 60, 3):
        world.change(number, price=round((world.products[number].price or 0) * 0.6, 2))


def a_new_language(world: World) -> None:
    for number in range(8):
        world.change(number, title=f"Rotes Hemd Nummer {number}", language="de")
    world.terms += [Term("colour", "Red", "de", "rot"), Term("category", "Shoes", "de", "Schuhe")]


def a_new_attribute(world: World) -> None:
    for number, old in enumerate(world.products):
        world.change(number, attributes={**old.attributes, "material": "Wool" if number % 2 else "Cotton"})


def emoji_and_symbols_in_titles(world: World) -> None:
    for number, sign in enumerate(("🔥", "👟✨", "™", "½", "🇮🇳", "👩🏽‍🦱")):
        world.change(number, title=f"{sign} {world.products[number].title} {sign}")


def longer_descriptions_and_reviews(world: World) -> None:
    for number in range(60):
        world.change(number, description="It is soft, warm and red. " * 300, reviews=("Good!", "很好"))


def a_brand_is_renamed(world: World) -> None:
    for number in range(60):
        world.change(number, brand="Meta" if number % 2 else None)


def half_of_the_shop_is_sold_out(world: World) -> None:
    for number in range(0, 60, 2):
        world.change(number, stock=0)


def pictures_saved_again(world: World) -> None:
    """Other files of the same pictures: JPEG for PNG, and a little smaller."""
    for number in range(60):
        stream = io.BytesIO()
        Image.open(io.BytesIO(picture(number))).resize((88, 66)).save(stream, "JPEG", quality=80)
        identity = media_id(stream.getvalue())
        world.media[number] = (identity, stream.getvalue())
        world.change(number, images=(identity,))


def more_pictures_of_a_product(world: World) -> None:
    for number in range(20):
        further = picture(1000 + number, size=(80, 120))
        world.media.append((media_id(further), further))
        world.change(number, images=(*world.products[number].images, media_id(further)))


def titles_in_capitals_and_with_sizes(world: World) -> None:
    for number, old in enumerate(world.products):
        world.change(number, title=f"{old.title.upper()}, size {number % 4 + 38}")


def a_deeper_category_tree(world: World) -> None:
    """The leaves stay; a level comes in between for some."""
    for number in range(10):
        world.change(number, category=("Clothes", world.products[number].category[-1], "Summer"))


def ratings_of_another_day(world: World) -> None:
    for number in range(60):
        world.change(number, rating=None if number % 7 == 0 else 3 + number % 3 / 2, updated_at="2026-06-01T00:00:00Z")


def users_at_work(world: World) -> None:
    world.interactions += [
        Interaction(f"u{n}", f"p{n % 60}", action, f"2026-05-{1 + n % 28:02}T12:00:00+08:00")
        for n in range(80)
        for action in ("view", "click", "cart", "buy")
    ]


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
    rows_in_another_order,
    a_new_category,
    three_percent_more_products,
    three_percent_fewer_products,
    prices_rise_by_four_percent,
    a_sale_on_a_third_of_the_shop,
    a_new_language,
    a_new_attribute,
    emoji_and_symbols_in_titles,
    longer_descriptions_and_reviews,
    a_brand_is_renamed,
    half_of_the_shop_is_sold_out,
    pictures_saved_again,
    more_pictures_of_a_product,
    titles_in_capitals_and_with_sizes,
    a_deeper_category_tree,
    ratings_of_another_day,
    users_at_work,
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
