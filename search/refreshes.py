"""What a refresh leaves beside a release: the release's own files stay sealed and as they are.

releases/<release>/refreshes/<number>/
    refresh.json     the record: which snapshot, what changed, sha256 of every other file here
    ledger.parquet   what the collection holds, by digests (a flow's): of the last refresh, and of number 0
    tokens/          late interaction's tokens of products that differ from the release as it was made

The collection says which refresh its rows are of (search.collection.Freshness); search.refreshed takes its tokens.
"""

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from catalog.errors import NotReady
from search.contents import sha256_of

REFRESHES = "refreshes"
RECORD = "refresh.json"
TOKENS = "tokens"


class Changes(BaseModel):
    """How many products differ between two states. `content`: their words or pictures; `scalars`: anything else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    new: int = 0
    content: int = 0
    scalars: int = 0
    gone: int = 0
    unchanged: int = 0


class RefreshRecord(BaseModel):
    """One refresh of a release. `begun`: it was cut short, or is under way."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    release: str
    status: Literal["begun", "done"]
    at: datetime
    snapshot: str
    """Id of the snapshot that the collection then holds."""
    data_md5: str | None
    """What data.dvc named: `dvc` brings back this very catalogue."""
    before: str
    """Id of the snapshot that it held before."""
    encoder: str
    collection: str
    milvus_server: str = ""
    products: int
    changes: Changes
    encoded: int
    """Products that went through the encoder; the others' vectors were known."""
    seconds: float = 0.0
    files: dict[str, str]
    """Path in the folder -> sha256, of everything but this record."""


def refresh_folder(release: Path, number: int) -> Path:
    """Where refresh `number` of the release in the folder `release` lies (or would lie)."""
    return release / REFRESHES / str(number)


def read_record(folder: Path) -> RefreshRecord | None:
    """The record in `folder`, None where there is none. Raises NotReady for one that is damaged."""
    try:
        return RefreshRecord.model_validate_json((folder / RECORD).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise NotReady(f"{folder / RECORD} is damaged: remove {folder}, and run `etalage refresh` again.") from None


def records(release: Path) -> tuple[RefreshRecord, ...]:
    """All refreshes of the release in the folder `release`, oldest first."""
    numbers = sorted(int(path.name) for path in (release / REFRESHES).glob("*") if path.name.isdecimal())
    found = (read_record(refresh_folder(release, number)) for number in numbers)
    return tuple(record for record in found if record is not None)


def last_done(release: Path) -> RefreshRecord | None:
    """The latest refresh that was brought to its end; None for a release as it was made."""
    return next((record for record in reversed(records(release)) if record.status == "done"), None)


def contents(folder: Path) -> dict[str, str]:
    """Path below `folder` -> sha256, of everything but the record."""
    paths = sorted(path for path in folder.rglob("*") if not path.is_dir())
    names = [path.relative_to(folder).as_posix() for path in paths]
    return {name: sha256_of(folder / name) for name in names if name != RECORD}
