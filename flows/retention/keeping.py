"""Which releases stay: the champion, the one that rollback returns to, the KEEP latest beside them, all that is served.
With a release stays what its encoder has in the embedding cache.

A pure decision about what was found (flows.retention.belongings); flows.retention.disposal removes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from flows.releases import ChampionRecord, HistoryEntry
from search.release import ReleaseManifest

CACHES = "embeddings"  # in the home
MIB = 2**20
KEEP = 3
"""Releases beside champion and previous one, unless `--keep` says otherwise: the one place of the default."""

SPARE = 512
"""MiB of the embedding cache that entries of products that are gone may have, for each encoder."""

Part = Literal["release", "folder", "collection", "Bento", "draft", "cache", "entries"]


@dataclass(frozen=True)
class Cache:
    """What the encoder `encoder` has in the embedding cache, by which `etalage refresh` encodes nothing twice.

    `spare`: (key, bytes) of entries that no product asks for any more, oldest first.
    """

    encoder: str
    size: int
    spare: tuple[tuple[str, int], ...] = ()

    @property
    def name(self) -> str:
        """Its path from the home."""
        return f"{CACHES}/{self.encoder}"

    def beyond(self, most: int) -> dict[str, int]:
        """Key -> bytes of those spare entries that must go for the others to have `most` bytes at most."""
        left, gone = sum(size for _, size in self.spare), {}
        for key, size in self.spare:
            if left <= most:
                break
            gone[key] = size
            left -= size
        return gone


@dataclass(frozen=True)
class Belongings:
    """What lies in a home, its Bento store and its Milvus.

    `parts`: release id -> what there is of it, also of ids that are no release. `elsewhere`: releases whose collection
    is in another Milvus than the environment names. `known`: ids that this home made or retired, whole or not.
    """

    manifests: tuple[ReleaseManifest, ...]
    champion: ChampionRecord | None
    history: tuple[HistoryEntry, ...]
    parts: Mapping[str, tuple[Part, ...]]
    sizes: Mapping[str, int]
    served: frozenset[str]
    elsewhere: Mapping[str, str]
    known: frozenset[str]
    pointed: str | None
    """The release that the alias in Milvus names."""
    pending: str | None
    """The release of a promotion that was cut short."""
    shared: bool
    """Whether the Milvus may hold collections of other homes: a server."""
    drafts: tuple[str, ...]
    """Files and folders that a killed run left behind, from the home."""
    caches: tuple[Cache, ...] = ()


@dataclass(frozen=True)
class Fate:
    """What becomes of one release, or of what is left of one. `name`: its id, or the path of a draft or a cache."""

    name: str
    parts: tuple[Part, ...]
    stays: bool
    why: str
    size: int = 0

    @property
    def is_release(self) -> bool:
        """Whether it is a whole one."""
        return "release" in self.parts


def fates(found: Belongings, keep: int, spare: int = SPARE) -> tuple[Fate, ...]:
    """One fate for every id, draft and cache: releases oldest first, then what is left of others, drafts, caches.

    A cache that stays may have a second one, of its entries. `spare` MiB of them may stay unasked for.
    """
    whole = sorted(found.manifests, key=lambda manifest: (manifest.created_at, manifest.release))
    reasons = _kept(found, keep)
    listed = [manifest.release for manifest in whole]
    listed += sorted(set(found.parts) - set(listed))
    told = []
    for release in listed:
        stays = reasons.get(release)
        parts = found.parts.get(release, ())
        why = stays or _unwanted(release, parts, keep)
        told.append(Fate(release, parts, stays is not None, why, found.sizes.get(release, 0)))
    drafts = (Fate(path, ("draft",), False, "a killed run left it", found.sizes.get(path, 0)) for path in found.drafts)
    encoders = {manifest.encoder for manifest in found.manifests if manifest.release in reasons}
    return (*told, *drafts, *(fate for cache in found.caches for fate in _of_cache(cache, encoders, spare)))


def _of_cache(cache: Cache, encoders: set[str], spare: int) -> Iterator[Fate]:
    if cache.encoder not in encoders:
        yield Fate(cache.name, ("cache",), False, "no release that stays has its encoder", cache.size)
        return
    beyond = cache.beyond(spare * MIB)
    size = sum(beyond.values())
    yield Fate(cache.name, ("cache",), True, "a release that stays has its encoder", max(0, cache.size - size))
    if beyond:
        why = f"the oldest {len(beyond):,} of products that are gone: more than {spare} MiB are"
        yield Fate(cache.name, ("entries",), False, why, size)


def _kept(found: Belongings, keep: int) -> dict[str, str]:
    """Why each release stays that does."""
    reasons: dict[str, str] = {}
    whole = {manifest.release for manifest in found.manifests}
    champion = found.champion
    if champion is not None:
        reasons[champion.release] = "champion"
        before = next((release for release in champion.earlier if release in whole), None)
        if before is not None:
            reasons[before] = "rollback returns to it"
    latest = sorted(found.manifests, key=lambda manifest: _worth(manifest, found.history), reverse=True)
    for manifest in [manifest for manifest in latest if manifest.release not in reasons][:keep]:
        reasons[manifest.release] = f"one of the {keep} latest beside them" if keep > 1 else "the latest beside them"
    for release in {*whole, *found.parts} - set(reasons):
        why = _protected(release, found, release in whole)
        if why:
            reasons[release] = why
    return reasons


def _protected(release: str, found: Belongings, whole: bool) -> str:
    """Why something stays that is not among the latest; "" where nothing keeps it."""
    if release in found.served:
        return "it is being served"
    if release == found.pointed:
        return "the alias in Milvus names it"
    if release == found.pending:
        return "its promotion was cut short"
    if whole and release in found.elsewhere:
        return f"its collection is in another Milvus, {found.elsewhere[release]}"
    if not whole and found.shared and release not in found.known:
        return "not of this home"
    return ""


def _unwanted(release: str, parts: tuple[Part, ...], keep: int) -> str:
    if "release" in parts:
        return f"not among the {keep} latest" if keep else "not the champion nor the one before it"
    if "folder" in parts:
        return "it was never finished, or only half removed"
    return "no release has it"


def _worth(manifest: ReleaseManifest, history: tuple[HistoryEntry, ...]) -> tuple[bool, str]:
    """What may answer without being forced goes first, then what was made or answered last."""
    moves = [entry.at for entry in history if manifest.release in (entry.release, entry.instead_of)]
    fit = manifest.forced is not None or bool(moves) or bool((manifest.gate or {}).get("decision", {}).get("passed"))
    return fit, max([manifest.created_at.isoformat(), *moves])
