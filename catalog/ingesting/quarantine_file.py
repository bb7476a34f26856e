"""The quarantine as a table for a spreadsheet, and what a person corrected in it when it comes back.

A spreadsheet changes more than a person does: the encoding, the delimiter, 9.50 to 9,5, a sign that its encoding lacks
to a question mark. None of that is a correction.
"""

import csv
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

from catalog.errors import InvalidSource
from catalog.products import Correction, Quarantined
from catalog.rows.cells import FIELDS, is_field
from catalog.sources.opening import Opening
from catalog.sources.rows import Row
from catalog.sources.sniffing import CANDIDATES
from catalog.sources.table_file import TableFile

KEY = "row"
TOLD = ("source_row", "reason", "detail")
"""Columns that are for the reader; what comes back in them is not looked at."""

Given = Mapping[str, Mapping[str, str]]
"""Key of a row -> field -> the text that a person gave it."""

_FORMULA = ("=", "+", "-", "@")


def write_quarantine_file(rows: Sequence[Quarantined], path: Path) -> None:
    """Write `rows` as CSV in UTF-8 with a byte order mark, or with tabs where `path` ends in .tsv.

    A cell that a spreadsheet would compute gets an apostrophe before it.
    """
    attributes = sorted({name for row in rows for name in row.cells if name not in FIELDS})
    columns = [*FIELDS, *attributes]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        writer.writerow([KEY, *TOLD, *columns])
        for row in rows:
            told = [row.source_row, row.reason, row.detail]
            writer.writerow([row.key, *told, *(_guarded(row.cells.get(name, "")) for name in columns)])


def read_quarantine_file(path: Path, rows: Sequence[Quarantined], kept: Sequence[Correction] = ()) -> Given:
    """What the table at `path` says otherwise than `rows`, the quarantine of the present snapshot.

    Rows that have left it, as they were corrected before (`kept`), are passed over. Raises InvalidSource where the
    table cannot be read, has a column that is no field, names a row that is unknown, or says the same in all.
    """
    encoding, lines = _as_written(path, rows)
    known, before = {row.key: row.cells for row in rows}, {correction.key for correction in kept}
    given: dict[str, dict[str, str]] = {}
    strange, again = [], False
    for line in lines:
        key = _cell(line, KEY)
        again |= key in before
        if key not in known:
            strange += [] if key in before else [f"'{key[:60]}' (line {line.number})"]
            continue
        changes = {
            field: text
            for field in line.cells
            if is_field(field) and not _same(text := _cell(line, field), known[key].get(field, ""), encoding)
        }
        if changes:
            given.setdefault(key, {}).update(changes)
    if strange:
        more = f" and {len(strange) - 3} more" if len(strange) > 3 else ""
        raise InvalidSource(
            f"{path.name}: {', '.join(strange[:3])}{more} is no row in the quarantine of the present snapshot; "
            "`etalage quarantine` writes that."
        )
    if not given and not again:
        raise InvalidSource(f"{path.name} says what the quarantine says already: correct cells in it first.")
    return given


def _as_written(path: Path, rows: Sequence[Quarantined]) -> tuple[str, list[Row]]:
    """Encoding and rows of the file. Of several encodings it is the one in which most cells are what was written: a
    few words alone do not tell. Raises InvalidSource.
    """
    table = TableFile.look(Opening(str(path)))
    own = {row.key: row.cells for row in rows}
    encodings = [table.encoding] if table.encoding.startswith("utf") else [table.encoding, *CANDIDATES]
    found = [(encoding, list(replace(table, encoding=encoding).rows())) for encoding in encodings]
    encoding, lines = max(found, key=lambda each: sum(_as_before(row, own) for row in each[1]))
    columns = replace(table, encoding=encoding).columns()
    if KEY not in columns:
        raise InvalidSource(f"{path.name} has no column '{KEY}', which says which row is corrected; leave it as it is.")
    if unknown := [name for name in columns if not is_field(name) and name not in (KEY, *TOLD)]:
        raise InvalidSource(
            f"{path.name}: '{unknown[0]}' is no field of a product; they are {', '.join(FIELDS)}, and attributes as "
            "'attributes.colour'."
        )
    if broken := next((row for row in lines if row.problem), None):
        raise InvalidSource(f"{path.name}, line {broken.number}: {broken.problem}")
    return encoding, lines


def _as_before(row: Row, own: Mapping[str, Mapping[str, str]]) -> int:
    """Cells of a row that are what was written."""
    written = own.get(_cell(row, KEY), {})
    return sum(_cell(row, field) == text for field, text in written.items())


def _cell(row: Row, name: str) -> str:
    cell = row.cells.get(name, "")
    text = cell.strip() if isinstance(cell, str) else ""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) and _number(text) is None else text


def _same(text: str, old: str, encoding: str) -> bool:
    """Whether a spreadsheet makes `text` of `old` by itself."""
    text, old = " ".join(text.split()), " ".join(old.split())
    if text == old or text == old.encode(encoding, "replace").decode(encoding):
        return True
    number = _number(text)
    return number is not None and number == _number(old)


def _number(text: str) -> Decimal | None:
    """Of 9.50 and 9,5; None where it is none."""
    with suppress(InvalidOperation):
        number = Decimal(text.replace(",", "."))
        return number if number.is_finite() else None
    return None
