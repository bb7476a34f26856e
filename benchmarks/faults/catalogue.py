"""Faults in what the shop delivers: planted in its folder, between one export and the next."""

import json
import random
from collections import Counter
from collections.abc import Callable

from benchmarks.faults.fault import REFRESH, RETRAIN, Fault
from benchmarks.faults.shop import JUDGEMENTS, MAPPING, PRODUCTS, TERMS, Row, read_rows, write_rows
from benchmarks.faults.workspace import Workspace

SEED = 7


def shuffled_captions(rows: list[Row]) -> list[Row]:
    """Every title belongs to another product."""
    titles = [row["title"] for row in rows]
    random.Random(SEED).shuffle(titles)
    return [{**row, "title": title} for row, title in zip(rows, titles, strict=True)]


def swapped_pictures(rows: list[Row]) -> list[Row]:
    """A third of the products show the picture of another of that third."""
    chosen = random.Random(SEED).sample(range(len(rows)), len(rows) // 3)
    pictures = {at: rows[other]["image"] for at, other in zip(chosen, [*chosen[1:], chosen[0]], strict=True)}
    return [{**row, "image": pictures.get(at, row["image"])} for at, row in enumerate(rows)]


def duplicated_ids(rows: list[Row]) -> list[Row]:
    """Every tenth product has the id of the one before it."""
    return [{**row, "id": rows[at - 1]["id"]} if at % 10 == 9 else row for at, row in enumerate(rows)]


def category_missing(rows: list[Row]) -> list[Row]:
    """The largest narrow category is not there."""
    largest, _ = Counter(row["c2"] or row["c1"] for row in rows).most_common(1)[0]
    return [row for row in rows if (row["c2"] or row["c1"]) != largest]


def half_an_export(rows: list[Row]) -> list[Row]:
    """The export stopped in the middle."""
    return rows[: len(rows) // 2]


def other_prices(rows: list[Row]) -> list[Row]:
    """Amounts of another currency under the code of the old one."""
    return [{**row, "price": round(row["price"] * 7.8, 2)} for row in rows]


def other_currency(rows: list[Row]) -> list[Row]:
    """The same amounts, and another currency's code."""
    return [{**row, "currency": "JPY"} for row in rows]


def leaked_copies(rows: list[Row]) -> list[Row]:
    """Every product is there again, with another id and another title: most held-out ones are in training too."""
    return [*rows, *({**row, "id": f"{row['id']}-again", "title": f"{row['title']} Again"} for row in rows)]


def first_terms(rows: list[Row]) -> list[Row]:
    """The table of terms as it was before colours and the like had names: categories alone."""
    return [row for row in rows if row["field"] == "category"]


def shifted_terms(rows: list[Row]) -> list[Row]:
    """Every value has the name of the next: a column that slipped by one row."""
    names = [row["term"] for row in rows]
    return [{**row, "term": name} for row, name in zip(rows, [*names[1:], names[0]], strict=True)]


def first_judgements(rows: list[Row]) -> list[Row]:
    """A third of the table, and the rest is cut off."""
    return rows[: len(rows) // 3]


def in_table(table: str, change: Callable[[list[Row]], list[Row]]) -> Callable[[Workspace], None]:
    """Plants `change` in one table of the shop."""

    def plant(world: Workspace) -> None:
        write_rows(world.shop / table, change(read_rows(world.shop / table)))

    return plant


def in_mapping(change: Callable[[Row], object]) -> Callable[[Workspace], None]:
    """Plants `change` in the file that says which column is what."""

    def plant(world: Workspace) -> None:
        path = world.shop / MAPPING
        mapping = json.loads(path.read_text(encoding="utf-8"))
        change(mapping)
        path.unlink()
        path.write_text(json.dumps(mapping), encoding="utf-8")

    return plant


def no_terms(mapping: Row) -> None:
    """Nobody names the table of Chinese names any more."""
    del mapping["terms"]


def misnamed_field(mapping: Row) -> None:
    """The mapping calls the shop's colours by another name than before."""
    mapping["attributes"]["color"] = mapping["attributes"].pop("colour")


FAULTS = (
    Fault("shuffled captions", in_table(PRODUCTS, shuffled_captions), "questions", "champion itself", 1, RETRAIN),
    Fault("a third of the pictures swapped", in_table(PRODUCTS, swapped_pictures), "questions", "itself", 1, RETRAIN),
    Fault("one language's terms dropped", in_mapping(no_terms), "continuity", "terms name.* in zh", 1, RETRAIN),
    Fault("an old terms table", in_table(TERMS, first_terms), "continuity", "terms name.* in zh", 1, REFRESH),
    Fault("terms slipped by a row", in_table(TERMS, shifted_terms), "questions", "attribute_zh", 1, RETRAIN),
    Fault("a category's products missing", in_table(PRODUCTS, category_missing), "continuity", "category", 1, REFRESH),
    Fault("half an export", in_table(PRODUCTS, half_an_export), "continuity", "products, as a share", 1, RETRAIN),
    Fault("duplicated ids", in_table(PRODUCTS, duplicated_ids), "validation", "quarantined", 1, RETRAIN),
    Fault("prices in the wrong currency", in_table(PRODUCTS, other_prices), "continuity", "factor", 1, REFRESH),
    Fault("another currency's code", in_table(PRODUCTS, other_currency), "continuity", "currency changed", 1, REFRESH),
    Fault("a filter field misnamed", in_mapping(misnamed_field), "continuity", "fill a field.* in colour", 1, RETRAIN),
    Fault("judgements truncated", in_table(JUDGEMENTS, first_judgements), "continuity", "judgements", 1, RETRAIN),
    Fault("held-out products in training", in_table(PRODUCTS, leaked_copies), "leaks", "twin", 1, RETRAIN),
)
