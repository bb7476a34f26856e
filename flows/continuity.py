"""Today's snapshot held against the champion's, whose tables DVC's cache has: before hours are spent on training.

A task of the flow and no part of the stage `validate`: the champion is outside of the workspace.
"""

from dataclasses import dataclass

from catalog.errors import EtalageError, GateRefused, InvalidSnapshot
from catalog.tables import read_judgements, read_products, read_snapshot, read_terms
from catalog.workspace import JUDGEMENTS, PRODUCTS, SNAPSHOT, TERMS
from evaluation.gates.continuity import Continuity, Tables, continuity
from evaluation.gates.decide import asked_of_continuity
from evaluation.gates.rules import ContinuityRules
from flows import dvc
from flows.errors import SnapshotUnknown
from flows.lineage.snapshots import cached_table, looks_now, looks_of
from flows.releases import ReleaseStore
from search.refreshes import last_done


@dataclass(frozen=True)
class Served:
    """What a champion answers from: the snapshot of its last refresh, or the one it was made of."""

    release: str
    snapshot: str
    data_md5: str | None


def served_by(store: ReleaseStore) -> Served | None:
    """What the champion serves; None without one."""
    champion = store.champion()
    if champion is None:
        return None
    served = last_done(store.folder(champion.release)) or store.champion_manifest()
    return Served(champion.release, served.snapshot, served.data_md5)


def against_champion(store: ReleaseStore, snapshot: str, rules: ContinuityRules) -> Continuity | None:
    """What changed since the snapshot that the champion serves, by its last refresh if it had one; None without a
    champion, or where it serves this very snapshot.
    """
    served = served_by(store)
    if served is None or served.snapshot == snapshot:
        return None
    try:
        return continuity(tables_then(served), tables_now(), rules.minimum)
    except SnapshotUnknown as error:
        return Continuity(unknown=str(error))


def tables_then(served: Served) -> Tables:
    """The snapshot that is served, out of DVC's cache. Raises SnapshotUnknown."""
    try:
        cache = dvc.cache_folder()
        return Tables(
            read_products(cached_table(served.data_md5, PRODUCTS, cache)),
            read_terms(cached_table(served.data_md5, TERMS, cache)),
            read_judgements(cached_table(served.data_md5, JUDGEMENTS, cache)),
            read_snapshot(cached_table(served.data_md5, SNAPSHOT, cache)).source,
            looks_of(served.data_md5, cache),
        )
    except EtalageError as error:
        raise SnapshotUnknown(f"Today's snapshot was not held against the champion's: {error}") from None


def tables_now() -> Tables:
    """Those in data/."""
    return Tables(read_products(), read_terms(), read_judgements(), read_snapshot().source, looks_now())


def warnings(found: Continuity | None, rules: ContinuityRules) -> list[str]:
    """What is told and stops nothing."""
    return [reason.sentence for reason in asked_of_continuity(found, rules) if reason.outcome == "warned"]


def losses(found: Continuity | None, rules: ContinuityRules) -> str:
    """The sentences of what was lost, one after the other; "" where nothing was."""
    refusals = [reason for reason in asked_of_continuity(found, rules) if reason.outcome == "failed"]
    return " ".join(reason.sentence for reason in refusals)


def with_losses(unfit: InvalidSnapshot, store: ReleaseStore, snapshot: str, rules: ContinuityRules) -> InvalidSnapshot:
    """`unfit`, and what the snapshot has lost since the champion's.

    Of an export that broke off, validation may see no more than judgements whose products are missing. Tables that
    cannot be read are not asked: `unfit` tells of them.
    """
    try:
        lost = losses(against_champion(store, snapshot, rules), rules)
    except EtalageError:
        return unfit
    return InvalidSnapshot(f"{unfit} It has also lost something that the champion's had. {lost}") if lost else unfit


def demand(found: Continuity | None, rules: ContinuityRules) -> None:
    """Raises GateRefused with the sentences of what was lost, and the ways on."""
    if told := losses(found, rules):
        raise GateRefused(
            f"The snapshot has lost something that the champion's had. {told} Ingest it whole; where it is meant, "
            "change gates.continuity in params.yaml, or `etalage retrain --force --reason ...`."
        )
