"""snapshot.json: what one snapshot holds, and the id that is computed from its bytes.

The id is the first 12 hex digits of sha256 over the sorted (path, sha256 of the content) of every file in data/
but snapshot.json itself. It does not depend on DVC, on times or on where data/ lies.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from catalog.errors import InvalidSnapshot
from catalog.workspace import DATA, SNAPSHOT

ID_DIGITS = 12


@dataclass(frozen=True)
class Snapshot:
    """All products at one time, counted. products + sum(quarantined.values()) == source_rows."""

    id: str
    source: str
    source_rows: int
    products: int
    quarantined: dict[str, int]  # reason -> source rows
    media: int  # distinct media
    without_image: int  # products that have no picture
    groups: int  # product groups
    terms: int
    judgements: int
    interactions: int
    dropped: dict[str, int]  # rows of the side tables that were left out: reason -> rows


def snapshot_id(data: Path = DATA) -> str:
    """Id of the snapshot in `data`, computed from the content. Raises InvalidSnapshot when there is none."""
    files = [path for path in data.rglob("*") if path.is_file() and _counts(path.relative_to(data))]
    if not files:
        raise InvalidSnapshot(f"{data}/ holds no snapshot: ingest a catalogue first.")
    whole = hashlib.sha256()
    for name, path in sorted((path.relative_to(data).as_posix(), path) for path in files):
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        whole.update(f"{name}\0{content}\n".encode())
    return whole.hexdigest()[:ID_DIGITS]


def write_snapshot(snapshot: Snapshot, path: Path = SNAPSHOT) -> None:
    """Write the record of a snapshot as sorted JSON."""
    path.write_text(json.dumps(asdict(snapshot), indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def read_snapshot(path: Path = SNAPSHOT) -> Snapshot:
    """Read the record of a snapshot. Raises InvalidSnapshot when it is missing or not one."""
    try:
        return Snapshot(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise InvalidSnapshot(f"{path} does not exist: ingest a catalogue first.") from None
    except (json.JSONDecodeError, UnicodeDecodeError, TypeError) as error:
        raise InvalidSnapshot(f"{path} is not the record of a snapshot: {error}") from None


def _counts(name: Path) -> bool:
    return name != Path(SNAPSHOT.name) and not any(part.startswith(".") for part in name.parts)
