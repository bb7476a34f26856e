"""What is told of pictures that look the same: placeholders, one picture on many products, one product twice."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from PIL import Image, ImageDraw

from catalog import tables
from catalog.ingesting.ingest import ingest
from catalog.media import MediaStore, decode_image, media_id
from catalog.pictures.lookalikes import SHOWN, find_lookalikes, without_pictures
from catalog.pictures.perceptual_hash import Look, look_of
from catalog.pictures.report import write_pictures_report
from catalog.products import Product
from catalog.sources.folder import FolderSource
from tests.catalog.conftest import Shop


def picture(seed: int) -> Image.Image:
    """Sharp things on white, as shops have them: where the hash of a blurred picture is noise, theirs is not."""
    image = Image.new("RGB", (240, 240), "white")
    for x, y, size, *colour in np.random.default_rng(seed).integers(10, 190, (9, 6)).tolist():
        ImageDraw.Draw(image).rectangle((x, y, x + size // 3, y + size // 4), fill=tuple(colour))
    return image


def looks(*images: Image.Image) -> dict[str, Look]:
    """Their looks, under the names p0, p1, ..."""
    return {f"p{number}": look_of(image.convert("RGB")) for number, image in enumerate(images)}


def product(number: int, title: str, images: Sequence[str], category: tuple[str, ...] = (), **more: object) -> Product:
    made = Product(f"id{number}", f"g{number}", title, category=category, images=tuple(images))
    return replace(made, **more)


def found(products: Sequence[Product], *images: Image.Image) -> tuple[list[tuple[str, int]], list[int], list[object]]:
    findings = find_lookalikes(products, looks(*images))
    return (
        [(each.kind, each.count) for each in findings.placeholders],
        [each.count for each in findings.repeated],
        list(findings.twice),
    )


def test_products_with_pictures_of_their_own_are_no_finding() -> None:
    products = [product(n, f"Thing {n}", [f"p{n}"]) for n in range(5)]
    assert found(products, *(picture(n) for n in range(5))) == ([], [], [])


def test_one_picture_on_products_of_many_categories_is_a_placeholder() -> None:
    words = ["Red mug", "Oak chair", "Wool hat", "Silver watch"]
    products = [product(n, words[n], ["p0"], ("Shop", f"Category {n}")) for n in range(4)]
    assert found(products, picture(0)) == ([("on unlike products", 4)], [], [])


def test_other_files_of_the_placeholder_count_with_it() -> None:
    small = picture(0).resize((120, 120))
    words = ["Red mug", "Oak chair", "Wool hat", "Silver watch", "Desk lamp"]
    products = [product(n, words[n], [f"p{n % 2}"], ("Shop", f"Category {n}")) for n in range(5)]
    findings = find_lookalikes(products, looks(picture(0), small))
    assert findings.placeholder_pictures == {"p0", "p1"}
    assert [(each.count, each.groups) for each in findings.placeholders] == [(5, 5)]


def test_without_categories_titles_that_share_no_word_tell() -> None:
    unlike = ["Red mug", "Oak chair", "Wool hat", "Silver watch", "Desk lamp"]
    alike = [f"Case for phone {n}" for n in range(5)]
    assert found([product(n, unlike[n], ["p0"]) for n in range(5)], picture(0))[0] == [("on unlike products", 5)]
    assert found([product(n, alike[n], ["p0"]) for n in range(5)], picture(0)) == ([], [5], [])


def test_a_photo_of_several_sizes_or_of_few_products_is_no_placeholder() -> None:
    sizes = [replace(product(n, "Red shirt", ["p0"], ("Shirts",)), group_id="shirt") for n in range(9)]
    sized = [replace(each, attributes=MappingProxyType({"size": str(n)})) for n, each in enumerate(sizes)]
    assert found(sized, picture(0)) == ([], [], [])  # one product group
    few = [product(n, f"{n} {n}", ["p0"], (f"Category {n}",)) for n in range(3)]
    assert found(few, picture(0)) == ([], [3], [])


def test_a_picture_of_one_colour_is_a_placeholder_on_one_product_too_and_like_no_other() -> None:
    products = [product(0, "Mug", ["p0"]), product(1, "Hat", ["p1"]), product(2, "Lamp", ["p2"])]
    white, grey = (Image.new("RGB", (80, 80), colour) for colour in ("white", "#cccccc"))
    assert found(products, white, grey, picture(3)) == ([("flat", 1), ("flat", 1)], [], [])


def test_one_product_that_is_listed_twice() -> None:
    once = product(1, "Red Mug", ["p0"], brand="Acme")
    again = product(2, "red  mug", ["p1"], brand="ACME")
    other = product(3, "Blue mug", ["p0"], brand="Acme")
    assert found([once, again, other], picture(0), picture(0).resize((120, 120))) == ([], [3], [("id1", "id2")])
    differs = replace(again, attributes=MappingProxyType({"size": "L"}))
    assert found([once, differs], picture(0), picture(0))[2] == []
    assert found([once, replace(again, images=("p1",))], picture(0), picture(9))[2] == []


def test_findings_are_in_order_of_their_products_and_name_only_some() -> None:
    many = [product(n, f"Case for phone {n}", ["p0"]) for n in range(SHOWN + 5)]
    few = [product(100 + n, f"Strap for watch {n}", ["p1"]) for n in range(3)]
    findings = find_lookalikes([*few, *many], looks(picture(0), picture(1)))
    assert [each.count for each in findings.repeated] == [SHOWN + 5, 3]
    assert [len(each.products) for each in findings.repeated] == [SHOWN, 3]


def test_only_a_product_with_a_title_loses_its_placeholder() -> None:
    named = product(1, "Mug", ["p0", "p1"])
    assert without_pictures(named, {"p0"}).images == ("p1",)
    assert without_pictures(replace(named, title=""), {"p0", "p1"}).images == ("p0", "p1")


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def shop_with_a_placeholder(shop: Shop) -> Path:
    folder = shop(
        *(f"{n},{word},none.png,Shop,Kind {n},,," for n, word in enumerate(["Mug", "Chair", "Hat", "Watch"])),
        "5,Lamp,5.png,Shop,Lamps,,,",
        "6,,none.png,Shop,Nameless,,,",
    )
    none = Image.new("RGB", (120, 120), "#eeeeee")
    ImageDraw.Draw(none).text((20, 50), "NO IMAGE", fill="#888888")
    (folder / "photos/none.png").write_bytes(png(none))
    (folder / "photos/5.png").write_bytes(png(picture(5)))
    return folder


def test_an_ingest_tells_of_a_placeholder_and_keeps_it(shop_with_a_placeholder: Path, tmp_path: Path) -> None:
    report = ingest(FolderSource(shop_with_a_placeholder), tmp_path / "data")
    assert (report.media, report.without_image) == (2, 0)
    (told,) = report.findings.placeholders
    assert (told.kind, told.count, told.products) == ("on unlike products", 5, ("0", "1", "2", "3", "6"))
    write_pictures_report(report.snapshot, report.findings, tmp_path / "reports/pictures.json")
    written = json.loads((tmp_path / "reports/pictures.json").read_text(encoding="utf-8"))
    assert (written["snapshot"], written["counts"]["placeholder pictures"]) == (report.snapshot, 1)
    assert written["placeholders"][0]["pictures"] == list(told.pictures)


def test_a_placeholder_is_no_picture_where_the_setting_says_so(shop_with_a_placeholder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    report = ingest(FolderSource(shop_with_a_placeholder), data, drop_placeholders=True)
    products = tables.read_products(data / "products.parquet")
    none = media_id((shop_with_a_placeholder / "photos/none.png").read_bytes())
    assert [len(each.images) for each in products] == [0, 0, 0, 0, 1, 1]
    assert products[5].images == (none,)  # it has no title: without it, it would be nothing
    assert (report.without_image, report.media) == (4, 2)
    named = shop_with_a_placeholder / "products.csv"
    named.write_text("".join(line for line in named.read_text().splitlines(keepends=True) if not line.startswith("6,")))
    report = ingest(FolderSource(shop_with_a_placeholder), data, drop_placeholders=True)
    assert (report.without_image, report.media, report.products) == (4, 1, 5)
    store = MediaStore(data / "media")
    assert [decode_image(store.read(identity)).size for identity in store.ids()] == [(240, 240)]
    assert sorted(path.name for path in (data / "media").iterdir()) == ["image-00000.parquet"]
    assert not (data / "media.whole").exists()
