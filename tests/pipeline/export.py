"""A stranger's export: columns under the shop's own names, two prices that are words, a folder of pictures."""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

COLUMNS = {
    "SKU": "id",
    "Product name": "title",
    "Department": "c0",
    "Kind": "c1",
    "Colour": "a_colour",
    "Pattern": "a_pattern",
    "Material": "a_material",
    "Usage": "a_usage",
    "lang": "language",
}
WORDS_FOR_PRICES = (5, 9)


def write_export(folder: Path) -> None:
    """What `write_shop` left in `folder` as products.csv, pictures/ and words_zh.csv; nothing tells what is what."""
    products = _lines(folder / "products.jsonl")
    rows = [
        {name: row.get(field, "") for name, field in COLUMNS.items()}
        | {"Photo": row["image"].removeprefix("pictures/")}
        | {"Price": "twelve" if number in WORDS_FOR_PRICES else f"{5 + number % 40}.90"}
        for number, row in enumerate(products)
    ]
    _table(folder / "products.csv", rows)
    _table(folder / "words_zh.csv", _lines(folder / "terms.jsonl"))
    for name in ("products.jsonl", "terms.jsonl", "mapping.yaml"):
        (folder / name).unlink()


def _lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _table(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    rows = list(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
