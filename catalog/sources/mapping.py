"""The mapping file: which column of a shop's table is which field of a product. A small YAML file.

    products: products.csv            # in the source folder; .csv .tsv .jsonl .ndjson .parquet
    columns: {id: sku, title: name, images: [photo], category: [department, type], price: price}
    attributes: {colour: color, gender: gender}
    defaults: {language: en, currency: EUR}
    terms: {file: terms_zh.csv, language: zh, field: field, value: value, term: zh, fields: {type: category}}

Unknown keys are errors that list the known ones. Where a source guesses its mapping, a file may hold only what is wrong
in the guess.
"""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from catalog.errors import InvalidParams, InvalidSource
from catalog.params import Section
from catalog.products import Product
from catalog.rows.prices import DecimalMark

BUILT_IN = Path(__file__).parent.parent / "mappings"
FILE_NAME = "mapping.yaml"

_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]*")
Columns = tuple[str, ...]


class ProductColumns(Section):
    """Column names. `category` is one column for each level, widest first, or one column with a separator."""

    id: str
    title: str | None = None
    group_id: str | None = None
    description: str | None = None
    brand: str | None = None
    category: Columns = ()
    price: str | None = None
    currency: str | None = None
    language: str | None = None
    stock: str | None = None
    rating: str | None = None
    updated_at: str | None = None
    images: Columns = ()
    reviews: Columns = ()

    @field_validator("category", "images", "reviews", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    def single(self) -> Iterator[tuple[str, str]]:
        """(field of Product, column) of every mapped single-valued field."""
        for name in type(self).model_fields:
            column = getattr(self, name)
            if isinstance(column, str):
                yield name, column


class Defaults(Section):
    """Values for rows that leave a field empty."""

    language: str | None = None
    currency: str | None = None


class Wording(Section):
    """Columns that say a product in one more language."""

    title: str | None = None
    description: str | None = None


class TermsTable(Section):
    """A table of localised names. `language` is a language, or use `language_column` where rows differ."""

    file: str
    field: str = "field"
    value: str = "value"
    term: str = "term"
    language: str | None = None
    language_column: str | None = None
    fields: dict[str, str] = Field(default_factory=dict)  # the table's field name -> facet name

    @model_validator(mode="after")
    def _one_language(self) -> "TermsTable":
        if (self.language is None) == (self.language_column is None):
            raise ValueError("terms need either language (such as zh) or language_column")
        return self


class JudgementsTable(Section):
    """A table of graded answers."""

    file: str
    query: str = "query"
    product_id: str = "product_id"
    grade: str = "grade"
    language: str | None = None  # a column


class InteractionsTable(Section):
    """A table of the actions of users."""

    file: str
    user_id: str = "user_id"
    product_id: str = "product_id"
    action: str = "action"
    at: str = "at"
    query: str | None = None  # a column


class Mapping(Section):
    """A whole mapping file."""

    products: str
    encoding: str = "utf-8-sig"  # utf-8 is read as this: a byte order mark is no part of the first column's name
    delimiter: str | None = Field(None, min_length=1, max_length=1)  # of CSV; else the comma, or the tab of .tsv
    columns: ProductColumns
    attributes: dict[str, str] = Field(default_factory=dict)  # facet name -> column
    category_separator: str = ">"
    list_separator: str = "|"  # between several pictures or reviews in one cell
    media: str = "."  # folder of the pictures, inside the source folder
    decimal: DecimalMark | None = None  # before the cents, where prices such as 1.299 could be read either way
    defaults: Defaults = Defaults()
    languages: dict[str, Wording] = Field(default_factory=dict)  # further languages: zh: {title: name_zh}
    terms: TermsTable | None = None
    judgements: JudgementsTable | None = None
    interactions: InteractionsTable | None = None

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            name = codecs.lookup(value).name
        except LookupError:
            raise ValueError(f"'{value}' is no text encoding; utf-8, gb18030 and latin-1 are some") from None
        return "utf-8-sig" if name == "utf-8" else value

    @field_validator("category_separator", "list_separator")
    @classmethod
    def _not_empty(cls, value: str) -> str:
        if not value:
            raise ValueError("a separator is at least one character")
        return value

    @field_validator("attributes")
    @classmethod
    def _portable_names(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if not _ATTRIBUTE.fullmatch(name):
                raise ValueError(f"attribute '{name}' is not lower-case letters, digits and _ after a letter")
            if name in Product.__dataclass_fields__ or name == "in_stock":
                raise ValueError(f"attribute '{name}' is a field of every product: name it otherwise")
        return value

    def all_columns(self) -> dict[str, str]:
        """Column of the products table -> where the mapping names it."""
        named = {column: f"columns.{name}" for name, column in self.columns.single()}
        for name in ("category", "images", "reviews"):
            named.update(dict.fromkeys(getattr(self.columns, name), f"columns.{name}"))
        named.update({column: f"attributes.{name}" for name, column in self.attributes.items()})
        for language, wording in self.languages.items():
            named.update({column: f"languages.{language}.{name}" for name, column in wording if column})
        return named


def load_mapping(where: str | Path) -> Mapping:
    """Read a mapping file, or a built-in one by its name. Raises InvalidSource or InvalidParams."""
    name, document = mapping_document(where)
    return mapping_of(document, name)


def mapping_document(where: str | Path) -> tuple[str, dict[str, Any]]:
    """Name and content of a mapping file, not yet checked. Raises InvalidSource or InvalidParams."""
    path = Path(where)
    built_in = BUILT_IN / f"{where}.yaml"
    if not path.is_file() and path.name == str(where) and built_in.is_file():
        path = built_in
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        known = ", ".join(sorted(file.stem for file in BUILT_IN.glob("*.yaml")))
        raise InvalidSource(f"No mapping file '{where}'; built-in mappings are: {known}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidParams(f"{path.name} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise InvalidParams(f"{path.name} is not a mapping file: it must hold keys such as products and columns.")
    return path.name, document


def mapping_of(document: dict[str, Any], name: str) -> Mapping:
    """Check what the mapping file `name` holds. Raises InvalidParams with one sentence."""
    try:
        return Mapping.model_validate(document)
    except ValidationError as error:
        raise InvalidParams(f"{name}: {_sentence(error)}") from None


def overridden(guess: Mapping, document: dict[str, Any], name: str) -> Mapping:
    """`guess`, with what a mapping file says instead: key by key within a section; null takes a guessed one away."""
    merged = guess.model_dump(exclude_none=True)
    for key, value in document.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            section = {**merged[key], **value}
            merged[key] = {inner: found for inner, found in section.items() if found is not None}
        else:
            merged[key] = value
    return mapping_of(merged, name)


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    place = tuple(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"unknown key '{'.'.join(place)}'; known keys here are: {', '.join(_known(place[:-1]))}."
    return f"{'.'.join(place)}: {first['msg'].removeprefix('Value error, ')}."


def _known(place: tuple[str, ...]) -> list[str]:
    model: type[BaseModel] = Mapping
    for part in place:
        model = _SECTIONS.get(part, model)
    return list(model.model_fields)


_SECTIONS: dict[str, type[BaseModel]] = {
    "columns": ProductColumns,
    "defaults": Defaults,
    "languages": Wording,
    "terms": TermsTable,
    "judgements": JudgementsTable,
    "interactions": InteractionsTable,
}
