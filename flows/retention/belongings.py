"""What lies in a home, its Bento store and its Milvus: gathered, and nothing changed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from flows.champion_scores import FILE
from flows.lineage.retired import FOLDER as RETIRED
from flows.lineage.retired import retired_ids
from flows.moving import moved
from flows.packaging import half_built, packaged
from flows.promotion import pending
from flows.releases import ReleaseStore
from flows.retention.caches import caches_of
from flows.retention.keeping import Belongings, Part
from flows.runs.pages import RUNS
from search.in_use import FOLDER as SERVING
from search.in_use import is_served
from search.refreshes import REFRESHES
from search.release import MANIFEST
from search.settings import SearchSettings
from search.stumps import stumps

DRAFT = ".new"


class StoredCollection(Protocol):
    """The part of search.milvus.store.StoredRelease that is looked at."""

    @property
    def release(self) -> str:
        """The release that it was made for."""
        ...

    @property
    def champion(self) -> bool:
        """Whether the alias names it."""
        ...


class Collections(Protocol):
    """The part of the Milvus store that retention needs."""

    @property
    def kind(self) -> str:
        """embedded or server."""
        ...

    def releases(self) -> Iterable[StoredCollection]:
        """All collections of releases, unfinished ones too."""
        ...

    def drop(self, release: str) -> None:
        """Remove a release's collection; one that is gone already is no error."""
        ...


def gather(store: ReleaseStore, collections: Collections) -> Belongings:
    """Everything that `etalage gc` decides about. Raises NotReady where Milvus does not answer."""
    manifests = tuple(store.list())
    whole = {manifest.release for manifest in manifests}
    folders = {path.name for path in store.releases.glob("*") if path.is_dir() and not path.name.startswith(".")}
    stored = tuple(collections.releases())
    parts: dict[str, tuple[Part, ...]] = {}
    bentos = packaged(store.home)
    for release in {*whole, *folders, *bentos, *(collection.release for collection in stored)}:
        told: list[Part] = ["release" if release in whole else "folder"] if release in folders else []
        told += ["collection"] if any(collection.release == release for collection in stored) else []
        told += ["Bento"] if release in bentos else []
        parts[release] = tuple(told)
    drafts = tuple(sorted(_from(store.home, path) for path in _drafts(store)))
    sizes = {release: _size(store.folder(release)) + _size(bentos.get(release)) for release in parts}
    held = {path.name for path in (store.home / SERVING).glob("*")}
    return Belongings(
        manifests=manifests,
        champion=store.champion(),
        history=store.history(),
        parts=parts,
        sizes={**sizes, **{draft: _size(store.home / draft) for draft in drafts}},
        served=frozenset(release for release in held & set(parts) if is_served(store.home, release)),
        elsewhere={
            manifest.release: manifest.milvus_server or "the embedded one" for manifest in manifests if moved(manifest)
        },
        known=frozenset({*folders, *bentos, *retired_ids(store.home)}),
        pointed=next((collection.release for collection in stored if collection.champion), None),
        pending=pending(store),
        shared=collections.kind == "server",
        drafts=drafts,
        caches=caches_of(store, manifests),
    )


def _drafts(store: ReleaseStore) -> Iterable[Path]:
    """What was written beside its name and never took it. Keys are changed under another lock: theirs is left."""
    yield from (store.home / f"{name}{DRAFT}" for name in _RECORDS if (store.home / f"{name}{DRAFT}").exists())
    yield from (store.home / RETIRED).glob(f"*{DRAFT}")
    yield from (store.home / RUNS).glob(f"*{DRAFT}")
    yield from half_built(store.home)
    yield from stumps(SearchSettings(home=store.home).uri)
    yield from store.releases.glob(f".*{DRAFT}")
    for manifest in store.releases.glob(f"[!.]*/{MANIFEST}"):
        yield from manifest.parent.glob(f"*{DRAFT}")
        yield from (manifest.parent / "reports").glob(f"*{DRAFT}")
        yield from (manifest.parent / REFRESHES).glob(f".*{DRAFT}")


_RECORDS = ("champion.json", "promotion.json", FILE)


def _from(home: Path, path: Path) -> str:
    """Its name from the home, or its whole one where it lies elsewhere."""
    return (path.relative_to(home) if path.is_relative_to(home) else path).as_posix()


def _size(path: Path | None) -> int:
    """Bytes of a file, or of all files in a folder."""
    if path is None or not path.exists():
        return 0
    if path.is_file():
        return path.stat().st_size
    return sum(inside.lstat().st_size for inside in path.rglob("*") if inside.is_file() and not inside.is_symlink())
