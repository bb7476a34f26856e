"""The parquet tables of a snapshot: one writer and one reader for each, deterministic bytes.

A table that may be missing (terms, judgements, interactions, quarantine) reads as an empty list.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import InvalidSnapshot
from catalog.products import Correction, Interaction, Judgement, MissingPicture, Product, Quarantined, Term
from catalog.snapshot import Snapshot, read_snapshot, snapshot_id, write_snapshot
from catalog.workspace import CORRECTIONS, INTERACTIONS, JUDGEMENTS, MISSING_PICTURES, PRODUCTS, QUARANTINE, TERMS

__all__ = [
    "Snapshot",
    "read_corrections",
    "read_interactions",
    "read_judgements",
    "read_missing_pictures",
    "read_products",
    "read_quarantine",
    "read_snapshot",
    "read_terms",
    "snapshot_id",
    "write_corrections",
    "write_interactions",
    "write_judgements",
    "write_missing_pictures",
    "write_products",
    "write_quarantine",
    "write_snapshot",
    "write_terms",
]

_TEXT, _TEXTS = pa.string(), pa.list_(pa.string())

SCHEMAS: Mapping[type, pa.Schema] = {
    Product: pa.schema(
        [
            pa.field("id", _TEXT, nullable=False),
            pa.field("group_id", _TEXT, nullable=False),
            pa.field("title", _TEXT, nullable=False),
            ("description", _TEXT),
            ("brand", _TEXT),
            ("category", _TEXTS),
            ("attributes", pa.map_(_TEXT, _TEXT)),
            ("price", pa.float64()),
            ("currency", _TEXT),
            ("language", _TEXT),
            ("stock", pa.int64()),
            ("rating", pa.float64()),
            ("updated_at", _TEXT),
            ("images", _TEXTS),
            ("audio", _TEXTS),
            ("videos", _TEXTS),
            ("reviews", _TEXTS),
        ]
    ),
    Term: pa.schema([("field", _TEXT), ("value", _TEXT), ("language", _TEXT), ("term", _TEXT)]),
    Judgement: pa.schema([("query", _TEXT), ("product_id", _TEXT), ("grade", pa.int64()), ("language", _TEXT)]),
    Interaction: pa.schema(
        [("user_id", _TEXT), ("product_id", _TEXT), ("action", _TEXT), ("at", _TEXT), ("query", _TEXT)]
    ),
    Quarantined: pa.schema(
        [
            ("source_row", pa.int64()),
            ("id", _TEXT),
            ("reason", _TEXT),
            ("detail", _TEXT),
            ("key", _TEXT),
            ("cells", pa.map_(_TEXT, _TEXT)),
        ]
    ),
    Correction: pa.schema([("key", _TEXT), ("field", _TEXT), ("before", _TEXT), ("after", _TEXT)]),
    MissingPicture: pa.schema(
        [("source_row", pa.int64()), ("product_id", _TEXT), ("url", _TEXT), ("reason", _TEXT), ("detail", _TEXT)]
    ),
}

_AT_ONCE = 4096  # rows
_LISTS = ("category", "images", "audio", "videos", "reviews")

AnyRow = TypeVar("AnyRow", Term, Judgement, Interaction, Quarantined, MissingPicture, Correction)


def write_products(products: Iterable[Product], path: Path = PRODUCTS) -> None:
    """Write products in their order. Same products, same bytes."""
    _write(map(_row, products), SCHEMAS[Product], path)


def read_products(path: Path = PRODUCTS) -> list[Product]:
    """Read all products in their order. Raises InvalidSnapshot when the table is missing or not a product table."""
    if not path.exists():
        raise InvalidSnapshot(f"{path} does not exist: ingest a catalogue first.")
    return [_product(row) for row in _read(path, SCHEMAS[Product])]


def write_terms(terms: Iterable[Term], path: Path = TERMS) -> None:
    """Write localised names of facet values."""
    _write(_rows(terms), SCHEMAS[Term], path)


def read_terms(path: Path = TERMS) -> list[Term]:
    """Read localised names; a missing table is an empty list."""
    return _read_rows(path, Term)


def write_judgements(judgements: Iterable[Judgement], path: Path = JUDGEMENTS) -> None:
    """Write the shop's own graded answers."""
    _write(_rows(judgements), SCHEMAS[Judgement], path)


def read_judgements(path: Path = JUDGEMENTS) -> list[Judgement]:
    """Read the shop's own graded answers; a missing table is an empty list."""
    return _read_rows(path, Judgement)


def write_interactions(interactions: Iterable[Interaction], path: Path = INTERACTIONS) -> None:
    """Write the actions of the shop's users."""
    _write(_rows(interactions), SCHEMAS[Interaction], path)


def read_interactions(path: Path = INTERACTIONS) -> list[Interaction]:
    """Read the actions of the shop's users; a missing table is an empty list."""
    return _read_rows(path, Interaction)


def write_quarantine(rows: Iterable[Quarantined], path: Path = QUARANTINE) -> None:
    """Write the source rows that did not become products."""
    told = [{name: getattr(row, name) for name in SCHEMAS[Quarantined].names} for row in rows]
    _write([{**row, "cells": list(row["cells"].items())} for row in told], SCHEMAS[Quarantined], path)


def read_quarantine(path: Path = QUARANTINE) -> list[Quarantined]:
    """Read the source rows that did not become products; a missing table is an empty list."""
    return [
        dataclasses.replace(row, cells=MappingProxyType(dict(row.cells or ()))) for row in _read_rows(path, Quarantined)
    ]


def write_corrections(rows: Iterable[Correction], path: Path = CORRECTIONS) -> None:
    """Write the cells that a person corrected."""
    _write(_rows(rows), SCHEMAS[Correction], path)


def read_corrections(path: Path = CORRECTIONS) -> list[Correction]:
    """Read the cells that a person corrected; a missing table is an empty list."""
    return _read_rows(path, Correction)


def write_missing_pictures(rows: Iterable[MissingPicture], path: Path = MISSING_PICTURES) -> None:
    """Write the pictures that could not be had by their URL."""
    _write(_rows(rows), SCHEMAS[MissingPicture], path)


def read_missing_pictures(path: Path = MISSING_PICTURES) -> list[MissingPicture]:
    """Read the pictures that could not be had by their URL; a missing table is an empty list."""
    return _read_rows(path, MissingPicture)


def _row(product: Product) -> dict[str, Any]:
    row = {name: getattr(product, name) for name in SCHEMAS[Product].names}
    row["attributes"] = list(product.attributes.items())
    return row


def _rows(items: Iterable[Any]) -> Iterator[dict[str, Any]]:
    return map(dataclasses.asdict, items)


def _write(rows: Iterable[Mapping[str, Any]], schema: pa.Schema, path: Path) -> None:
    """All rows as one table; as dictionaries, which take ten times the memory, only some of them at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = iter(rows)
    parts = [schema.empty_table()]
    while some := list(islice(rows, _AT_ONCE)):
        parts.append(pa.Table.from_pylist(some, schema=schema))
    pq.write_table(pa.concat_tables(parts).combine_chunks(), path, compression="zstd")


def _read(path: Path, schema: pa.Schema) -> list[dict[str, Any]]:
    try:
        table = pq.ParquetFile(path).read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise InvalidSnapshot(f"{path} is not a readable parquet file: {error}") from None
    missing = [name for name in schema.names if name not in table.column_names]
    if missing:
        raise InvalidSnapshot(f"{path} lacks the columns {', '.join(missing)}: ingest the catalogue again.")
    try:
        rows: list[dict[str, Any]] = table.select(schema.names).cast(schema).to_pylist()
    except (pa.ArrowException, ValueError) as error:
        raise InvalidSnapshot(f"{path} has columns of other types than the contract: {error}") from None
    return rows


def _read_rows(path: Path, kind: type[AnyRow]) -> list[AnyRow]:
    if not path.exists():
        return []
    return [kind(**row) for row in _read(path, SCHEMAS[kind])]


def _product(row: dict[str, Any]) -> Product:
    for name in _LISTS:
        row[name] = tuple(row[name] or ())
    row["description"] = row["description"] or ""
    row["attributes"] = MappingProxyType(dict(row["attributes"] or ()))
    return Product(**row)
