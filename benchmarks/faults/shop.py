"""A small shop's folder to plant faults in: products, prices, pictures, terms and judgements.

`write_shop(source, folder, products)` takes so many records of the source, chosen by hash. One without a price gets one
drawn (by category and id, always the same), and the judgements are asked of colour and category.
"""

import json
import random
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from catalog.errors import InvalidMedia
from catalog.rows.records import Record
from catalog.sources import Source

PRODUCTS, TERMS, JUDGEMENTS, MAPPING = "products.jsonl", "terms.jsonl", "judgements.jsonl", "mapping.yaml"
Row = dict[str, Any]

_QUERIES = 60
_ANSWERS = 12  # judged products of a query
_LEVELS = 3


def write_shop(source: Source, folder: Path, products: int) -> int:
    """Write the shop into `folder`. Returns its number of products."""
    (folder / "pictures").mkdir(parents=True)
    chosen = sorted(source.records(), key=lambda record: _hash(record.values.get("id", "")))[:products]
    rows = [_row(record, _pictures(source, record, folder)) for record in chosen]
    write_rows(folder / PRODUCTS, rows)
    terms = [
        {"field": t.field, "value": t.value, "term": t.term} for t in source.side_tables().terms if t.language == "zh"
    ]
    write_rows(folder / TERMS, terms)
    write_rows(folder / JUDGEMENTS, _judgements(rows))
    (folder / MAPPING).write_text(json.dumps(_mapping(rows)), encoding="utf-8")  # JSON is YAML
    return len(rows)


def read_rows(path: Path) -> list[Row]:
    """The rows of one table of the shop."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write one table anew, in a file of its own: a hard link to another world's is left alone."""
    path.unlink(missing_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _hash(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big")


def _pictures(source: Source, record: Record, folder: Path) -> list[str]:
    names = []
    for name in record.images[:1]:
        try:
            data = source.media(name)
        except InvalidMedia:
            continue
        path = f"pictures/{sha256(data).hexdigest()[:16]}.jpg"
        (folder / path).write_bytes(data)
        names.append(path)
    return names


def _row(record: Record, pictures: Sequence[str]) -> Row:
    identity = record.values.get("id", "")
    level = random.Random(_hash("/".join(record.category))).uniform(2.5, 6.0)  # log of the category's usual price
    price = round(2.718 ** random.Random(_hash(f"price {identity}")).gauss(level, 0.35), 2)
    levels = [*record.category[:_LEVELS], *[""] * _LEVELS][:_LEVELS]
    return {
        "id": identity,
        "title": record.values.get("title", ""),
        "language": record.values.get("language", "en"),
        "price": float(record.values.get("price") or price),
        "currency": record.values.get("currency") or "EUR",
        "stock": _hash(f"stock {identity}") % 50,
        "image": "|".join(pictures),
        **{f"c{number}": name for number, name in enumerate(levels)},
        **{f"a_{name}": value for name, value in record.attributes.items()},
    }


def _judgements(rows: Sequence[Row]) -> list[Row]:
    """Queries of a colour and a category: 3 for both, 1 for the category alone."""
    luck = random.Random(7)
    kinds = sorted({(row.get("a_colour", ""), _kind(row)) for row in rows if row.get("a_colour") and _kind(row)})
    judged = []
    for colour, kind in luck.sample(kinds, min(_QUERIES, len(kinds))):
        same = [row for row in rows if _kind(row) == kind]
        same.sort(key=lambda row: (row.get("a_colour") != colour, row["id"]))
        for row in same[:_ANSWERS]:
            grade = 3 if row.get("a_colour") == colour else 1
            query = f"{colour} {kind}".lower()
            judged.append({"query": query, "product_id": row["id"], "grade": grade, "language": "en"})
    return judged


def _kind(row: Row) -> str:
    return next((row[f"c{level}"] for level in reversed(range(_LEVELS)) if row[f"c{level}"]), "")


def _mapping(rows: Sequence[Row]) -> Row:
    attributes = sorted({name for row in rows for name in row if name.startswith("a_")})
    same = ("id", "title", "language", "price", "currency", "stock")
    return {
        "products": PRODUCTS,
        "columns": {name: name for name in same} | {"category": ["c0", "c1", "c2"], "images": ["image"]},
        "attributes": {name.removeprefix("a_"): name for name in attributes},
        "terms": {"file": TERMS, "language": "zh"},
        "judgements": {"file": JUDGEMENTS, "language": "language"},
    }
