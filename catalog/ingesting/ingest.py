"""From a source to the snapshot in data/: check every row, pack the media, count what was left out.

The snapshot is written into a folder beside data/ and swapped in whole, so a killed ingest leaves the old one; run it
again and it ends in the same place. Nothing of the run itself (no time, no path) is inside: same source, same bytes.
"""

import fcntl
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from catalog.errors import EtalageError, InvalidSnapshot, InvalidSource
from catalog.ingesting.checking import checked_rows
from catalog.ingesting.corrections import Corrected, CorrectedSource, merged
from catalog.ingesting.last_ingest import Known
from catalog.ingesting.quarantine_file import read_quarantine_file
from catalog.ingesting.remembering import Remembering
from catalog.media import MediaStore
from catalog.pictures.lookalikes import PictureFindings, find_lookalikes, without_pictures
from catalog.pictures.looks import write_looks
from catalog.pictures.reading import Fetcher, PictureReader
from catalog.products import MissingPicture, Product, Quarantined
from catalog.shards import write_shards
from catalog.snapshot import Snapshot, read_snapshot, snapshot_id, write_snapshot
from catalog.sources.protocol import SideTables, Source
from catalog.tables import (
    read_corrections,
    read_quarantine,
    write_corrections,
    write_interactions,
    write_judgements,
    write_missing_pictures,
    write_products,
    write_quarantine,
    write_terms,
)
from catalog.workspace import (
    CORRECTIONS,
    DATA,
    INTERACTIONS,
    JUDGEMENTS,
    LOOKS,
    MEDIA,
    MISSING_PICTURES,
    PRODUCTS,
    QUARANTINE,
    SNAPSHOT,
    TERMS,
)


@dataclass(frozen=True)
class IngestReport(Snapshot):
    """The record of the snapshot that is now in place, and whether it differs from the one before.

    `findings` are of its pictures, `downloads` what became of those that were fetched, `corrected` what became of the
    cells that a person corrected. `recognised`: the source was not read, since everything it is made of is as the last
    ingest found it.
    """

    changed: bool = True
    recognised: bool = False
    findings: PictureFindings = field(default_factory=PictureFindings)
    downloads: Mapping[str, int] = field(default_factory=dict)
    corrected: Corrected = field(default_factory=Corrected)

    @property
    def snapshot(self) -> str:
        """Id of the snapshot."""
        return self.id


def ingest(
    source: Source,
    into: Path = DATA,
    on_row: Callable[[int], None] | None = None,
    fetcher: Fetcher | None = None,
    drop_placeholders: bool = False,
    quarantine: Path | None = None,
    keep_corrections: bool = True,
    memory: Path | None = None,
    anew: bool = False,
) -> IngestReport:
    """Read all of `source` into the snapshot folder `into`. `on_row` is told the number of rows done.

    A bad row goes to quarantine.parquet with its reason; products + quarantined == rows that the shop shows. A picture
    named by URL comes through `fetcher`; where it cannot be had, the product stays and missing_pictures.parquet says
    why.
    With `drop_placeholders` a picture that shows no product counts as none, for products that have a title.
    `quarantine` is a table of rows that a person corrected (catalog.ingesting.quarantine_file); corrections of before
    hold too, unless `keep_corrections` is False.
    In the folder `memory` stands what earlier ingests found out: an unchanged source is not read again, and a picture
    of known bytes not decoded again, after a kill too. With `anew` none of it is believed.
    Raises InvalidSource when the source cannot be read or gives no product: the old snapshot then stays.
    """
    with _alone(into):
        recover(into)
        own = corrected_source(source, into, quarantine, keep_corrections)
        settings = {"drop_placeholders": drop_placeholders, "corrections": own.digest}
        remembering = Remembering(source, memory, settings, anew)
        known = remembering.recall(into, downloads=fetcher is not None)
        if known is not None:
            kept = Corrected(applied=own.corrections)
            told = asdict(known.snapshot)
            return IngestReport(**told, changed=False, recognised=True, findings=known.findings, corrected=kept)
        new, old = _beside(into, "new"), _beside(into, "old")
        new.mkdir(parents=True)
        try:
            before = _present_id(into)
            reader = PictureReader(source, fetcher, remembering.proved)
            snapshot, findings = _write(own, new, on_row, reader, drop_placeholders)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        finally:
            remembering.proved.flush()
        if into.exists():
            into.rename(old)
        new.rename(into)
        shutil.rmtree(old, ignore_errors=True)
        remembering.remember(reader.proved.keys(), Known(snapshot, findings), downloads=fetcher is not None)
        return IngestReport(**asdict(snapshot), changed=snapshot.id != before, findings=findings, corrected=own.found)


def corrected_source(
    source: Source, into: Path = DATA, quarantine: Path | None = None, keep_corrections: bool = True
) -> CorrectedSource:
    """`source` with the corrections of the snapshot in `into`, and those in the table `quarantine` of its rows.

    Raises InvalidSource for a table that corrects none of them.
    """
    kept = read_corrections(_at(into, CORRECTIONS)) if keep_corrections else []
    if quarantine is None:
        return CorrectedSource(source, kept)
    rows = read_quarantine(_at(into, QUARANTINE))
    return CorrectedSource(source, merged(kept, read_quarantine_file(quarantine, rows, kept), rows))


def recover(into: Path = DATA) -> None:
    """Clean up after a killed ingest: what stands in `into` stays; were it moved away already, it comes back."""
    new, old = _beside(into, "new"), _beside(into, "old")
    if old.exists() and not into.exists():
        old.rename(into)
    for leftover in (new, old):
        if leftover.exists():
            shutil.rmtree(leftover)


def _write(
    source: CorrectedSource,
    folder: Path,
    on_row: Callable[[int], None] | None,
    reader: PictureReader,
    drop_placeholders: bool,
) -> tuple[Snapshot, PictureFindings]:
    products: list[Product] = []
    quarantined: list[Quarantined] = []
    missing: list[MissingPicture] = []
    side = source.side_tables()
    dropped: Counter[str] = Counter()
    media = write_shards(
        _checked(source, reader, products, quarantined, missing, dropped, on_row),
        _at(folder, MEDIA),
        lambda identity, _: reader.proved[identity].header,
    )
    reasons = dict(sorted(Counter(row.reason for row in quarantined).items()))
    if not products:
        raise InvalidSource(_nothing(source.name, quarantined, reasons))
    findings = find_lookalikes(products, {identity: proved.look for identity, proved in reader.proved.items()})
    if drop_placeholders and findings.placeholders:
        products = [without_pictures(product, findings.placeholder_pictures) for product in products]
        media = _repacked(_at(folder, MEDIA), products)
    side = _of_known_products(side, {product.id for product in products})
    dropped.update(side.dropped)
    if missing:
        write_missing_pictures(missing, _at(folder, MISSING_PICTURES))
    if source.found.applied:
        write_corrections(source.found.applied, _at(folder, CORRECTIONS))
    shown = {picture for product in products for picture in product.images}
    write_looks({picture: reader.proved[picture].look for picture in shown}, _at(folder, LOOKS))
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
        dropped=dict(sorted(dropped.items())),
    )
    write_snapshot(snapshot, _at(folder, SNAPSHOT))
    return snapshot, findings


def _repacked(folder: Path, products: Sequence[Product]) -> int:
    """The shards again, with the pictures of `products` only; their number."""
    used = {picture for product in products for picture in product.images}
    whole = folder.rename(folder.with_name("media.whole"))
    store = MediaStore(whole)
    kept = [identity for identity in store.ids() if identity in used]
    count = write_shards((pair for batch in store.iterate(kept, 32) for pair in batch), folder)
    shutil.rmtree(whole)
    return count


def _checked(
    source: Source,
    reader: PictureReader,
    products: list[Product],
    quarantined: list[Quarantined],
    missing: list[MissingPicture],
    dropped: Counter[str],
    on_row: Callable[[int], None] | None,
) -> Iterator[tuple[str, bytes]]:
    """Append each row to `products` or `quarantined`; yield (media_id, bytes) of the pictures of the good ones."""
    for number, row in enumerate(checked_rows(source, reader), start=1):
        dropped.update(row.dropped)
        missing.extend(row.missing)
        if row.quarantined:
            quarantined.append(row.quarantined)
        if row.product:
            products.append(row.product)
            yield from row.pictures.items()
        if on_row:
            on_row(number)


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
