"""Packing media into parquet shards, image-00000.parquet and so on, whose ends the content decides.

A shard ends after a picture whose id says so, and not when it is full: a picture that comes, goes or changes then
changes the shard that it lies in, and the ones after it keep their bytes, which DVC has already (content-defined
chunking: Muthitacharoen, Chen and Mazieres, A Low-bandwidth Network File System, SOSP 2001).
"""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.media import ImageHeader, read_header
from catalog.workspace import MEDIA

LEAST_BYTES = 1_000_000
USUAL_BYTES = 4_000_000
MOST_BYTES = 12_000_000
ROWS_PER_GROUP = 32  # a read of one picture reads one row group

_SCHEMA = pa.schema(
    [
        ("media_id", pa.string()),
        ("modality", pa.string()),
        ("format", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("bytes", pa.binary()),
    ]
)


class _Row(NamedTuple):
    media_id: str
    modality: str
    format: str
    width: int
    height: int
    bytes: bytes


def write_shards(
    media: Iterable[tuple[str, bytes]],
    folder: Path = MEDIA,
    header_of: Callable[[str, bytes], ImageHeader] = lambda _, data: read_header(data),
) -> int:
    """Write (media_id, bytes) into shards in `folder`, in their order; a repeated id is written once.

    Returns the number of distinct media. Raises as catalog.media.read_header does, where the caller does not know the
    header: decode first, then pack.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seen: set[str] = set()
    shard, size = 0, 0
    rows: list[_Row] = []
    for identity, data in media:
        if identity in seen:
            continue
        seen.add(identity)
        if rows and size + len(data) > MOST_BYTES:
            shard, size, rows = _write(rows, folder, shard), 0, []
        header = header_of(identity, data)
        rows.append(_Row(identity, "image", header.format, header.width, header.height, data))
        size += len(data)
        if size >= LEAST_BYTES and _ends(identity, len(data)):
            shard, size, rows = _write(rows, folder, shard), 0, []
    if rows:
        _write(rows, folder, shard)
    return len(seen)


def _ends(identity: str, size: int) -> bool:
    """Whether a shard ends after this picture: by chance as its share of a usual shard, and always the same chance."""
    drawn = int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=8).digest()) / 2**64
    return drawn < size / (USUAL_BYTES - LEAST_BYTES)


def _write(rows: list[_Row], folder: Path, shard: int) -> int:
    """Write one shard. Returns the number of the next."""
    columns = [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), _SCHEMA, strict=True)]
    table = pa.Table.from_arrays(columns, schema=_SCHEMA)
    pq.write_table(table, folder / f"image-{shard:05d}.parquet", row_group_size=ROWS_PER_GROUP, compression="none")
    return shard + 1
