"""Every row of a source, checked: a product with its pictures, or the reason why it is none. Writes nothing."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from catalog.pictures.reading import PictureReader
from catalog.products import MissingPicture, Product, Quarantined
from catalog.rows.cells import cells_of
from catalog.rows.records import BadRow, product_of
from catalog.sources.protocol import Source


@dataclass(frozen=True)
class CheckedRow:
    """What became of one row: a product and its pictures (media id -> bytes), or `quarantined`, or neither of them
    where the shop itself does not show it. `missing` are pictures that could not be had by their address; `dropped`
    counts what was left out of the row, them too: reason -> times.
    """

    product: Product | None = None
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    quarantined: Quarantined | None = None
    missing: Sequence[MissingPicture] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)


def checked_rows(source: Source, reader: PictureReader | None = None) -> Iterator[CheckedRow]:
    """Check the rows of `source` in order, each with every picture decoded once to prove that it can be.

    `reader` reads the pictures; without one nothing is downloaded.
    """
    reader = PictureReader(source) if reader is None else reader
    known: set[str] = set()
    for record in reader.ahead(source.records()):
        if record.left_out:
            yield CheckedRow(dropped={f"products: {record.left_out}": 1})
            continue
        try:
            pictures, missing = reader.read(record)
            product = product_of(record, tuple(pictures))
            if product.id in known:
                raise BadRow("duplicate_id", f"The id '{product.id}' stands in an earlier row.")
        except BadRow as bad:
            identity = record.values.get("id", "").encode("utf-8", "replace").decode()[:200]
            told = Quarantined(record.source_row, identity, bad.reason, bad.detail, record.key, cells_of(record))
            yield CheckedRow(quarantined=told)
        else:
            known.add(product.id)
            away = Counter(f"pictures: {picture.reason}" for picture in missing)
            yield CheckedRow(product, pictures, missing=missing, dropped=away)
