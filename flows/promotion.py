"""Moving the champion: the Milvus alias and champion.json together, safe against kill -9 at any point.

    write intent -> move alias -> write champion.json -> add to history -> remove intent

A run that finds an intent finishes it when its release still stands (folder and collection), else undoes it: the alias
goes back to where champion.json points. Both ways end in a state where alias, record and history agree.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from catalog.errors import ReleaseNotFound
from flows.durable import remove_durably, write_durably
from flows.releases import ChampionRecord, HistoryEntry, Move, ReleaseStore

INTENT = "promotion.json"


class AliasStore(Protocol):
    """The part of the Milvus store a promotion needs."""

    def has_release(self, release: str) -> bool:
        """Whether the release's collection is there."""
        ...

    def point_alias(self, release: str) -> None:
        """Point the alias at the release's collection; pointing it where it points is no error."""
        ...


class Intent(BaseModel):
    """What the promotion under way will have written when it is done."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    champion: ChampionRecord
    entry: HistoryEntry


def _nothing(step: str) -> None:
    """Nobody watches the steps."""


def promote(
    store: ReleaseStore,
    alias: AliasStore,
    release: str,
    *,
    by: str,
    reason: str = "",
    forced: bool = False,
    reached: Callable[[str], None] = _nothing,
) -> ChampionRecord:
    """Make `release` the champion. Does nothing when it already is. `reached` is told each step (tests kill there).

    Raises ReleaseNotFound when the release or its collection is missing.
    """
    recover(store, alias)
    champion = store.champion()
    if champion is not None and champion.release == release:
        alias.point_alias(release)
        return champion
    earlier = () if champion is None else (champion.release, *(r for r in champion.earlier if r != champion.release))
    record = ChampionRecord(
        release=release,
        since=_now(),
        by=by,
        earlier=tuple(r for r in earlier if r != release),
        withdrawn=() if champion is None else tuple(r for r in champion.withdrawn if r != release),
    )
    move: Move = "force" if forced else "promote"
    return _begin(store, alias, record, move, champion, reason, reached)


def roll_back(
    store: ReleaseStore,
    alias: AliasStore,
    *,
    by: str,
    reason: str = "",
    reached: Callable[[str], None] = _nothing,
) -> ChampionRecord:
    """Return to the champion before this one, and mark this one as withdrawn. Raises ReleaseNotFound without one."""
    recover(store, alias)
    previous, champion = store.require_previous(), store.champion()
    assert champion is not None  # it has a previous one
    record = ChampionRecord(
        release=previous,
        since=_now(),
        by=by,
        earlier=champion.earlier[1:],
        withdrawn=(champion.release, *champion.withdrawn),
    )
    return _begin(store, alias, record, "rollback", champion, reason, reached)


def recover(store: ReleaseStore, alias: AliasStore) -> str | None:
    """Finish or undo a promotion that was cut short. Returns a sentence about it, or None when there was none."""
    path = store.home / INTENT
    try:
        intent = Intent.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    release = intent.champion.release
    if _stands(store, alias, release):
        _carry_out(store, alias, intent, _nothing)
        return f"Finished the {intent.entry.move} of {release} that was cut short."
    champion = store.champion()
    if champion is not None and _stands(store, alias, champion.release):
        alias.point_alias(champion.release)
    store.record(intent.entry.model_copy(update={"move": "abandoned"}))
    remove_durably(path)
    return f"Undid the {intent.entry.move} of {release} that was cut short: its folder or collection is gone."


def pending(store: ReleaseStore) -> str | None:
    """The release of a promotion that was cut short and is not recovered yet."""
    path = store.home / INTENT
    return Intent.model_validate_json(path.read_bytes()).champion.release if path.is_file() else None


def forget(store: ReleaseStore, gone: Iterable[str]) -> None:
    """Let no rollback return to the releases `gone`, which are removed next. What was withdrawn stays withdrawn."""
    champion, removed = store.champion(), frozenset(gone)
    if champion is not None:
        earlier = tuple(release for release in champion.earlier if release not in removed and store.has(release))
        if earlier != champion.earlier:
            store.write_champion(champion.model_copy(update={"earlier": earlier}))


def _begin(
    store: ReleaseStore,
    alias: AliasStore,
    record: ChampionRecord,
    move: Move,
    champion: ChampionRecord | None,
    reason: str,
    reached: Callable[[str], None],
) -> ChampionRecord:
    if not store.has(record.release):
        raise ReleaseNotFound(f"There is no release '{record.release}'.")
    if not alias.has_release(record.release):
        raise ReleaseNotFound(f"The collection of release {record.release} is not in Milvus: run `etalage retrain`.")
    entry = HistoryEntry(
        move=move,
        release=record.release,
        instead_of=champion.release if champion else None,
        at=record.since,
        by=record.by,
        reason=reason,
    )
    intent = Intent(champion=record, entry=entry)
    write_durably(store.home / INTENT, intent.model_dump_json(indent=2) + "\n")
    reached("intent written")
    return _carry_out(store, alias, intent, reached)


def _carry_out(
    store: ReleaseStore, alias: AliasStore, intent: Intent, reached: Callable[[str], None]
) -> ChampionRecord:
    """Every step may be done twice."""
    alias.point_alias(intent.champion.release)
    reached("alias moved")
    store.write_champion(intent.champion)
    reached("champion written")
    store.record(intent.entry)
    reached("history written")
    remove_durably(store.home / INTENT)
    reached("intent removed")
    return intent.champion


def _stands(store: ReleaseStore, alias: AliasStore, release: str) -> bool:
    return store.has(release) and alias.has_release(release)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
