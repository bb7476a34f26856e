"""Small worlds for the tests of flows/: a release that is only a manifest, and an alias that is only a file."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.releases import ReleaseStore
from search.release import ReleaseManifest, write_manifest

START = datetime(2026, 1, 1, tzinfo=UTC)


class FileAlias:
    """Collections and the alias of a Milvus, as one JSON file: it survives kill -9 as Milvus does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            self._write({"collections": [], "alias": None})

    @property
    def pointed(self) -> str | None:
        """The release the alias points at."""
        return json.loads(self.path.read_text())["alias"]

    def add(self, release: str) -> None:
        """Create the release's collection."""
        state = json.loads(self.path.read_text())
        self._write({**state, "collections": [*state["collections"], release]})

    def drop(self, release: str) -> None:
        """Lose the release's collection."""
        state = json.loads(self.path.read_text())
        self._write({**state, "collections": [name for name in state["collections"] if name != release]})

    def has_release(self, release: str) -> bool:
        return release in json.loads(self.path.read_text())["collections"]

    def point_alias(self, release: str) -> None:
        state = json.loads(self.path.read_text())
        assert release in state["collections"], f"the alias was pointed at a collection that is not there: {release}"
        self._write({**state, "alias": release})

    def _write(self, state: dict[str, object]) -> None:
        self.path.write_text(json.dumps(state))


def a_release(store: ReleaseStore, release: str, number: int = 0, **changes: object) -> ReleaseManifest:
    """A complete release in `store`; `number` orders releases in time."""
    manifest = ReleaseManifest(
        release=release,
        created_at=START + timedelta(hours=number),
        snapshot="5" * 12,
        code_revision="c0ffee",
        params={"train": {"epochs": 1}},
        params_hash="p" * 12,
        encoder="e" * 16,
        collection=f"products_{release}",
        milvus_uri_kind="embedded",
        ranking={},
    ).model_copy(update=changes)
    write_manifest(manifest, store.folder(release))
    return manifest


def a_store(home: Path, *releases: str) -> tuple[ReleaseStore, FileAlias]:
    """A store with `releases`, oldest first, each with its collection; nothing is promoted yet."""
    store = ReleaseStore(home)
    home.mkdir(parents=True, exist_ok=True)
    alias = FileAlias(home / "alias.json")
    for number, release in enumerate(releases):
        a_release(store, release, number)
        alias.add(release)
    return store, alias
