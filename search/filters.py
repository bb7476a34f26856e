"""Filters of a query: from what a caller wrote, to one frozen form, to a Milvus expression.

    parse_filters({"colour": ["Red", "Pink"], "price": {"gte": 10, "lt": 50}, "in_stock": True}, fields) -> Filter

A facet value travels as a tag, `colour=red`: letters, digits, space and a few harmless signs as they are, every other
character as %XX. No quote, backslash or line break can be in a tag, so nothing a caller writes can end the string
literal it stands in; rows and expressions use the same tags, so both kinds of collection agree by construction.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import unquote

from catalog.errors import InvalidQuery
from catalog.products import CATEGORY
from catalog.words.text import normalise

FACETS = "facets"  # the Milvus field that holds a product's tags
KEY = "key"  # the Milvus fields that hold encoded id and group id
GROUP = "group_key"
IN_STOCK = "in_stock"
RANGES = ("price", "rating", "stock")
FLAGS = (IN_STOCK,)

MOST_FIELDS = 20
MOST_VALUES = 200  # of one field
LONGEST_VALUE = 1_000  # characters
_LONGEST_TAG = 512  # characters; longer ones end in a digest
_SHOWN = 40  # field names in a refusal
_PLAIN = frozenset(" -_.")
_BOUNDS = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<"}


@dataclass(frozen=True, slots=True)
class FilterFields:
    """What a collection can be filtered by."""

    facets: tuple[str, ...] = (CATEGORY,)
    ranges: tuple[str, ...] = RANGES
    flags: tuple[str, ...] = FLAGS

    def names(self) -> tuple[str, ...]:
        """All of them, sorted."""
        return tuple(sorted({*self.facets, *self.ranges, *self.flags}))


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The product has one of `values` in facet `field`; of `category`, at any level of the path."""

    field: str
    values: tuple[str, ...]

    def tags(self) -> tuple[str, ...]:
        """The tags of which a product must carry one."""
        return tuple(dict.fromkeys(facet_tag(self.field, value) for value in self.values))


@dataclass(frozen=True, slots=True)
class Range:
    """The number in `field` is known and within all `bounds`, pairs of (gte | gt | lte | lt, limit)."""

    field: str
    bounds: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """The yes-or-no `field` is `value`. `in_stock`: stock above 0, or not counted at all."""

    field: str
    value: bool


@dataclass(frozen=True, slots=True)
class Without:
    """Not this product and, where given, not this product group. Callers cannot write it; `similar` does."""

    product_id: str
    group_id: str | None = None


Clause = AnyOf | Range | Flag | Without


@dataclass(frozen=True, slots=True)
class Filter:
    """All clauses must hold. An empty one lets everything through."""

    clauses: tuple[Clause, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.clauses)

    def also(self, clause: Clause) -> "Filter":
        """This and `clause`."""
        return Filter((*self.clauses, clause))


EVERYTHING = Filter()


def parse_filters(raw: Mapping[str, Any], fields: FilterFields) -> Filter:
    """Check what a caller wrote against the fields of a collection.

    A facet takes a value or a list of values (any of them), a number field a number or a range, a flag true or false.
    Values of facets are compared without regard to case, width and spaces. Raises InvalidQuery naming the field.
    """
    if not isinstance(raw, Mapping):
        raise InvalidQuery("'filters' is not an object of field names and values.")
    if len(raw) > MOST_FIELDS:
        raise InvalidQuery(f"A query takes at most {MOST_FIELDS} filters, and this one has {len(raw)}.")
    clauses: list[Clause] = []
    for field, value in raw.items():
        if field in fields.flags:
            clauses.append(_flag(field, value))
        elif field in fields.ranges:
            clauses.append(_range(field, value))
        elif field in fields.facets:
            clauses.append(_any_of(field, value))
        else:
            known = fields.names()
            more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
            shown = str(field)[:60]
            raise InvalidQuery(f"There is no filter '{shown}': known are {', '.join(known[:_SHOWN])}{more}.")
    return Filter(tuple(clauses))


def to_milvus(narrow: Filter) -> str:
    """The filter as a Milvus expression, "" for everything; only operators that Lite, server and cloud share."""
    return " and ".join(_expression(clause) for clause in narrow.clauses)


def facet_tag(field: str, value: str) -> str:
    """The tag of one facet value, the same for products and filters."""
    tag = f"{encode(field)}={encode(normalise(value).casefold())}"
    if len(tag) <= _LONGEST_TAG:
        return tag
    return f"{tag[: _LONGEST_TAG - 33]}~{sha256(tag.encode()).hexdigest()[:32]}"


def encode(text: str) -> str:
    """Letters, digits, space, - _ . as they are; every other character as %XX of its UTF-8 bytes. One to one."""
    return "".join(
        c if c.isalnum() or c in _PLAIN else "".join(f"%{byte:02X}" for byte in c.encode("utf-8", "surrogatepass"))
        for c in text
    )


def decode(text: str) -> str:
    """What `encode` was given."""
    return unquote(text, errors="surrogatepass")


def _expression(clause: Clause) -> str:
    match clause:
        case AnyOf():
            return f"array_contains_any({FACETS}, {json.dumps(clause.tags(), ensure_ascii=False)})"
        case Range():
            return " and ".join(f"{clause.field} {_BOUNDS[bound]} {limit!r}" for bound, limit in clause.bounds)
        case Flag():
            return f"{clause.field} == {'true' if clause.value else 'false'}"
        case Without():
            ids = f"{KEY} != {_literal(clause.product_id)}"
            return ids if clause.group_id is None else f"{ids} and {GROUP} != {_literal(clause.group_id)}"


def _literal(text: str) -> str:
    return json.dumps(encode(text), ensure_ascii=False)


def _flag(field: str, value: Any) -> Flag:
    if not isinstance(value, bool):
        raise InvalidQuery(f"The filter '{field}' takes true or false.")
    return Flag(field, value)


def _range(field: str, value: Any) -> Range:
    if not isinstance(value, Mapping):
        number = _number(field, value)
        return Range(field, (("gte", number), ("lte", number)))
    unknown = [str(bound) for bound in value if bound not in _BOUNDS]
    if unknown or not value:
        raise InvalidQuery(f"The filter '{field}' takes a number or a range of gte, gt, lte, lt.")
    return Range(field, tuple((bound, _number(field, limit)) for bound, limit in value.items()))


def _number(field: str, value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise InvalidQuery(f'The filter \'{field}\' takes a number or a range of them, as {{"gte": 10, "lt": 50}}.')


def _any_of(field: str, value: Any) -> AnyOf:
    values = value if isinstance(value, list | tuple) else [value]
    if not 1 <= len(values) <= MOST_VALUES:
        raise InvalidQuery(f"The filter '{field}' takes 1 to {MOST_VALUES} values.")
    return AnyOf(field, tuple(_word(field, each) for each in values))


def _word(field: str, value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
        raise InvalidQuery(f"The filter '{field}' takes a text or a list of texts.")
    if isinstance(value, int) and value.bit_length() > 64:
        raise InvalidQuery(f"The filter '{field}' was given a number that is too large.")
    if len(word := str(value)) > LONGEST_VALUE:
        raise InvalidQuery(f"A value of the filter '{field}' has over {LONGEST_VALUE:,} characters.")
    return word
