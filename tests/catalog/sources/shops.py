"""One small catalogue, and writers that turn any catalogue into each of the shapes that shops export."""

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

ADDRESS = "https://shop.example/media/"


@dataclass(frozen=True)
class Good:
    """A product as the shop knows it; `pictures` are file names. `broken` gives it a price that is none."""

    id: str
    title: str
    description: str = ""
    brand: str = ""
    category: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    price: float | None = None
    stock: int | None = None
    pictures: tuple[str, ...] = ()
    broken: bool = False

    @property
    def amount(self) -> str:
        """The price as the shop writes it, without a currency."""
        return "ask us" if self.broken else "" if self.price is None else f"{self.price:.2f}"

    def flat(self) -> dict[str, object]:
        """One row of a plain table."""
        return {
            "id": self.id,
            "title": self.title,
            "description": self.description,
            "brand": self.brand,
            "category": " > ".join(self.category),
            "price": self.amount,
            "stock": self.stock,
            "colour": self.attributes.get("colour", ""),
            "gender": self.attributes.get("gender", ""),
        }


GOODS = (
    Good(
        "a-1", "Red dress", "Light & soft, 100 % cotton", "Acme", ("Apparel", "Dresses"),
        {"colour": "Red", "gender": "Women"}, 29.5, 3, ("red.jpg", "red-back.png"),
    ),
    Good(
        "a-2", "Shirt „Größe“", "", "Acme", ("Apparel", "Shirts"), {"colour": "Blue", "gender": "Men"}, 1299.0, 0,
        ("blue.png",),
    ),
    Good("a-3", "红色杯子", "一个杯子", "Maison Ü", ("Home", "Mugs"), {"colour": "Red"}, 12.0, 5, ("mug.jpg",)),
    Good("a-4", "Mug without a picture", "", "Acme", ("Home", "Mugs"), {"colour": "Red"}, None, None),
    Good("bad", "Mug at a price that is none", "", "Acme", ("Home", "Mugs"), {"colour": "Blue"}, broken=True),
)  # fmt: skip


def picture(name: str) -> bytes:
    """A small picture that is another for every name."""
    number = sum(map(ord, name))
    stream = io.BytesIO()
    kind = "PNG" if name.endswith("png") else "JPEG"
    Image.new("RGB", (24 + number % 16, 24), (number % 256, number * 7 % 256, number * 13 % 256)).save(stream, kind)
    return stream.getvalue()


def write_media(folder: Path, goods: Iterable[Good] = GOODS) -> Path:
    """The media folder of a catalogue, beside its export."""
    folder.mkdir(parents=True, exist_ok=True)
    for good in goods:
        for name in good.pictures:
            (folder / name).write_bytes(picture(name))
    return folder


def write_csv(path: Path, rows: Sequence[Mapping[str, object]], delimiter: str = ",") -> Path:
    """Rows as CSV; the columns are those of any row."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, delimiter=delimiter, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def as_table(folder: Path, goods: Sequence[Good]) -> str:
    """A plain CSV file."""
    return str(write_csv(folder / "list.csv", [{**g.flat(), "images": "|".join(g.pictures)} for g in goods]))


def as_folder(folder: Path, goods: Sequence[Good]) -> str:
    """A folder with a mapping file."""
    as_table(folder, goods)
    (folder / "mapping.yaml").write_text(
        "products: list.csv\ncolumns: {id: id, title: title, description: description, brand: brand, "
        "category: category, price: price, stock: stock, images: images}\n"
        "attributes: {colour: colour, gender: gender}\nmedia: media\n"
        "defaults: {currency: EUR}\n"
    )
    return str(folder)


def as_shopify(folder: Path, goods: Sequence[Good]) -> str:
    """Shopify's export: one variant for each handle, further pictures in rows of their own."""
    rows: list[dict[str, object]] = []
    for good in goods:
        metafields = {f"{name.title()} (product.metafields.custom.{name})": v for name, v in good.attributes.items()}
        rows.append(
            {
                "Handle": good.id,
                "Title": good.title,
                "Body (HTML)": f"<p>{escape(good.description)}</p>" if good.description else "",
                "Vendor": good.brand,
                "Product Category": " > ".join(good.category),
                "Type": good.category[-1] if good.category else "",
                "Published": "true",
                "Option1 Name": "Title",
                "Option1 Value": "Default Title",
                "Variant SKU": good.id,
                "Variant Inventory Qty": good.stock,
                "Variant Inventory Policy": "deny",
                "Variant Price": good.amount,
                "Image Src": f"{ADDRESS}{good.pictures[0]}?v=17" if good.pictures else "",
                "Image Position": 1 if good.pictures else "",
                "Status": "active",
                **metafields,
            }
        )
        rows += [
            {"Handle": good.id, "Image Src": f"{ADDRESS}{name}?v=17", "Image Position": place}
            for place, name in enumerate(good.pictures[1:], start=2)
        ]
    return str(write_csv(folder / "products_export.csv", rows))


def as_woocommerce(folder: Path, goods: Sequence[Good]) -> str:
    """WooCommerce's export of simple products."""
    rows: list[dict[str, object]] = []
    for number, good in enumerate(goods, start=1):
        row: dict[str, object] = {
            "ID": number,
            "Type": "simple",
            "SKU": good.id,
            "Name": good.title,
            "Published": 1,
            "Visibility in catalog": "visible",
            "Description": f"<p>{escape(good.description)}</p>" if good.description else "",
            "In stock?": int(good.stock != 0),
            "Stock": good.stock,
            "Regular price": good.amount,
            "Categories": f"{good.category[0]}, {' > '.join(good.category)}",
            "Images": ", ".join(f"{ADDRESS}{name}" for name in good.pictures),
            "Brands": good.brand,
        }
        for place, (name, value) in enumerate(good.attributes.items(), start=1):
            row |= {f"Attribute {place} name": name.title(), f"Attribute {place} value(s)": value}
        rows.append(row)
    return str(write_csv(folder / "wc-product-export.csv", rows))


def merchant_fields(good: Good) -> list[tuple[str, str]]:
    """The fields of one item of a Merchant feed, in their order; empty ones are left out."""
    known = {"colour": "color", "gender": "gender"}
    details = [f"General:{name.title()}:{value}" for name, value in good.attributes.items() if name not in known]
    stock = "" if good.stock is None else "in_stock" if good.stock else "out_of_stock"
    fields = [
        ("id", good.id), ("title", good.title), ("description", good.description), ("brand", good.brand),
        ("link", f"https://shop.example/{good.id}"), ("product_type", " > ".join(good.category)),
        ("price", f"{good.amount} EUR" if good.amount else ""), ("availability", stock),
        *((known[name], value) for name, value in good.attributes.items() if name in known),
        *(("product_detail", detail) for detail in details),
        *(("image_link" if n == 0 else "additional_image_link", ADDRESS + p) for n, p in enumerate(good.pictures)),
    ]  # fmt: skip
    return [(name, value) for name, value in fields if value]


def as_merchant_tsv(folder: Path, goods: Sequence[Good]) -> str:
    """A Merchant feed as text."""
    rows: list[dict[str, object]] = []
    for good in goods:
        row: dict[str, object] = {}
        for name, value in merchant_fields(good):
            row[name] = f"{row[name]},{value}" if name in row else value
        rows.append(row)
    return str(write_csv(folder / "feed.tsv", rows, "\t"))


def as_merchant_rss(folder: Path, goods: Sequence[Good]) -> str:
    """A Merchant feed as RSS 2.0."""
    items = "".join(f"<item>{_elements(good)}</item>\n" for good in goods)
    path = folder / "feed.xml"
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>'
        f"<title>Shop</title>\n{items}</channel></rss>",
        encoding="utf-8",
    )
    return str(path)


def as_merchant_atom(folder: Path, goods: Sequence[Good]) -> str:
    """A Merchant feed as Atom, in UTF-16."""
    entries = "".join(f"<entry>{_elements(good)}</entry>\n" for good in goods)
    path = folder / "feed.atom"
    path.write_text(
        '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">'
        f"<title>Shop</title>\n{entries}</feed>",
        encoding="utf-16",
    )
    return str(path)


def _elements(good: Good) -> str:
    parts = []
    for name, value in merchant_fields(good):
        if name == "product_detail":
            section, attribute, said = map(escape, value.split(":"))
            parts.append(
                f"<g:product_detail><g:section_name>{section}</g:section_name><g:attribute_name>{attribute}"
                f"</g:attribute_name><g:attribute_value>{said}</g:attribute_value></g:product_detail>"
            )
        else:
            parts.append(f"<g:{name}>{escape(value)}</g:{name}>")
    return "".join(parts)


def as_sql(folder: Path, goods: Sequence[Good]) -> str:
    """A table of a sqlite database, with the names of pictures."""
    path = folder / "shop.db"
    with sqlite3.connect(path) as connection:
        rows = [{**good.flat(), "images": "|".join(good.pictures)} for good in goods]
        names = list(rows[0])
        connection.execute(f"CREATE TABLE products ({', '.join(names)}, PRIMARY KEY (id))")
        connection.executemany(
            f"INSERT INTO products VALUES ({', '.join('?' * len(names))})", map(list, map(dict.values, rows))
        )
    connection.close()
    return f"sqlite:///{path}"


def as_parquet(folder: Path, goods: Sequence[Good]) -> str:
    """Two parquet files with the bytes of pictures in a column."""
    shop = folder / "lake"
    shop.mkdir()
    for number, part in enumerate((goods[:2], goods[2:])):
        rows = [{**g.flat(), "stock": g.stock, "pictures": [picture(name) for name in g.pictures]} for g in part]
        pq.write_table(pa.Table.from_pylist(rows, _BYTES), shop / f"part-{number}.parquet")
    return str(shop)


def as_delta(folder: Path, goods: Sequence[Good]) -> str:
    """A Delta table: the same files, a third that was removed again, and the log."""
    shop = Path(as_parquet(folder, goods))
    pq.write_table(pa.Table.from_pylist([Good("gone", "Deleted").flat()], _BYTES), shop / "part-9.parquet")
    (shop / "_delta_log").mkdir()
    commits: list[list[dict[str, object]]] = [
        [{"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}, {"add": {"path": "part-9.parquet"}}],
        [{"remove": {"path": "part-9.parquet"}}, *({"add": {"path": f"part-{n}.parquet"}} for n in (0, 1))],
    ]
    for number, actions in enumerate(commits):
        (shop / f"_delta_log/{number:020}.json").write_text("\n".join(map(json.dumps, actions)))
    return str(shop)


def as_huggingface(folder: Path, goods: Sequence[Good]) -> str:
    """A data set that save_to_disk wrote, with pictures and with a label for the gender."""
    import datasets

    genders = ["Men", "Women"]
    rows = [
        {**g.flat(), "gender": genders.index(g.attributes["gender"]) if "gender" in g.attributes else None,
         "images": [{"bytes": picture(name), "path": None} for name in g.pictures]}
        for g in goods
    ]  # fmt: skip
    texts = {name: datasets.Value("string") for name in rows[0]}
    features = datasets.Features(
        texts
        | {
            "stock": datasets.Value("int64"),
            "gender": datasets.ClassLabel(names=genders),
            "images": datasets.List(datasets.Image()),
        }
    )
    made = datasets.Dataset.from_list(rows, features=features)
    datasets.DatasetDict({"train": made.select(range(2)), "test": made.select(range(2, len(rows)))}).save_to_disk(
        str(folder / "saved")
    )
    return str(folder / "saved")


def as_pictures(folder: Path, goods: Sequence[Good]) -> str:
    """Nothing but pictures, in folders by category, and one that is broken."""
    for good in goods:
        for name in good.pictures:
            place = folder.joinpath("pictures", *good.category)
            place.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(picture(name))
    (folder / "pictures/torn.jpg").write_bytes(picture("torn.jpg")[:100])
    return str(folder / "pictures")


def as_sample(folder: Path, goods: Sequence[Good]) -> str:
    """The built-in sample, which is a catalogue of its own."""
    return "sample"


_BYTES = pa.schema(
    [
        *((name, pa.int64() if name == "stock" else pa.string()) for name in Good("", "").flat()),
        ("pictures", pa.list_(pa.binary())),
    ]
)

WRITERS: Mapping[str, Callable[[Path, Sequence[Good]], str]] = {
    "table": as_table,
    "folder": as_folder,
    "shopify": as_shopify,
    "woocommerce": as_woocommerce,
    "merchant-tsv": as_merchant_tsv,
    "merchant-rss": as_merchant_rss,
    "merchant-atom": as_merchant_atom,
    "sql": as_sql,
    "parquet": as_parquet,
    "delta": as_delta,
    "huggingface": as_huggingface,
}

OTHERS: Mapping[str, Callable[[Path, Sequence[Good]], str]] = {"pictures": as_pictures, "sample": as_sample}  # say less
