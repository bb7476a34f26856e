"""Rows of one table file by column, as text or as bytes of pictures: CSV, JSON lines or parquet."""

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import InvalidSource

Format = Literal["csv", "tsv", "jsonl", "parquet"]


@dataclass(frozen=True, slots=True)
class Nested:
    """A cell that holds something with parts of its own: no harm unless a mapping names its column."""

    kind: str


Cell = str | bytes | Nested | tuple[str | bytes, ...]

_SUFFIXES: Mapping[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row, counted from 1: its cells (a list is a tuple, bytes stay bytes), or why it could not be read.

    `left_out` says why the shop itself does not show what the row is about.
    """

    number: int
    cells: Mapping[str, Cell]
    problem: str | None = None
    left_out: str | None = None


def in_words(error: Exception) -> str:
    """What a library's exception says, on one line and without a full stop, to stand in a sentence of ours."""
    return " ".join(str(error).split()).removesuffix(".")


def format_of(path: Path) -> Format:
    """Format of a table file by its ending. Raises InvalidSource for an unknown ending."""
    try:
        return _SUFFIXES[path.suffix.lower()]
    except KeyError:
        raise InvalidSource(f"{path.name}: unknown kind of table; known endings are {', '.join(_SUFFIXES)}.") from None


def read_columns(path: Path, encoding: str, delimiter: str | None = None, quoted: bool = True) -> tuple[str, ...]:
    """Names of the columns (for JSON lines: every key that occurs). Raises InvalidSource when it cannot be read."""
    kind = format_of(path)
    try:
        if kind == "parquet":
            return tuple(pq.ParquetFile(path).schema_arrow.names)
        if kind == "jsonl":
            return tuple(dict.fromkeys(key for row in _jsonl(path, encoding) for key in row.cells))
        with path.open(encoding=encoding, newline="", errors="surrogateescape") as stream:
            return tuple(_header(_csv_reader(stream, kind, delimiter, quoted)))
    except (OSError, pa.ArrowException, csv.Error, UnicodeError) as error:
        raise InvalidSource(f"{path.name} cannot be read: {in_words(error)}.") from None


def demand_columns(name: str, present: Sequence[str], needed: Mapping[str, str]) -> None:
    """Raise InvalidSource when the table `name` lacks a column of `needed` (column -> who names it) or repeats one."""
    missing = [f"'{column}' ({place})" for column, place in needed.items() if column not in present]
    if missing:
        raise InvalidSource(f"{name} has no column {', '.join(missing)}; its columns are: {', '.join(present)}.")
    if len(set(present)) < len(present):
        raise InvalidSource(f"{name} has two columns of one name; its columns are: {', '.join(present)}.")


def read_rows(path: Path, encoding: str, delimiter: str | None = None, quoted: bool = True) -> Iterator[Row]:
    """Every row in order. Blank lines are no rows. Raises InvalidSource when the file cannot be read at all.

    Where a CSV file is not `quoted`, a quotation mark is a character as any other.
    """
    kind = format_of(path)
    try:
        match kind:
            case "parquet":
                yield from _parquet(path)
            case "jsonl":
                yield from _jsonl(path, encoding)
            case _:
                yield from _csv(path, encoding, kind, delimiter, quoted)
    except (OSError, pa.ArrowException, UnicodeError) as error:
        raise InvalidSource(f"{path.name} cannot be read: {in_words(error)}.") from None


def _csv_reader(stream: Any, kind: Format, delimiter: str | None, quoted: bool) -> Any:
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    return csv.reader(stream, delimiter=delimiter or ("\t" if kind == "tsv" else ","), strict=True, quoting=quoting)


def _header(reader: Any) -> list[str]:
    """Names of the columns; a spreadsheet's empty columns are named by their place."""
    return [name if name.strip() else f"column {place}" for place, name in enumerate(next(reader, []), start=1)]


def _csv(path: Path, encoding: str, kind: Format, delimiter: str | None, quoted: bool) -> Iterator[Row]:
    with path.open(encoding=encoding, newline="", errors="surrogateescape") as stream:
        reader = _csv_reader(stream, kind, delimiter, quoted)
        header = _header(reader)
        number = 0
        while True:
            first = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:  # the next row starts on the next line
                number += 1
                yield Row(number, {}, f"Lines {first} to {reader.line_num} are not CSV: {in_words(error)}.")
                continue
            if not cells:
                continue
            number += 1
            if len(cells) != len(header):
                yield Row(number, {}, f"The row has {len(cells)} cells under {len(header)} columns.")
            elif not _is_text("".join(cells)):
                yield Row(number, {}, f"The row is not valid {encoding}.")
            else:
                yield Row(number, dict(zip(header, cells, strict=True)))


def _jsonl(path: Path, encoding: str) -> Iterator[Row]:
    number = 0
    with path.open(encoding=encoding, errors="surrogateescape") as stream:
        for line in stream:
            if not line.strip():
                continue
            number += 1
            if not _is_text(line):
                yield Row(number, {}, f"The line is not valid {encoding}.")
                continue
            try:
                values = json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                yield Row(number, {}, f"The line is not JSON: {in_words(error)}.")
                continue
            if isinstance(values, dict):
                yield typed_row(number, values)
            else:
                yield Row(number, {}, "The line is JSON but not an object.")


def _parquet(path: Path) -> Iterator[Row]:
    number = 0
    for batch in pq.ParquetFile(path).iter_batches(batch_size=1024, use_threads=False):
        for values in batch.to_pylist():
            number += 1
            yield typed_row(number, values)


def typed_row(number: int, values: Mapping[str, Any]) -> Row:
    """A row of values of any type. A picture may be bytes, or a struct of bytes and path as `datasets` writes it."""
    cells = {name: _cell(value) for name, value in values.items()}
    texts = (text for cell in cells.values() for text in (cell if isinstance(cell, tuple) else (cell,)))
    if not all(_is_text(text) for text in texts if isinstance(text, str)):
        return Row(number, {}, "The row holds half of a character (a lone surrogate).")
    return Row(number, cells)


def _cell(value: Any) -> Cell:
    if isinstance(value, dict) and set(value) == {"bytes", "path"}:
        value = value["bytes"] if value["bytes"] is not None else value["path"]
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, list | tuple):
        parts = tuple(_cell(part) for part in value)
        flat = tuple(part for part in parts if isinstance(part, str | bytes) and part)
        return flat if all(isinstance(part, str | bytes) for part in parts) else Nested("list")
    return Nested(type(value).__name__) if isinstance(value, dict) else _text(value)


def _text(value: Any) -> str:
    """Text of one value: missing values are "", 7.0 and 7.00 are "7", a time is ISO 8601."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _is_text(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
