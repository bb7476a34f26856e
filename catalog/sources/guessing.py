"""Which column is which field of a product, guessed from the names of the columns and from some rows."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from catalog.errors import InvalidSource
from catalog.rows.prices import decimal_mark
from catalog.sources.mapping import Mapping, mapping_of
from catalog.sources.rows import Row
from catalog.words.tokens import language_of

SAMPLE_ROWS = 500  # what a guess looks at

_LANGUAGES = "en|de|fr|es|it|nl|pt|sv|da|no|fi|pl|cs|ru|tr|ja|ko|zh|ar"
_LANGUAGE = re.compile(
    rf"(?P<name>.+?)[\s_.:\[(/-]+(?P<language>{_LANGUAGES})(?:[_-][A-Za-z]{{2,4}})?[\])]?$", re.IGNORECASE
)
_PICTURE = re.compile(r"(?i)(https?:)?//\S+|[^\s,;|]\S*\.(jpe?g|png|webp|gif|avif|bmp|tiff?)(\?\S*)?")
_NAMES = yaml.safe_load(Path(__file__).with_name("column_names.yaml").read_text(encoding="utf-8"))
_FIELDS: dict[str, list[str]] = {field: names.split() for field, names in _NAMES["fields"].items()}
_FIELD_OF = {name: field for field, names in _FIELDS.items() for name in names}
_ATTRIBUTE_OF = {name: field for field, names in _NAMES["attributes"].items() for name in names.split()}
_LEVEL_OF = {name: level for level, names in enumerate(_NAMES["category_levels"]) for name in names.split()}
_NOT_ATTRIBUTES = frozenset(_NAMES["not_attributes"].split())
_MOST_VALUE = 60  # characters of an attribute value that one can filter by


def guess_mapping(products: str, columns: Sequence[str], rows: Iterable[Row], **settings: Any) -> Mapping:
    """The mapping of the table `products`, from its columns and its first rows. `settings` are further keys of it.

    Raises InvalidSource when no column can be the id.
    """
    sample = [row for row in rows if not row.problem and not row.left_out]
    texts = {
        column: [cell for row in sample if isinstance(cell := row.cells.get(column, ""), str)] for column in columns
    }
    found: dict[str, Any] = {}
    languages: dict[str, dict[str, str]] = {}
    levels: dict[int, str] = {}
    attributes: dict[str, str] = {}
    for column in columns:
        name = _folded(column)
        field = _FIELD_OF.get(name)
        spoken = _LANGUAGE.match(column)
        if field == "images":
            if _holds_pictures(column, sample):
                found.setdefault("images", []).append(column)
        elif field and (field not in found or _rank(column, field) < _rank(found[field], field)):
            found[field] = column
        elif name in _LEVEL_OF:
            levels.setdefault(_LEVEL_OF[name], column)
        elif name in _ATTRIBUTE_OF:
            attributes.setdefault(_ATTRIBUTE_OF[name], column)
        elif spoken and (field := _FIELD_OF.get(_folded(spoken["name"]))) in ("title", "description"):
            languages.setdefault(spoken["language"].lower(), {})[field] = column
    if "id" not in found:
        found["id"] = _unique(products, columns, texts, _named(found, attributes, languages))
    if "images" not in found:
        found["images"] = [column for column in columns if _looks_like_pictures(column, sample)][:4]
    defaults = _main_language(found, languages)
    if currency := _chinese_currency(found, texts):
        defaults["currency"] = currency
    found["category"] = [levels[level] for level in sorted(levels)]
    used = _named(found, attributes, languages)
    attributes.update(plain_attributes([c for c in columns if c not in used], sample, taken=set(attributes)))
    path = texts[found["category"][0]] if len(found["category"]) == 1 else []
    guess: dict[str, Any] = {
        "products": products,
        "columns": found,
        "attributes": attributes,
        "category_separator": _separator(path, (" > ", ">", "/", "|", " - "), ">").strip() or ">",
        "list_separator": _list_separator(found["images"], texts),
        "decimal": decimal_mark(texts[found["price"]]) if "price" in found else None,
        "defaults": defaults,
        "languages": languages,
    }
    return mapping_of({**guess, **settings}, products)


def plain_attributes(columns: Iterable[str], sample: Sequence[Row], taken: set[str]) -> dict[str, str]:
    """Attribute name -> column, of the columns whose short values come again and again: those that one filters by."""
    found: dict[str, str] = {}
    for column in columns:
        name = attribute_name(column)
        cells = [row.cells.get(column, "") for row in sample]
        values = [cell.strip() for cell in cells if isinstance(cell, str) and cell.strip()]
        if not name or name in taken or name in found or _folded(column) in _NOT_ATTRIBUTES or not values:
            continue
        known = name in _NAMES["attributes"]
        few = known or len(set(values)) <= max(3, len(values) // 2)
        said = known or (any(any(c.isalpha() for c in value) for value in values) and not _yes_or_no(values))
        words = all(len(value) <= _MOST_VALUE and not _PICTURE.fullmatch(value) for value in values)
        if few and words and said:
            found[name] = column
    return found


def attribute_name(column: str) -> str:
    """The name of the attribute that a column or an option holds, "" where none can be made: "Base Color" -> colour."""
    known = _ATTRIBUTE_OF.get(_folded(column))
    name = known or re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
    reserved = name in _FIELDS or name in ("category", "audio", "videos", "in_stock")
    return name if re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name) and not reserved else ""


def _rank(column: str, field: str) -> int:
    """Of two columns that could be one field, the name that stands first in the table of names is it."""
    return _FIELDS[field].index(_folded(column))


def _folded(column: str) -> str:
    return "".join(character for character in column.casefold() if character.isalnum())


def _holds_pictures(column: str, sample: Sequence[Row]) -> bool:
    """Whether a column of such a name does hold pictures: a file name without an ending may be anything else."""
    cells = [cell for row in sample if (cell := row.cells.get(column, ""))]
    return not cells or any(not isinstance(cell, str) or _PICTURE.search(cell) for cell in cells)


def _looks_like_pictures(column: str, sample: Sequence[Row]) -> bool:
    cells = [cell for row in sample if (cell := row.cells.get(column, ""))]
    endings = re.compile(r"(?i)\S+\.(jpe?g|png|webp|gif|avif|bmp|tiff?)(\?\S*)?")
    return bool(cells) and all(
        isinstance(cell, bytes) or (isinstance(cell, str) and endings.match(cell)) for cell in cells
    )


def _unique(products: str, columns: Sequence[str], texts: dict[str, list[str]], used: set[str]) -> str:
    for column in columns:
        values = texts[column]
        if column not in used and values and all(0 < len(v) <= 40 for v in values) and len(set(values)) == len(values):
            return column
    raise InvalidSource(
        f"{products} has no column that can be the id of a product: name one in a mapping file, as "
        f"'columns: {{id: NAME}}'; its columns are: {', '.join(columns)}."
    )


def _main_language(found: dict[str, Any], languages: dict[str, dict[str, str]]) -> dict[str, str]:
    """Where only title_en, title_zh, ... exist, one of them is the title; the others stay further languages."""
    if "title" in found or not any("title" in wording for wording in languages.values()):
        return {}
    main = next(name for name in ("en", *languages) if "title" in languages.get(name, {}))
    for field, column in languages.pop(main).items():
        found.setdefault(field, column)
    return {"language": main}


def _chinese_currency(found: dict[str, Any], texts: dict[str, list[str]]) -> str | None:
    """CNY where prices have the sign that yen and yuan share and titles are Chinese."""
    prices, titles = texts.get(found.get("price", ""), []), texts.get(found.get("title", ""), [])
    chinese = sum(language_of(title) == "zh" for title in titles) * 2 > len(titles)
    return (
        "CNY"
        if "currency" not in found and chinese and any("¥" in price or "￥" in price for price in prices)
        else None
    )


def _named(found: dict[str, Any], attributes: dict[str, str], languages: dict[str, dict[str, str]]) -> set[str]:
    named = {column for value in found.values() for column in ([value] if isinstance(value, str) else value)}
    return named | set(attributes.values()) | {column for wording in languages.values() for column in wording.values()}


def _separator(texts: Sequence[str], candidates: Sequence[str], otherwise: str) -> str:
    counts = {mark: sum(mark in text for text in texts) for mark in candidates}
    best = max(candidates, key=lambda mark: counts[mark])
    return best if counts[best] else otherwise


def _list_separator(columns: Sequence[str], texts: dict[str, list[str]]) -> str:
    """What stands between several pictures in one cell: all parts must then look like pictures."""
    cells = [text for column in columns for text in texts[column] if text]
    for mark in ("|", ";", ",", " "):
        parts = [[part.strip() for part in cell.split(mark)] for cell in cells if mark in cell]
        if parts and all(_PICTURE.fullmatch(part) for cell in parts for part in cell if part):
            return mark
    return "|"


def _yes_or_no(values: Sequence[str]) -> bool:
    return {value.casefold() for value in values} <= {"yes", "no", "true", "false", "y", "n"}
