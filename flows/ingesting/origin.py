"""Where the snapshot in data/ was read from on this machine: a snapshot itself names no place."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from catalog.errors import InvalidSource
from catalog.snapshot import read_snapshot
from flows.durable import write_durably

ORIGIN = "ingested.json"
"""File in ETALAGE_HOME."""


@dataclass(frozen=True)
class Ingested:
    """What the last ingest was told, and the id of the snapshot that it gave."""

    snapshot: str
    source: str
    mapping: str | None = None
    kind: str | None = None
    media: str | None = None
    query: str | None = None


def remember(home: Path, ingested: Ingested) -> None:
    """Keep it in `home`, files and folders by their whole path."""
    said = {
        name: str(Path(value).absolute()) if name in ("source", "mapping", "media") and Path(value).exists() else value
        for name, value in asdict(ingested).items()
        if value is not None
    }
    write_durably(home / ORIGIN, json.dumps(said, indent=2, ensure_ascii=False) + "\n")


def origin(home: Path) -> Ingested:
    """Where the present snapshot is from. Raises InvalidSource where that is not known, InvalidSnapshot without one."""
    present = read_snapshot().id
    path = home / ORIGIN
    found = Ingested(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
    if found is None or found.snapshot != present:
        raise InvalidSource(
            f"Where snapshot {present} was read from is not known here: name its source, as "
            "`etalage ingest SOURCE --quarantine FILE`."
        )
    return found
