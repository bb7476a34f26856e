"""The products of an earlier snapshot and the looks of their pictures, read out of DVC's cache: nothing is checked out,
data/ stays as it is."""

import json
from pathlib import Path

from catalog.errors import EtalageError
from catalog.pictures.looks import read_looks
from catalog.pictures.perceptual_hash import Look
from catalog.products import Product
from catalog.tables import read_products
from catalog.workspace import DATA, LOOKS, PRODUCTS
from flows import dvc
from flows.errors import SnapshotMissing
from flows.lineage.differences import ProductChanges, count_changes
from flows.lineage.origins import Lineage


def product_changes(before: Lineage, after: Lineage) -> tuple[ProductChanges | None, str]:
    """Products of `after` against those of `before`; None with the reason where they cannot be counted."""
    if before.snapshot == after.snapshot:
        return None, ""
    try:
        cache = dvc.cache_folder()
        return count_changes(products_of(before.data_md5, cache), products_of(after.data_md5, cache)), ""
    except EtalageError as error:
        return None, str(error)


def products_of(data_md5: str | None, cache: Path) -> list[Product]:
    """The product table of the snapshot that data.dvc named so. Raises SnapshotMissing where the cache lacks it."""
    return read_products(cached_table(data_md5, PRODUCTS, cache))


def looks_of(data_md5: str | None, cache: Path) -> dict[str, Look]:
    """Look by media id; none where the snapshot is older than the table: its pictures are then not compared."""
    try:
        return read_looks(cached_table(data_md5, LOOKS, cache))
    except SnapshotMissing:
        return {}


def looks_now() -> dict[str, Look]:
    """Those of the snapshot in data/, or none, likewise."""
    return read_looks() if LOOKS.is_file() else {}


def cached_table(data_md5: str | None, table: Path, cache: Path) -> Path:
    """Where the cache has one table of that snapshot. Raises SnapshotMissing where it lacks it."""
    if data_md5 is None:
        raise SnapshotMissing("Products were not counted: a snapshot was not versioned by DVC.")
    name = table.relative_to(DATA).as_posix()
    try:
        listed = json.loads(_cached(cache, data_md5).read_bytes())
        (content,) = [entry["md5"] for entry in listed if entry["relpath"] == name]
    except FileNotFoundError:
        raise _missing(data_md5) from None
    except (ValueError, KeyError, TypeError):
        raise SnapshotMissing(f"Products were not counted: DVC's cache does not list snapshot {data_md5}.") from None
    path = _cached(cache, content)
    if not path.is_file():
        raise _missing(data_md5)
    return path


def _missing(data_md5: str) -> SnapshotMissing:
    return SnapshotMissing(f"Products were not counted: snapshot {data_md5} is not in DVC's cache here.")


def _cached(cache: Path, md5: str) -> Path:
    return cache / "files" / "md5" / md5[:2] / md5[2:]
