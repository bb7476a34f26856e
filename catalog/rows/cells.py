"""What a row says, as flat text that a person can mend in a spreadsheet, and a row with cells that were mended.

Fields are those of Product: `category` is a path with ">" between its levels, `images` and `reviews` have "|" between
them, and an attribute is a field of its own, `attributes.colour`.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace

from catalog.rows.records import Record, Reference

WORDS = ("id", "title", "description", "brand")
FACTS = ("price", "currency", "language", "stock", "rating", "updated_at", "group_id")
CATEGORY, IMAGES, REVIEWS = "category", "images", "reviews"
FIELDS = (*WORDS, CATEGORY, *FACTS, IMAGES, REVIEWS)
"""In the order of a table's columns; attributes follow."""
ATTRIBUTE = "attributes."

LONGEST = 32_000
"""Characters of a cell; spreadsheets cut at 32,767, and a cell that was cut would look mended."""
_START = 1_000

_ATTRIBUTE = re.compile(r"attributes\.[a-z][a-z0-9_]*")


def is_field(name: str) -> bool:
    """Whether a cell can be called so."""
    return name in FIELDS or bool(_ATTRIBUTE.fullmatch(name))


def cells_of(record: Record) -> dict[str, str]:
    """Field -> what the record says there, "" for nothing."""
    cells = {name: record.values.get(name, "") for name in FIELDS}
    cells[CATEGORY] = " > ".join(record.category)
    cells[IMAGES] = " | ".join(_named(reference) for reference in record.images)
    cells[REVIEWS] = " | ".join(record.reviews)
    cells.update({ATTRIBUTE + name: value for name, value in sorted(record.attributes.items())})
    return {name: _told(value) for name, value in cells.items()}


def mended(record: Record, changes: Mapping[str, str]) -> Record:
    """The record, saying `changes` (field -> text) instead. A row that could not be read says nothing else."""
    if not changes:
        return record
    values = {**record.values, **{name: text for name, text in changes.items() if name in (*WORDS, *FACTS)}}
    attributes = {name.removeprefix(ATTRIBUTE): text for name, text in changes.items() if name.startswith(ATTRIBUTE)}
    own = {_named(reference): reference for reference in record.images}
    return replace(
        record,
        values=values,
        attributes={**record.attributes, **attributes},
        category=_parts(changes[CATEGORY], ">") if CATEGORY in changes else record.category,
        images=tuple(own.get(name, name) for name in _parts(changes[IMAGES], "|"))
        if IMAGES in changes
        else record.images,
        reviews=_parts(changes[REVIEWS], "|") if REVIEWS in changes else record.reviews,
        problem=None,
    )


def _named(reference: Reference) -> str:
    """A picture that the row holds itself is named by its digest: it can be kept or taken away."""
    return reference if isinstance(reference, str) else f"bytes:{hashlib.sha256(reference).hexdigest()[:16]}"


def _parts(text: str, mark: str) -> tuple[str, ...]:
    return tuple(part for part in (part.strip() for part in text.split(mark)) if part)


def _told(text: str) -> str:
    """As a table can hold it: a lone half of a character is a question mark, and what is endless is its start."""
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= LONGEST else text[:_START] + "…"
