"""WooCommerce's product CSV export: simple products, and variable ones with a row for each variation.

A variation is a product with what its parent says and it does not; the parent of variations is their product group and
no product. What is not published, or hidden in the catalogue, is left out. Columns have their English names here.
"""

import re
from collections.abc import Iterator
from collections.abc import Mapping as Cells
from itertools import islice

from catalog.rows.prices import decimal_mark
from catalog.sources.guessing import SAMPLE_ROWS, attribute_name
from catalog.sources.mapped import TableSource, only, settled
from catalog.sources.mapping import Mapping, mapping_of
from catalog.sources.opening import Opening, first_of
from catalog.sources.rows import Cell, Row
from catalog.sources.table_file import TableFile
from catalog.sources.woocommerce_columns import INHERITED, in_english

ID, GROUP, PRICE, STOCK = (
    "SKU, else ID",
    "Parent of variations",
    "Sale price, else Regular price",
    "Stock, else In stock?",
)
DESCRIPTION, CATEGORY, PICTURES = "Description, else Short description", "deepest of Categories", "Images"

_ATTRIBUTE = re.compile(r"Attribute (\d+) name")
_COMMA = re.compile(r"(?<!\\),\s*")


class WooRows:
    """The rows of an export with each variation completed from its parent."""

    def __init__(self, table: TableFile) -> None:
        self._table = table
        self._english = {column: in_english(column) for column in table.columns()}
        self.export_columns = tuple(self._english.values())
        self._numbers = [m[1] for column in self.export_columns if (m := _ATTRIBUTE.fullmatch(column))]
        self._parents: dict[str, dict[str, Cell]] = {}  # "SKU" and "id:ID" -> what variations inherit
        self._has_variations: set[str] = set()
        self.attributes: dict[str, str] = {}  # attribute -> column
        for row in table.rows_as(self._english):
            kind = first_of(row.cells, "Type").casefold()
            named = self._attributes(row.cells)
            self.attributes.update({name: f"Attribute {name}" for name in named})
            if kind.startswith("variable"):
                kept = {name: cell for name in ("Name", *INHERITED) if (cell := row.cells.get(name))}
                kept |= {f"Attribute {name}": value for name, value in named.items() if "," not in value}
                names = _names(row.cells)
                self._parents.update(dict.fromkeys(names, kept | {GROUP: names[0]} if names else kept))
            elif kind.startswith("variation"):
                self._has_variations.add(first_of(row.cells, "Parent"))

    def columns(self) -> list[str]:
        """The export's columns, and those that are made of several of them."""
        made = [ID, GROUP, PRICE, STOCK, DESCRIPTION, CATEGORY, PICTURES]
        return list(dict.fromkeys([*made, *self.attributes.values(), *self.export_columns]))

    def rows(self) -> Iterator[Row]:
        """One row for each product and each variation."""
        for row in self._table.rows_as(self._english):
            kind = first_of(row.cells, "Type").casefold()
            if row.problem:
                yield row
            elif kind.startswith("variable") and self._has_variations & set(_names(row.cells)):
                continue
            else:
                yield self._completed(row, kind)

    def _completed(self, row: Row, kind: str) -> Row:
        cells = {name: cell for name, cell in row.cells.items() if cell}
        parent = first_of(cells, "Parent") if kind.startswith("variation") else ""
        if parent and parent not in self._parents:
            return Row(
                row.number, {}, f"The variation names the parent '{parent[:60]}', which the export does not hold."
            )
        cells |= {f"Attribute {name}": value for name, value in self._attributes(row.cells).items()}
        cells = {**self._parents.get(parent, {}), **cells}
        cells[ID] = first_of(cells, "SKU", "ID")
        dated = first_of(cells, "Date sale price starts", "Date sale price ends")
        cells[PRICE] = first_of(cells, "Regular price" if dated else "Sale price", "Regular price")
        cells[STOCK] = _stock(cells)
        cells[DESCRIPTION] = first_of(cells, "Description", "Short description").replace("\\n", " ")
        paths = [path.replace("\\,", ",") for path in _COMMA.split(first_of(cells, "Categories"))]
        cells[CATEGORY] = max(paths, key=lambda path: path.count(">"))
        cells[PICTURES] = tuple(_COMMA.split(first_of(cells, "Images")))
        return Row(row.number, cells, left_out=_left_out(cells))

    def _attributes(self, cells: Cells[str, Cell]) -> dict[str, str]:
        found = {}
        for number in self._numbers:
            name, value = first_of(cells, f"Attribute {number} name"), first_of(cells, f"Attribute {number} value(s)")
            if value and (attribute := attribute_name(name.removeprefix("pa_"))):
                found[attribute] = value.replace("\\,", ",")
        return found


def open_woocommerce(opening: Opening) -> TableSource:
    """The export at `opening`; pictures by their addresses, or by file name in the media folder."""
    table = TableFile.look(opening)
    source = WooRows(table)
    guess, root = _mapping(table, source), table.path.parent.resolve()
    return settled(
        f"woocommerce:{table.path.name}", source.rows, source.columns(), guess, opening, root, only(table.path)
    )


def _mapping(table: TableFile, source: WooRows) -> Mapping:
    prices = [first_of(row.cells, "Regular price", "Sale price") for row in islice(source.rows(), SAMPLE_ROWS)]
    brand = {"brand": "Brands"} if "Brands" in source.export_columns else {}
    return mapping_of(
        {
            "products": table.path.name,
            "encoding": table.encoding,
            "delimiter": table.delimiter,
            "columns": {
                **{"id": ID, "title": "Name", "group_id": GROUP, "description": DESCRIPTION, "price": PRICE},
                **{"stock": STOCK, "category": [CATEGORY], "images": [PICTURES], **brand},
            },
            "attributes": source.attributes,
            "decimal": decimal_mark(prices),
        },
        table.path.name,
    )


def _names(cells: Cells[str, Cell]) -> tuple[str, ...]:
    """By what variations may name this parent."""
    sku, identity = first_of(cells, "SKU"), first_of(cells, "ID")
    return tuple(name for name in (sku, f"id:{identity}" if identity else "") if name)


def _stock(cells: Cells[str, Cell]) -> str:
    """The quantity where it is counted; else whether there is one."""
    stock = first_of(cells, "Stock")
    if stock and stock not in ("parent",):
        return "0" if stock.startswith("-") else stock
    return {"1": "in stock", "0": "out of stock"}.get(first_of(cells, "In stock?"), first_of(cells, "In stock?"))


def _left_out(cells: Cells[str, Cell]) -> str | None:
    if first_of(cells, "Published") in ("0", "-1"):
        return "not published in the shop"
    return "hidden in the shop" if first_of(cells, "Visibility in catalog").casefold() == "hidden" else None
