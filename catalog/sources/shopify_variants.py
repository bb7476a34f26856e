"""The lines of one handle of a Shopify export -> its variants, each with what only the first line says."""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Cells

from catalog.sources.guessing import attribute_name
from catalog.sources.opening import first_of
from catalog.sources.rows import Cell, Row

ID, TITLE, GROUP = "Variant SKU, else Handle", "Title and options", "Handle of variants"
CATEGORY, STOCK, PICTURES = "Product Category and Type", "Variant Inventory", "Variant Image, else Image Src"

_OF_VARIANT = re.compile(
    r"Variant .*|Option\d Value|Image .*|Cost per item|(Price|Compare.At Price) /.*", re.IGNORECASE
)


def variants(handle: str, group: Sequence[Row]) -> Iterator[Row]:
    """One row for each variant of a product, from all lines of its handle; a line that could not be read stays one."""
    readable = [row for row in group if not row.problem]
    shared: dict[str, Cell] = {}
    for row in readable:
        for name, cell in row.cells.items():
            if cell and not _OF_VARIANT.fullmatch(name):
                shared.setdefault(name, cell)
    numbers = {row.number for row in readable if first_of(row.cells, "Option1 Value", "Variant SKU", "Variant Price")}
    numbers = numbers or {row.number for row in readable[:1]}
    pictures = sorted(
        (row.cells for row in readable if first_of(row.cells, "Image Src")),
        key=lambda cells: (
            int(first_of(cells, "Image Position")) if first_of(cells, "Image Position").isdigit() else 999
        ),
    )
    left_out = _left_out(shared)
    skus: set[str] = set()
    for row in group:
        if row.problem:
            yield row
        elif row.number in numbers:
            cells = {**shared, **{name: cell for name, cell in row.cells.items() if cell}}
            values = [value for _, value in options(cells)]
            sku = first_of(cells, "Variant SKU")
            many = len(numbers) > 1
            cells |= {option_column(a): value for name, value in options(cells) if (a := option_attribute(name))}
            cells[ID] = sku if sku and sku not in skus else "-".join([handle, *values])
            cells[TITLE] = " - ".join([first_of(shared, "Title"), *([" / ".join(values)] if many and values else [])])
            cells[GROUP] = handle if many else ""  # a product without variants is grouped by its title
            cells[CATEGORY] = _category(first_of(cells, "Product Category"), first_of(cells, "Type"))
            cells[STOCK] = _stock(cells)
            own = first_of(row.cells, "Variant Image")
            cells[PICTURES] = (own,) if own else tuple(dict.fromkeys(first_of(p, "Image Src") for p in pictures))
            skus.add(sku)
            yield Row(row.number, cells, left_out=left_out)


def options(cells: Cells[str, Cell]) -> list[tuple[str, str]]:
    """(name, value) of each option, without the one that Shopify gives to a product that has none."""
    found = [(first_of(cells, f"Option{n} Name"), first_of(cells, f"Option{n} Value")) for n in (1, 2, 3)]
    return [(name, value) for name, value in found if value and value != "Default Title"]


def option_attribute(option: str) -> str:
    """The attribute that an option is, "" where its name makes none."""
    return attribute_name(option) if option else ""


def option_column(attribute: str) -> str:
    """The column that holds an option, whatever its number."""
    return f"Option {attribute}"


def _category(path: str, kind: str) -> str:
    levels = [level.strip() for level in path.split(">") if level.strip()]
    known = {level.casefold() for level in levels}
    return " > ".join([*levels, *([kind] if kind and kind.casefold() not in known else [])])


def _stock(cells: Cells[str, Cell]) -> str:
    """The quantity; none of it where nobody counts, or where it sells on at zero."""
    sells_on = first_of(cells, "Variant Inventory Policy").casefold() in ("continue", "true")
    quantity = first_of(cells, "Variant Inventory Qty")
    if quantity.startswith("-"):
        quantity = "0"  # sold more than there were
    return "" if sells_on and quantity in ("0", "") else quantity


def _left_out(cells: Cells[str, Cell]) -> str | None:
    status = first_of(cells, "Status").casefold()
    if status in ("draft", "archived"):
        return f"the shop has them as {status}"
    return "not published in the shop" if first_of(cells, "Published").casefold() == "false" else None
