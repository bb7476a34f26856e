"""From a source to the snapshot in data/: check every row, pack the media, count what was left out.

The snapshot is written into a folder beside data/ and swapped in whole, so a killed ingest leaves the old one; run it
again and it ends in the same place. Nothing of the run itself (no time, no path) is inside: same source, same bytes.
"""

import fcntl
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from catalog.errors import EtalageError, InvalidMedia, InvalidSnapshot, InvalidSource, MediaTooLarge
from catalog.media import decode_image, media_id, write_shards
from catalog.products import Product, Quarantined
from catalog.records import BadRow, Record, product_of
from catalog.snapshot import Snapshot, read_snapshot, snapshot_id, write_snapshot
from catalog.sources.protocol import SideTables, Source
from catalog.tables import (
    write_interactions,
    write_judgements,
    write_products,
    write_quarantine,
    write_terms,
)
from catalog.workspace import DATA, INTERACTIONS, JUDGEMENTS, MEDIA, PRODUCTS, QUARANTINE, SNAPSHOT, TERMS


@dataclass(frozen=True)
class IngestReport(Snapshot):
    """The record of the snapshot that is now in place, and whether it differs from the one before."""

    changed: bool = True

    @property
    def snapshot(self) -> str:
        """Id of the snapshot."""
        return self.id


def ingest(source: Source, into: Path = DATA, on_row: Callable[[int], None] | None = None) -> IngestReport:
    """Read all of `source` into the snapshot folder `into`. `on_row` is told the number of rows done.

    A bad row goes to quarantine.parquet with its reason; products + quarantined == rows of the source.
    Raises InvalidSource when the source cannot be read or gives no product: the old snapshot then stays.
    """
    with _alone(into):
        recover(into)
        new, old = _beside(into, "new"), _beside(into, "old")
        new.mkdir(parents=True)
        try:
            before = _present_id(into)
            snapshot = _write(source, new, on_row)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        if into.exists():
            into.rename(old)
        new.rename(into)
        shutil.rmtree(old, ignore_errors=True)
        return IngestReport(**asdict(snapshot), changed=snapshot.id != before)


def recover(into: Path = DATA) -> None:
    """Clean up after a killed ingest: what stands in `into` stays; were it moved away already, it comes back."""
    new, old = _beside(into, "new"), _beside(into, "old")
    if old.exists() and not into.exists():
        old.rename(into)
    for leftover in (new, old):
        if leftover.exists():
            shutil.rmtree(leftover)


def _write(source: Source, folder: Path, on_row: Callable[[int], None] | None) -> Snapshot:
    products: list[Product] = []
    quarantined: list[Quarantined] = []
    side = source.side_tables()
    media = write_shards(_checked(source, products, quarantined, on_row), _at(folder, MEDIA))
    reasons = dict(sorted(Counter(row.reason for row in quarantined).items()))
    if not products:
        raise InvalidSource(_nothing(source.name, quarantined, reasons))
    side = _of_known_products(side, {product.id for product in products})
    write_products(products, _at(folder, PRODUCTS))
    write_quarantine(quarantined, _at(folder, QUARANTINE))
    write_terms(side.terms, _at(folder, TERMS))
    write_judgements(side.judgements, _at(folder, JUDGEMENTS))
    write_interactions(side.interactions, _at(folder, INTERACTIONS))
    snapshot = Snapshot(
        id=snapshot_id(folder),
        source=source.name,
        source_rows=len(products) + len(quarantined),
        products=len(products),
        quarantined=reasons,
        media=media,
        without_image=sum(not product.images for product in products),
        groups=len({product.group_id for product in products}),
        terms=len(side.terms),
        judgements=len(side.judgements),
        interactions=len(side.interactions),
        dropped=dict(sorted(side.dropped.items())),
    )
    write_snapshot(snapshot, _at(folder, SNAPSHOT))
    return snapshot


def _checked(
    source: Source, products: list[Product], quarantined: list[Quarantined], on_row: Callable[[int], None] | None
) -> Iterator[tuple[str, bytes]]:
    """Append each row to `products` or `quarantined`; yield (media_id, bytes) of the pictures of the good ones."""
    known: set[str] = set()
    for number, record in enumerate(source.records(), start=1):
        try:
            pictures = _pictures(source, record)
            product = product_of(record, tuple(pictures))
            if product.id in known:
                raise BadRow("duplicate_id", f"The id '{product.id}' stands in an earlier row.")
        except BadRow as bad:
            identity = record.values.get("id", "").encode("utf-8", "replace").decode()[:200]
            quarantined.append(Quarantined(record.source_row, identity, bad.reason, bad.detail))
        else:
            known.add(product.id)
            products.append(product)
            yield from pictures.items()
        if on_row:
            on_row(number)


def _pictures(source: Source, record: Record) -> dict[str, bytes]:
    """Media id -> bytes of every picture of a record, each decoded once to prove that it can be."""
    found = {}
    for reference in record.images:
        try:
            data = source.media(reference)
            decode_image(data)
        except (InvalidMedia, MediaTooLarge) as error:
            raise BadRow("broken_picture", f"Picture '{reference[:80]}': {error}") from None
        found[media_id(data)] = data
    return found


def _of_known_products(side: SideTables, known: set[str]) -> SideTables:
    """Without judgements and interactions about products that are not in the snapshot; repeated terms once."""
    judgements = tuple(row for row in side.judgements if row.product_id in known)
    interactions = tuple(row for row in side.interactions if row.product_id in known)
    terms = tuple(dict.fromkeys(side.terms))
    dropped = Counter(side.dropped)
    dropped["judgements: a product that is not in the snapshot"] += len(side.judgements) - len(judgements)
    dropped["interactions: a product that is not in the snapshot"] += len(side.interactions) - len(interactions)
    dropped["terms: repeated"] += len(side.terms) - len(terms)
    return SideTables(terms, judgements, interactions, +dropped)


def _nothing(name: str, quarantined: list[Quarantined], reasons: dict[str, int]) -> str:
    if not quarantined:
        return f"{name} has no rows."
    counts = ", ".join(f"{reason} {count}" for reason, count in reasons.items())
    first = quarantined[0]
    return f"{name}: none of {len(quarantined)} rows is a product ({counts}). Row {first.source_row}: {first.detail}"


def _present_id(into: Path) -> str | None:
    try:
        return read_snapshot(_at(into, SNAPSHOT)).id
    except InvalidSnapshot:
        return None


def _at(folder: Path, path: Path) -> Path:
    """`path`, a path of catalog.workspace under data/, in another folder."""
    return folder / path.relative_to(DATA)


def _beside(into: Path, word: str) -> Path:
    return into.parent / f".{into.name}.{word}"


@contextmanager
def _alone(into: Path) -> Iterator[None]:
    """One ingest at a time: a lock on the parent folder, which the system frees when the process dies."""
    into.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(into.parent, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EtalageError(f"Another ingest into {into}/ is running.") from None
        yield
    finally:
        os.close(handle)
