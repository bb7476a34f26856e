"""Shopify's product CSV export: a row for each variant and each further picture, together by their handle.

Columns of before and after the renaming of 2025 ("Handle" / "URL handle", "Variant Price" / "Price") are read alike.
A variant is a product, and the variants of a handle are one product group. Drafts and archived products are left out.
"""

import re
from collections.abc import Iterator

from catalog.sources.guessing import SAMPLE_ROWS, plain_attributes
from catalog.sources.mapped import TableSource, only, settled
from catalog.sources.mapping import Mapping, mapping_of
from catalog.sources.opening import Opening, first_of
from catalog.sources.rows import Row
from catalog.sources.shopify_variants import (
    CATEGORY,
    GROUP,
    ID,
    PICTURES,
    STOCK,
    TITLE,
    option_attribute,
    option_column,
    options,
    variants,
)
from catalog.sources.table_file import TableFile

SIGNATURES = (
    ("Handle", "Title", "Variant Price"),
    ("Handle", "Title", "Body (HTML)"),
    ("URL handle", "Title", "Price"),
)

_RENAMED = {
    "url handle": "Handle", "description": "Body (HTML)", "product category": "Product Category", "sku": "Variant SKU",
    "published on online store": "Published", "price": "Variant Price",
    "inventory tracker": "Variant Inventory Tracker", "inventory quantity": "Variant Inventory Qty",
    "continue selling when out of stock": "Variant Inventory Policy",
    "product image url": "Image Src", "variant image url": "Variant Image", "image position": "Image Position",
    **{f"option{n} {word}": f"Option{n} {word.title()}" for n in (1, 2, 3) for word in ("name", "value")},
}  # fmt: skip
_FURTHER = re.compile(r"(?P<name>.+?) \(product\.metafields\..*\)|Google Shopping / (?P<google>Gender|Age group)", re.I)


class ShopifyRows:
    """The rows of an export as one row a variant, with what only the first row of a product says on each."""

    def __init__(self, table: TableFile) -> None:
        self._table = table
        self._names = {name: _RENAMED.get(name.casefold(), name) for name in table.columns()}
        self.options = {n: a for row in self._renamed() for n, _ in options(row.cells) if (a := option_attribute(n))}

    def columns(self) -> list[str]:
        """The export's columns, and those that are made of several of them."""
        made = [ID, TITLE, GROUP, CATEGORY, STOCK, PICTURES]
        return list(dict.fromkeys([*made, *map(option_column, self.options.values()), *self._names.values()]))

    def further_attributes(self) -> dict[str, str]:
        """Attributes from metafields and Google's columns, beside the options."""
        labels = {
            (m["name"] or m["google"]): column for column in self._names.values() if (m := _FURTHER.fullmatch(column))
        }
        sample = [row for _, row in zip(range(SAMPLE_ROWS), self.rows(), strict=False)]
        named = [Row(r.number, {label: r.cells.get(column, "") for label, column in labels.items()}) for r in sample]
        return {
            name: labels[label] for name, label in plain_attributes(labels, named, set(self.options.values())).items()
        }

    def rows(self) -> Iterator[Row]:
        """One row for each variant, and one for each line that could not be read."""
        group: list[Row] = []
        handle = ""
        for row in self._renamed():
            here = first_of(row.cells, "Handle") or ("" if first_of(row.cells, "Title") else handle)
            if group and not row.problem and (here != handle or not here):
                yield from variants(handle, group)
                group = []
            handle = handle if row.problem else here
            group.append(row)
        yield from variants(handle, group)

    def _renamed(self) -> Iterator[Row]:
        return self._table.rows_as(self._names)


def open_shopify(opening: Opening) -> TableSource:
    """The export at `opening`; pictures by their addresses, or by file name in the media folder."""
    table = TableFile.look(opening)
    source = ShopifyRows(table)
    guess, root = _mapping(table, source), table.path.parent.resolve()
    return settled(f"shopify:{table.path.name}", source.rows, source.columns(), guess, opening, root, only(table.path))


def _mapping(table: TableFile, source: ShopifyRows) -> Mapping:
    present = source.columns()
    single = {"description": "Body (HTML)", "brand": "Vendor", "price": "Variant Price"}
    options = {attribute: option_column(attribute) for attribute in source.options.values()}
    return mapping_of(
        {
            "products": table.path.name,
            "encoding": table.encoding,
            "delimiter": table.delimiter,
            "columns": {
                **{"id": ID, "title": TITLE, "group_id": GROUP, "category": [CATEGORY], "stock": STOCK},
                **{field: column for field, column in single.items() if column in present},
                "images": [PICTURES],
            },
            "attributes": {**options, **source.further_attributes()},
            "decimal": ".",
        },
        table.path.name,
    )
