"""One row of a source, as raw text, and how it is checked into a Product. A row that fails says why in one sentence."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal

from catalog.products import MAX_ID, Product
from catalog.rows.groups import group_key
from catalog.rows.prices import SIGNS, DecimalMark, parse_price
from catalog.rows.wording import measure, plain_text, stock_in_words

Reason = Literal[
    "unreadable_row",
    "no_id",
    "bad_id",
    "duplicate_id",
    "no_title",
    "too_long",
    "broken_picture",
    "bad_price",
    "bad_currency",
    "bad_stock",
    "bad_rating",
    "bad_time",
]

MAX_TITLE = 1_000
MAX_TEXT = 20_000  # description or one review
MAX_VALUE = 256  # brand, one category level, one attribute value

_WORDS = frozenset({"title", "description", "brand"})

Reference = str | bytes  # a picture: a path, an address, or its own bytes
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Record:
    """One raw row. `values` holds the single-valued fields of Product as text; a missing field is absent or "".

    `images` are references that the source's `media` reads. `problem` is set when the row could not be read at all,
    `left_out` when the shop itself does not show it (a draft). `decimal` is the mark before the cents, where known.
    `source_row` counts from 1; `key` names the row wherever it stands (catalog.ingesting.corrections).
    """

    source_row: int
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    category: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    images: tuple[Reference, ...] = ()
    reviews: tuple[str, ...] = ()
    problem: str | None = None
    left_out: str | None = None
    decimal: DecimalMark | None = None
    key: str = ""


class BadRow(Exception):
    """A row that goes to quarantine: never leaves catalog.ingesting.ingest."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail


def clean(text: str) -> str:
    """Text without control characters and with single spaces."""
    if text.isprintable():
        return " ".join(text.split())
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def product_of(record: Record, images: tuple[str, ...]) -> Product:
    """Check a record into a Product whose pictures have the media ids `images`. Raises BadRow."""
    if record.problem:
        raise BadRow("unreadable_row", record.problem)
    values = {name: clean(plain_text(v) if name in _WORDS else v) for name, v in record.values.items()}
    identity, title = values.get("id", ""), values.get("title", "")
    if not identity:
        raise BadRow("no_id", "The row has no id.")
    if len(identity) > MAX_ID or identity != record.values["id"].strip():
        raise BadRow("bad_id", f"The id has over {MAX_ID} characters, or control characters or repeated spaces in it.")
    if not title and not images:
        raise BadRow("no_title", "The row has neither a title nor a picture, so nothing can find it.")
    category = tuple(level for level in (clean(plain_text(level)) for level in record.category) if level)
    attributes = {n: v for n, v in ((n, measure(clean(plain_text(v)))) for n, v in record.attributes.items()) if v}
    reviews = tuple(review for review in (clean(plain_text(review)) for review in record.reviews) if review)
    description = values.get("description", "")
    _check_length("title", title, MAX_TITLE)
    _check_length("description", description, MAX_TEXT)
    for review in reviews:
        _check_length("review", review, MAX_TEXT)
    for name, value in [("brand", values.get("brand", "")), *(("category", c) for c in category), *attributes.items()]:
        _check_length(name, value, MAX_VALUE)
    price, currency = _price(values.get("price", ""), values.get("currency", ""), record.decimal)
    return Product(
        id=identity,
        group_id=values.get("group_id") or group_key(title, attributes) or identity,
        title=title,
        description=description,
        brand=values.get("brand") or None,
        category=category,
        attributes=MappingProxyType(attributes),
        price=price,
        currency=currency,
        language=values.get("language") or None,
        stock=_stock(values.get("stock", "")),
        rating=_rating(values.get("rating", "")),
        updated_at=_time(values.get("updated_at", "")),
        images=images,
        reviews=reviews,
    )


def _check_length(name: str, text: str, most: int) -> None:
    if len(text) > most:
        raise BadRow("too_long", f"The {name} has {len(text):,} characters; the limit is {most:,}.")


def _price(text: str, currency: str, decimal: DecimalMark | None) -> tuple[float | None, str | None]:
    known = _known_currency(currency)
    if not text:
        return None, known
    price = parse_price(text, known or "", decimal)
    if price is None:
        raise BadRow("bad_price", f"The price '{text[:40]}' is not a number such as 1299.00 or 12.50 EUR.")
    return price


def _known_currency(text: str) -> str | None:
    if text and not _CURRENCY.fullmatch(text.upper()):
        meanings = SIGNS.get(text.casefold())
        if not meanings:
            raise BadRow("bad_currency", f"The currency '{text[:40]}' is not a three-letter code such as EUR.")
        return meanings[0]
    return text.upper() or None


def _stock(text: str) -> int | None:
    if not text:
        return None
    if (known := stock_in_words(text)) is not None:
        return known
    digits = text.removesuffix(".0")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 12):
        raise BadRow(
            "bad_stock",
            f"The stock '{text[:40]}' is neither a whole number of zero or more nor words such as in stock.",
        )
    return int(digits)


def _rating(text: str) -> float | None:
    if not text:
        return None
    try:
        rating = float(text)
    except ValueError:
        rating = math.nan
    if not (math.isfinite(rating) and rating >= 0):
        raise BadRow("bad_rating", f"The rating '{text[:40]}' is not a number of zero or more.")
    return rating


def _time(text: str) -> str | None:
    """ISO 8601 with a time zone; a time without one is taken as UTC."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRow(
            "bad_time", f"The time '{text[:40]}' is not ISO 8601, such as 2026-05-01T12:00:00+02:00."
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
