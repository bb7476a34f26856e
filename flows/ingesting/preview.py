"""What an ingest would do: every row is read and checked as it would be; kept are counts and ten products."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from catalog.ingesting.checking import checked_rows
from catalog.ingesting.corrections import CorrectedSource
from catalog.pictures.reading import AWAY
from catalog.products import Product, Quarantined
from catalog.rows.prices import shared_sign
from catalog.rows.records import Record
from catalog.sources import Choice, Source
from catalog.sources.mapped import TableSource

SAMPLES = 10
EXAMPLES = 3  # rows that are shown of each reason
_SEED = 7
_LOOK = 500  # records that notes are made from


@dataclass
class Preview:
    """What was found. `mapping` rows are (field, column, a value); `rejected` maps a reason to (rows, some of them)."""

    source: str
    kind: str
    why: str
    mapping: list[tuple[str, str, str]] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    file: dict[str, Any] = field(default_factory=dict)  # the mapping as a mapping file holds it
    unread: tuple[str, ...] = ()  # columns that no field takes
    products: int = 0
    rows: int = 0
    groups: int = 0
    pictures: int = 0
    without_picture: int = 0
    rejected: dict[str, tuple[int, list[Quarantined]]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    samples: list[tuple[Product, tuple[bytes, ...]]] = field(default_factory=list)


def preview(source: Source, choice: Choice, corrected: Source | None = None) -> Preview:
    """Read all of `source`, whose rows are checked as `corrected` says them; one without a good row is shown as it is.

    Raises InvalidSource as an ingest would.
    """
    found = Preview(source.name, choice.kind, choice.why)
    draw = random.Random(_SEED)
    pictures: set[str] = set()
    groups: set[str] = set()
    for row in checked_rows(corrected or CorrectedSource(source)):
        found.left_out.update(row.dropped)
        if bad := row.quarantined:
            count, examples = found.rejected.get(bad.reason, (0, []))
            found.rejected[bad.reason] = (count + 1, examples if len(examples) >= EXAMPLES else [*examples, bad])
        if product := row.product:
            found.products += 1
            found.without_picture += not product.images
            pictures.update(product.images)
            groups.add(product.group_id)
            place = found.products - 1 if found.products <= SAMPLES else draw.randrange(found.products)
            if place < SAMPLES:  # each product has the same chance to be shown
                found.samples[place : place + 1] = [(product, tuple(row.pictures.values()))]
    found.left_out.update(source.side_tables().dropped)
    found.rows = found.products + sum(count for count, _ in found.rejected.values())
    found.pictures, found.groups = len(pictures), len(groups)
    if isinstance(source, TableSource):
        found.mapping = list(_mapping_rows(source))
        found.settings = _settings(source)
        found.file = source.mapping.model_dump(mode="json", exclude_defaults=True, exclude={"products", "encoding"})
        named = source.mapping.all_columns()
        found.unread = tuple(column for column in source.columns if column not in named)
    found.notes = list(_notes(source, found))
    return found


def _mapping_rows(source: TableSource) -> Iterator[tuple[str, str, str]]:
    mapping = source.mapping
    record = next((record for record in source.records() if not record.problem and not record.left_out), Record(0))
    several: Mapping[str, tuple[object, ...]] = {
        "category": record.category,
        "images": record.images,
        "reviews": record.reviews,
    }
    for name in type(mapping.columns).model_fields:
        column = getattr(mapping.columns, name)
        if isinstance(column, str):
            yield name, column, record.values.get(name, "")
        elif column:
            shown = (part if isinstance(part, str) else f"{len(bytes(part))} bytes" for part in several[name])  # type: ignore[call-overload]
            yield name, ", ".join(column), " > ".join(shown) if name == "category" else "; ".join(shown)
    for name, column in mapping.attributes.items():
        yield f"attribute {name}", column, record.attributes.get(name, "")
    for language, wording in mapping.languages.items():
        for name, column in wording:
            if column:
                yield f"{name} in {language}", column, ""


def _settings(source: TableSource) -> dict[str, str]:
    mapping = source.mapping
    defaults = {f"defaults.{name}": value for name, value in mapping.defaults if value}
    written = {"encoding": mapping.encoding, "delimiter": mapping.delimiter, "decimal": mapping.decimal}
    between = {"category_separator": mapping.category_separator, "list_separator": mapping.list_separator}
    return {name: repr(value) for name, value in {**written, **between, **defaults}.items() if value}


def _notes(source: Source, found: Preview) -> Iterator[str]:
    records = list(islice(source.records(), _LOOK))
    priced = [record for record in records if record.values.get("price")]
    unsaid = [record.values["price"] for record in priced if not record.values.get("currency")]
    for sign, meanings in sorted({shared for price in unsaid if (shared := shared_sign(price))}):
        yield (
            f"'{sign}' is taken for {meanings[0]}; it may also be {', '.join(meanings[1:])}: "
            "if so, say 'defaults: {currency: ...}' in a mapping file."
        )
    if priced and not any(r.values.get("currency") or _names_currency(r.values["price"]) for r in priced):
        yield "The prices name no currency: say 'defaults: {currency: EUR}', or another, in a mapping file."
    if records and not any(record.values.get("language") for record in records):
        yield "The rows name no language: where all have one, say 'defaults: {language: en}', or another."
    if away := found.left_out[AWAY]:
        yield (
            f"Pictures that have only an address, and no file of that name in a media folder: {away:,}. "
            "Name the folder with --media."
        )
    if found.without_picture and not away:
        yield f"{found.without_picture:,} of {found.products:,} products have no picture; their words alone find them."


def _names_currency(price: str) -> bool:
    return any(character.isalpha() or character in "€£¥￥$₹₩₽₺₴₪฿₫₱₦" for character in price)
