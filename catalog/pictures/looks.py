"""data/looks.parquet: what every picture of a snapshot looks like, in 81 bytes each, so that snapshots can be compared
without their pictures.
"""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import InvalidSnapshot
from catalog.pictures.perceptual_hash import Look
from catalog.workspace import LOOKS

_SCHEMA = pa.schema([("media_id", pa.string()), ("hash", pa.binary()), ("colours", pa.binary()), ("flat", pa.bool_())])


def write_looks(looks: Mapping[str, Look], path: Path = LOOKS) -> None:
    """Write the looks (by media id) in the order of the ids. Same pictures, same bytes."""
    rows = [{"media_id": identity, **looks[identity]._asdict()} for identity in sorted(looks)]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), path, compression="zstd")


def read_looks(path: Path = LOOKS) -> dict[str, Look]:
    """Look by media id. Raises InvalidSnapshot for a table that is missing or none of looks."""
    try:
        rows = pq.ParquetFile(path).read(use_threads=False).to_pylist()
        return {row["media_id"]: Look(row["hash"], row["colours"], row["flat"]) for row in rows}
    except FileNotFoundError:
        raise InvalidSnapshot(f"{path} does not exist: ingest the catalogue again.") from None
    except (pa.ArrowException, OSError, KeyError) as error:
        raise InvalidSnapshot(f"{path} is not a table of looks: {error}") from None
