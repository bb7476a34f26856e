"""Rows of one table file as text by column: CSV, JSON lines or parquet."""

import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import InvalidSource

Format = Literal["csv", "tsv", "jsonl", "parquet"]
Cell = str | tuple[str, ...]

_SUFFIXES: Mapping[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row, counted from 1: its cells as text (a list stays a tuple), or why it could not be read."""

    number: int
    cells: Mapping[str, Cell]
    problem: str | None = None


def format_of(path: Path) -> Format:
    """Format of a table file by its ending. Raises InvalidSource for an unknown ending."""
    try:
        return _SUFFIXES[path.suffix.lower()]
    except KeyError:
        raise InvalidSource(f"{path.name}: unknown kind of table; known endings are {', '.join(_SUFFIXES)}.") from None


def read_columns(path: Path, encoding: str, delimiter: str | None = None) -> tuple[str, ...]:
    """Names of the columns (for JSON lines: every key that occurs). Raises InvalidSource when it cannot be read."""
    kind = format_of(path)
    try:
        if kind == "parquet":
            return tuple(pq.ParquetFile(path).schema_arrow.names)
        if kind == "jsonl":
            return tuple(dict.fromkeys(key for row in _jsonl(path, encoding) for key in row.cells))
        with path.open(encoding=encoding, newline="", errors="surrogateescape") as stream:
            return tuple(next(_csv_reader(stream, kind, delimiter), ()))
    except (OSError, pa.ArrowException, csv.Error, UnicodeError) as error:
        raise InvalidSource(f"{path.name} cannot be read: {error}") from None


def read_rows(path: Path, encoding: str, delimiter: str | None = None) -> Iterator[Row]:
    """Every row in order. Blank lines are no rows. Raises InvalidSource when the file cannot be read at all."""
    kind = format_of(path)
    try:
        match kind:
            case "parquet":
                yield from _parquet(path)
            case "jsonl":
                yield from _jsonl(path, encoding)
            case _:
                yield from _csv(path, encoding, kind, delimiter)
    except (OSError, pa.ArrowException, UnicodeError) as error:
        raise InvalidSource(f"{path.name} cannot be read: {error}") from None


def _csv_reader(stream: Any, kind: Format, delimiter: str | None) -> Any:
    return csv.reader(stream, delimiter=delimiter or ("\t" if kind == "tsv" else ","), strict=True)


def _csv(path: Path, encoding: str, kind: Format, delimiter: str | None) -> Iterator[Row]:
    with path.open(encoding=encoding, newline="", errors="surrogateescape") as stream:
        reader = _csv_reader(stream, kind, delimiter)
        header: list[str] = next(reader, [])
        number = 0
        while True:
            first = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:  # the next row starts on the next line
                number += 1
                yield Row(number, {}, f"Lines {first} to {reader.line_num} are not CSV: {error}.")
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
                yield Row(number, {}, f"The line is not JSON: {error}.")
                continue
            if isinstance(values, dict):
                yield _typed(number, values)
            else:
                yield Row(number, {}, "The line is JSON but not an object.")


def _parquet(path: Path) -> Iterator[Row]:
    number = 0
    for batch in pq.ParquetFile(path).iter_batches(batch_size=1024, use_threads=False):
        for values in batch.to_pylist():
            number += 1
            yield _typed(number, values)


def _typed(number: int, values: Mapping[str, Any]) -> Row:
    cells: dict[str, Cell] = {}
    for name, value in values.items():
        if isinstance(value, list | tuple):
            cells[name] = tuple(text for text in map(_text, value) if text)
        elif isinstance(value, dict | bytes):
            return Row(number, {}, f"Column '{name}' holds {type(value).__name__}; text, numbers and lists are read.")
        else:
            cells[name] = _text(value)
    if not all(_is_text(text) for cell in cells.values() for text in ((cell,) if isinstance(cell, str) else cell)):
        return Row(number, {}, "The row holds half of a character (a lone surrogate).")
    return Row(number, cells)


def _text(value: Any) -> str:
    """Text of one value: missing values are "", 7.0 is "7", a time is ISO 8601."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
