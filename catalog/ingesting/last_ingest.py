"""What the last ingest read and what came of it: an unchanged source is known again without being read.

Nothing is believed but what can be looked at. Tables are hashed; pictures are where they were, with the device, inode,
size and times that they had, or else with the bytes; what was not there still is not; the code and the libraries are
the same; and data/ holds, byte for byte, what that ingest left. Anything else, and everything is read.
"""

import hashlib
import json
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from catalog.errors import EtalageError, InvalidSnapshot
from catalog.media import media_id
from catalog.pictures.lookalikes import Lookalikes, PictureFindings
from catalog.snapshot import Snapshot, read_snapshot, snapshot_id
from catalog.sources.inputs import Inputs, Stamp, Witness, stamp_of
from catalog.workspace import SNAPSHOT

_SCHEMA = pa.schema([("path", pa.string()), *((name, pa.int64()) for name in Stamp._fields), ("media_id", pa.string())])
_TOLD = b"etalage"
_AT_ONCE = 10_000  # paths as Python has them


@dataclass(frozen=True)
class Known:
    """The snapshot that is still the right one, and what was found out about its pictures."""

    snapshot: Snapshot
    findings: PictureFindings


def key_of(inputs: Inputs, settings: Mapping[str, Any]) -> str | None:
    """All that a snapshot follows from but the pictures, in one digest; None where a file cannot be read."""
    told = hashlib.sha256(_code())
    told.update(json.dumps([inputs.said, settings, inputs.names], sort_keys=True, default=str).encode())
    for path in inputs.files:
        try:
            with path.open("rb") as stream:
                told.update(f"{path}\0{hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
        except OSError:
            return None
    return told.hexdigest()


def remember(path: Path, key: str, witness: Witness, known: Known) -> None:
    """Write down an ingest that has ended, in place of the one before. Raises EtalageError where that cannot be."""
    stamps = np.asarray(witness.stamps, dtype=np.int64).reshape(-1, len(Stamp._fields))
    told = {
        "key": key,
        "away": witness.away,
        "absent": list(witness.absent),
        "snapshot": asdict(known.snapshot),
        "findings": asdict(known.findings),
    }
    _write(path, pa.array(list(witness.paths), pa.string()), stamps, pa.array(witness.ids, pa.string()), told)


def recall(path: Path, key: str, *, downloads: bool, into: Path) -> Known | None:
    """What the last ingest left in `into`, if one of the same inputs would leave it again; else None.

    With `downloads` an address that no file stands for is asked each time.
    """
    try:
        told, table = _read(path)
        known = Known(Snapshot(**told["snapshot"]), _findings(told["findings"]))
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError):  # none, or none that was written so
        return None
    if told["key"] != key or (told["away"] and downloads) or any(map(os.path.isfile, told["absent"])):
        return None
    if not _stands(known.snapshot, into) or (read := _unchanged(table)) is None:
        return None
    if read:  # by their stamps next time
        stamps = _stamps(table)
        stamps[list(read)] = list(read.values())
        _write(path, table["path"], stamps, table["media_id"], told)
    return known


def _write(path: Path, paths: Any, stamps: Any, ids: Any, told: Mapping[str, Any]) -> None:
    columns = [paths, *(pa.array(column) for column in stamps.T), ids]
    table = pa.Table.from_arrays(columns, schema=_SCHEMA.with_metadata({_TOLD: json.dumps(told)}))
    half = path.with_name(path.name + ".half")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, half, write_page_checksum=True)
        half.replace(path)
    except OSError as error:
        raise EtalageError(f"What was ingested cannot be remembered in {path}: {error.strerror}.") from None


def _read(path: Path) -> tuple[dict[str, Any], pa.Table]:
    table = pq.ParquetFile(path, page_checksum_verification=True).read(use_threads=False)
    if not table.schema.equals(_SCHEMA):
        raise ValueError("another form")
    told: dict[str, Any] = json.loads(table.schema.metadata[_TOLD])
    return told, table


def _unchanged(table: pa.Table) -> dict[int, Stamp] | None:
    """Rows of files whose stamp is another, or was not to be trusted, and that have the same bytes: row -> its stamp
    now. None as soon as one has changed."""
    stamps = _stamps(table)
    read: dict[int, Stamp] = {}
    for start in range(0, len(table), _AT_ONCE):
        part = table.slice(start, _AT_ONCE)
        rows = zip(part["path"].to_pylist(), part["media_id"].to_pylist(), strict=True)
        for row, ((path, identity), stamp) in enumerate(zip(rows, stamps[start:].tolist(), strict=False), start):
            try:
                status = os.stat(path)  # noqa: PTH116 - a hundred thousand times
                if list(Stamp.of(status)) == stamp:
                    continue
                if not (identity and stat.S_ISREG(status.st_mode) and os.path.realpath(path) == path):
                    return None
                if media_id(Path(path).read_bytes()) != identity:
                    return None
            except OSError:
                return None
            read[row] = stamp_of(status)
    return read


def _stamps(table: pa.Table) -> NDArray[np.int64]:
    """[N, 5]. Not by `to_numpy`, which imports pandas: that takes longer than all else of an ingest of nothing new."""
    return np.stack([np.from_dlpack(table[name].combine_chunks()) for name in Stamp._fields], axis=1)


def _stands(snapshot: Snapshot, into: Path) -> bool:
    """Whether `into` is the snapshot, read through."""
    try:
        return read_snapshot(into / SNAPSHOT.name) == snapshot and snapshot_id(into) == snapshot.id
    except (OSError, InvalidSnapshot):
        return False


def _findings(told: Mapping[str, Any]) -> PictureFindings:
    def found(name: str) -> tuple[Lookalikes, ...]:
        return tuple(
            Lookalikes(**{**each, "pictures": tuple(each["pictures"]), "products": tuple(each["products"])})
            for each in told[name]
        )

    return PictureFindings(found("placeholders"), found("repeated"), tuple(map(tuple, told["twice"])))


@cache
def _code() -> bytes:
    """The package catalog as it is on disk, and the names and versions of all that is installed beside it."""
    told = hashlib.sha256(sys.version.encode())
    package = Path(__file__).parent.parent
    for path in sorted(package.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            told.update(f"{path.relative_to(package)}\0".encode() + path.read_bytes())
    for folder in sys.path:
        told.update("\n".join(sorted(path.name for path in Path(folder).glob("*.dist-info"))).encode())
    return told.digest()
