"""The release store: ETALAGE_HOME/releases/<release>/, champion.json and history.jsonl.

releases/<release>/manifest.json, encoder/, ranking/, reports/
champion.json      which release answers, what it came after, and which releases were rolled back
history.jsonl      every promotion and rollback, oldest first
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from catalog.errors import NotReady, ReleaseNotFound
from flows.durable import append_line_durably, write_durably
from search.release import MANIFEST, RELEASES, ReleaseManifest, read_manifest

REPORTS_FOLDER = "reports"  # in a release's folder
EVALUATION_FOLDER = "evaluation"  # inside reports/: what a later challenger is compared with

Move = Literal["promote", "force", "rollback", "abandoned"]


class ChampionRecord(BaseModel):
    """The release that answers. `earlier` are the champions before it, latest first: what rollback returns to.

    `withdrawn` were rolled back: retrain does not promote them again by itself, a named person may.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    release: str
    since: str  # ISO 8601, UTC
    by: str
    earlier: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()

    @property
    def previous(self) -> str | None:
        """The release a rollback returns to."""
        return self.earlier[0] if self.earlier else None


class HistoryEntry(BaseModel):
    """One line of history.jsonl."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    move: Move
    release: str
    instead_of: str | None
    at: str  # ISO 8601, UTC
    by: str
    reason: str = ""


class ReleaseStore:
    """Reads and writes the store under `home`. Writers hold flows.durable.one_writer(home)."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.releases = home / RELEASES
        self.champion_path = home / "champion.json"
        self.history_path = home / "history.jsonl"

    def folder(self, release: str) -> Path:
        """Where `release` lies (or would lie)."""
        return self.releases / release

    def ids(self) -> list[str]:
        """All complete releases, oldest first."""
        return [manifest.release for manifest in self.list()]

    def list(self) -> list[ReleaseManifest]:
        """All complete releases, oldest first; a folder without a manifest was never finished and is left out."""
        manifests = [read_manifest(path.parent) for path in sorted(self.releases.glob(f"*/{MANIFEST}"))]
        return sorted(manifests, key=lambda manifest: (manifest.created_at, manifest.release))

    def get(self, release: str) -> ReleaseManifest:
        """The manifest of `release`, or of the only release whose id starts so. Raises ReleaseNotFound."""
        whole = release if self.has(release) else the_one(release, self.ids())
        return read_manifest(self.folder(whole))

    def has(self, release: str) -> bool:
        """Whether `release` is complete."""
        return (self.folder(release) / MANIFEST).is_file()

    def champion(self) -> ChampionRecord | None:
        """The champion record, or None before the first promotion."""
        try:
            return ChampionRecord.model_validate_json(self.champion_path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError:
            raise NotReady(f"{self.champion_path} is damaged: restore it from history.jsonl beside it.") from None

    def champion_manifest(self) -> ReleaseManifest:
        """The champion's manifest. Raises ReleaseNotFound before the first promotion."""
        champion = self.champion()
        if champion is None:
            raise ReleaseNotFound("No release has been promoted yet: `etalage ingest sample`, then `etalage retrain`.")
        return self.get(champion.release)

    def require_previous(self) -> str:
        """The release a rollback returns to. Raises ReleaseNotFound when there is none."""
        champion = self.champion()
        if champion is None or champion.previous is None:
            raise ReleaseNotFound("There is no earlier release to roll back to.")
        return champion.previous

    def write_champion(self, record: ChampionRecord) -> None:
        """Replace the champion record. Only flows.promotion calls this: the Milvus alias moves with it."""
        write_durably(self.champion_path, record.model_dump_json(indent=2) + "\n")

    def history(self) -> tuple[HistoryEntry, ...]:
        """All moves, oldest first. A last line cut short by a kill is not one."""
        if not self.history_path.is_file():
            return ()
        lines = self.history_path.read_text(encoding="utf-8").split("\n")[:-1]
        return tuple(HistoryEntry.model_validate(json.loads(line)) for line in lines)

    def record(self, entry: HistoryEntry) -> None:
        """Add `entry`, unless it is already the last one (a promotion that is being completed)."""
        history = self.history()
        if not history or history[-1] != entry:
            append_line_durably(self.history_path, entry.model_dump_json())


def the_one(release: str, present: Sequence[str], retired: Sequence[str] = ()) -> str:
    """The id that `release` is, or that alone starts so. Raises ReleaseNotFound."""
    ids = {*present, *retired}
    fits = [release] if release in ids else sorted(known for known in ids if release and known.startswith(release))
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise ReleaseNotFound(f"'{release}' fits several releases: {', '.join(fits)}.")
    known = ", ".join((*present, *(f"{name} (retired)" for name in retired))) or "none yet"
    raise ReleaseNotFound(f"There is no release '{release}' (known: {known}).")
