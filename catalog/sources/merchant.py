"""A Google Merchant Center feed: TSV (or CSV), RSS 2.0 or Atom.

Fields are read by their names without the "g:" of the namespace. A sale price counts where it has no dates: a snapshot
knows no clock. `product_detail` and the apparel fields become attributes, `item_group_id` the product group.
"""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Cells
from itertools import islice

from catalog.errors import InvalidSource
from catalog.sources.feed_xml import read_items
from catalog.sources.guessing import SAMPLE_ROWS, attribute_name
from catalog.sources.mapped import TableSource, only, settled
from catalog.sources.mapping import Mapping, mapping_of
from catalog.sources.opening import Opening, first_of
from catalog.sources.rows import Cell, Row
from catalog.sources.table_file import TableFile

SIGNATURES = (
    ("id", "title", "image_link"),
    ("id", "title", "availability", "price"),
    ("id", "title", "google_product_category"),
    ("id", "title", "item_group_id", "link"),
)

PRICE, CATEGORY, PICTURES = (
    "sale_price, else price",
    "product_type, else google_product_category",
    "image_link and more",
)

_SINGLE = {
    "id": "id", "title": "title", "group_id": "item_group_id", "description": "description", "brand": "brand",
    "stock": "availability",
}  # fmt: skip
_ATTRIBUTES = ("color", "size", "gender", "age_group", "material", "pattern")
_DETAIL = re.compile(r"(?P<section>[^:]*):(?P<name>[^:]+):(?P<value>[^:]+)")


class MerchantRows:
    """The items of a feed; `is_xml` tells in which of the two ways it is written."""

    def __init__(self, opening: Opening, is_xml: bool) -> None:
        self._path, self._is_xml = opening.path, is_xml
        self._encoding = opening.said("encoding")
        self._table = None if is_xml else TableFile.look(opening)
        seen: dict[str, None] = {}
        self.details: dict[str, str] = {}  # attribute -> column
        for row in self.rows():
            seen.update(dict.fromkeys(row.cells))
            self.details.update({a: c for c in row.cells if c.startswith("product_detail ") and (a := _attribute(c))})
        self.columns: Sequence[str] = tuple(seen)

    def rows(self) -> Iterator[Row]:
        """Every item as one row."""
        for row in self._raw():
            yield row if row.problem else Row(row.number, _completed(row.cells))

    def written(self) -> dict[str, str | None]:
        """Encoding and delimiter, for the mapping that is shown."""
        return {"encoding": self._table.encoding, "delimiter": self._table.delimiter} if self._table else {}

    def _raw(self) -> Iterator[Row]:
        if self._table is None:
            yield from read_items(self._path, self._encoding)
            return
        for row in self._table.rows():
            cells = {_plain_name(name): _listed(_plain_name(name), cell) for name, cell in row.cells.items()}
            yield Row(row.number, cells, row.problem)


def open_merchant(opening: Opening) -> TableSource:
    """The feed at `opening`; pictures by their addresses, or by file name in the media folder."""
    path = opening.path
    if not path.is_file():
        raise InvalidSource(f"'{opening.where}' is not a file.")
    rows = MerchantRows(opening, path.suffix.lower() in (".xml", ".rss", ".atom"))
    guess, root = _mapping(path.name, rows), path.parent.resolve()
    return settled(f"merchant:{path.name}", rows.rows, rows.columns, guess, opening, root, only(path))


def _mapping(name: str, rows: MerchantRows) -> Mapping:
    present = set(rows.columns)
    made = {"price": PRICE, "category": [CATEGORY], "images": [PICTURES]}
    languages = [column for column in ("content_language", "language") if column in present]
    return mapping_of(
        {
            "products": name,
            "columns": {
                **{f: column for f, column in _SINGLE.items() if column in present or f in ("id", "title")},
                **({"language": languages[0]} if languages else {}),
                **(made if present else {}),
            },
            "attributes": {
                **{attribute_name(column): column for column in _ATTRIBUTES if column in present},
                **rows.details,
            },
            **rows.written(),
        },
        name,
    )


def _completed(cells: Cells[str, Cell]) -> dict[str, Cell]:
    """The cells, with those that are made of several and one for each product detail."""
    found = dict(cells)
    sale = "" if first_of(cells, "sale_price_effective_date") else first_of(cells, "sale_price")
    found[PRICE] = sale or first_of(cells, "price")
    kinds = [kind for column in ("product_type", "google_product_category") for kind in _texts(cells, column)]
    found[CATEGORY] = next((kind for kind in kinds if not kind.isdigit()), "")  # a number names a row of Google's table
    found[PICTURES] = (*_texts(cells, "image_link")[:1], *_texts(cells, "additional_image_link"))
    for detail in _texts(cells, "product_detail"):
        if parts := _DETAIL.fullmatch(detail):
            found[f"product_detail {parts['name'].strip()}"] = parts["value"].strip()
    return found


def _texts(cells: Cells[str, Cell], column: str) -> tuple[str, ...]:
    cell = cells.get(column, "")
    parts = (cell,) if isinstance(cell, str) else cell if isinstance(cell, tuple) else ()
    return tuple(text for part in parts if isinstance(part, str) and (text := part.strip()))


def _listed(name: str, cell: Cell) -> Cell:
    """A cell of a text feed that holds several: what XML repeats is parted by commas there."""
    if not isinstance(cell, str) or "," not in cell:
        return cell
    if name == "additional_image_link":
        return tuple(re.split(r"\s*,\s*(?=(?:https?:)?//)" if "//" in cell else ",", cell))
    if name == "product_detail":
        return tuple(re.split(r"\s*,\s*(?=[^,:]*:[^,:]+:)", cell))
    if name == "product_type" and all(">" in part for part in cell.split(",")):
        return tuple(part.strip() for part in cell.split(","))
    return cell


def _plain_name(column: str) -> str:
    return re.sub(r"[\s-]+", "_", column.strip().casefold().removeprefix("g:").removeprefix("g_"))


def _attribute(column: str) -> str:
    return attribute_name(column.removeprefix("product_detail "))


def first_columns(opening: Opening) -> list[str]:
    """Names of the fields of the first items of an XML feed; empty when it has none."""
    rows = islice(read_items(opening.path, opening.said("encoding")), SAMPLE_ROWS)
    return list(dict.fromkeys(column for row in rows for column in row.cells))
