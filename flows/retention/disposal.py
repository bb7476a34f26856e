"""Removing releases so that a kill -9 at any point leaves something that the next `etalage gc` finishes.

    no rollback returns to it -> its manifest is kept -> and unlinked -> collection -> Bento -> folder -> lock
    -> what only its encoder has in the embedding cache

Without its manifest a folder is no release, so half of one is never taken for a whole one; the folder goes last,
because it is how the next run knows that the rest was this home's.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from catalog.syncing import sync
from flows.durable import remove_durably
from flows.lineage.retired import Retired, evaluation_of, write_retired
from flows.packaging import unpack
from flows.promotion import forget
from flows.releases import ReleaseStore
from flows.retention.belongings import Collections, gather
from flows.retention.caches import remove_cache
from flows.retention.keeping import CACHES, KEEP, MIB, SPARE, Belongings, Fate, fates
from models.embedding_cache import EmbeddingCache
from search.in_use import FOLDER as SERVING
from search.in_use import alone, is_served, path_of
from search.release import MANIFEST


def _nothing(step: str) -> None:
    """Nobody watches the steps."""


def collect(
    store: ReleaseStore,
    collections: Collections,
    keep: int = KEEP,
    spare: int = SPARE,
    *,
    by: str,
    reached: Callable[[str], None] = _nothing,
) -> tuple[Fate, ...]:
    """Remove what does not stay; what became of everything. The caller holds the lock of the home.

    `reached` is told each step (tests kill there). Raises NotReady where Milvus does not answer.
    """
    found = gather(store, collections)
    decided = fates(found, keep, spare)
    forget(store, [fate.name for fate in decided if not fate.stays])
    reached("forgotten")
    done = []
    for fate in decided:
        if fate.parts in (("cache",), ("entries",)):
            continue
        if fate.stays:
            done.append(fate)
        elif fate.parts == ("draft",):
            _remove(store.home / fate.name)
            done.append(fate)
        else:
            done.append(_dispose(store, collections, fate, by, reached))
    for path in (store.home / SERVING).glob("*"):
        if not store.folder(path.name).exists() and not is_served(store.home, path.name):
            path_of(store.home, path.name).unlink(missing_ok=True)
    return (*done, *_prune(store, found, decided, spare, reached))


def _prune(
    store: ReleaseStore, found: Belongings, decided: Sequence[Fate], spare: int, reached: Callable[[str], None]
) -> Iterator[Fate]:
    """Remove what does not stay of the embedding cache, by what is still there now that releases are gone."""
    encoders = {manifest.encoder for manifest in store.list()}
    caches = {cache.name: cache for cache in found.caches}
    for fate in decided:
        if fate.parts == ("entries",):
            cache = caches[fate.name]
            EmbeddingCache(store.home / CACHES, cache.encoder).remove(list(cache.beyond(spare * MIB)))
            reached("entries removed")
            yield fate
        elif fate.parts == ("cache",) and fate.stays:
            yield fate
        elif fate.parts == ("cache",) and caches[fate.name].encoder in encoders:  # its release stays after all
            yield Fate(fate.name, fate.parts, True, "a release that stays has its encoder", fate.size)
        elif fate.parts == ("cache",):
            remove_cache(store.home, caches[fate.name].encoder)
            reached("cache removed")
            yield fate


def _dispose(
    store: ReleaseStore, collections: Collections, fate: Fate, by: str, reached: Callable[[str], None]
) -> Fate:
    folder = store.folder(fate.name)
    with alone(store.home, fate.name) as free:
        if not free:  # since it was decided
            return Fate(fate.name, fate.parts, True, "it is being served", fate.size)
        if fate.is_release:
            write_retired(store.home, _retired(store, fate, by))
            reached("manifest kept")
            remove_durably(folder / MANIFEST)
            reached("manifest unlinked")
        collections.drop(fate.name)
        reached("collection dropped")
        unpack(fate.name, store.home)
        reached("Bento removed")
        _remove(folder)
        reached("folder removed")
    return fate


def _retired(store: ReleaseStore, fate: Fate, by: str) -> Retired:
    manifest = store.get(fate.name)
    report = evaluation_of(manifest, store.folder(fate.name))
    return Retired(
        manifest=manifest.model_copy(update={"status": "retired"}),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        by=by,
        reason=fate.why,
        measurements=() if report is None else report.measurements,
        evaluation_set=None if report is None else report.inputs.evaluation_set,
    )


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    if path.parent.is_dir():
        sync(path.parent)
