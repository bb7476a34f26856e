"""All releases of a home as the pages need them. One that cannot be read is told in a sentence and hides no other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from catalog.errors import EtalageError, NotReady, ReleaseNotFound
from evaluation.queries.kinds import ENGINE, KINDS
from evaluation.results import EvaluationReport
from flows.admin.refusals import unreadable
from flows.lineage.origins import Lineage, Score, lineage_of
from flows.lineage.retired import evaluation_of, retired_ids
from flows.promotion import pending
from flows.releases import REPORTS_FOLDER, ChampionRecord, HistoryEntry, ReleaseStore
from search.release import RELEASE_ID

Read = TypeVar("Read")

MOST = 6
"""Releases side by side: more do not fit a page that anybody reads."""


@dataclass(frozen=True)
class Known:
    """A release that can be read. `report` is its evaluation; None where that is gone or of something else."""

    lineage: Lineage
    folder: Path
    report: EvaluationReport | None

    @property
    def id(self) -> str:
        """The release."""
        return self.lineage.release

    @property
    def last_move(self) -> HistoryEntry | None:
        """The last time that it became the champion, or was taken away."""
        return self.lineage.moves[-1] if self.lineage.moves else None

    @property
    def pages(self) -> tuple[str, ...]:
        """Names of the report pages that are kept with it."""
        return tuple(sorted(path.name for path in (self.folder / REPORTS_FOLDER).glob("*.html")))

    def primary(self, kind: str, system: str = ENGINE) -> Score | None:
        """Its score by the metric that speaks first for this kind of query."""
        wanted = (kind, system, KINDS[kind].primary)
        return next((row for row in self.lineage.scores if (row.kind, row.system, row.metric) == wanted), None)


@dataclass(frozen=True)
class Unreadable:
    """A release that cannot be shown, and why, in one sentence."""

    id: str
    sentence: str


@dataclass(frozen=True)
class Overview:
    """Everything in a home. `known` and `retired`: newest first. `notes`: what is wrong with the home itself."""

    champion: ChampionRecord | None
    known: tuple[Known, ...]
    retired: tuple[Known, ...]
    unreadable: tuple[Unreadable, ...]
    history: tuple[HistoryEntry, ...]
    notes: tuple[str, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of queries that any release was asked."""
        return kinds_of((*self.known, *self.retired))


def overview(store: ReleaseStore) -> Overview:
    """Read the whole store; nothing in it can make this fail but the disk."""
    notes: list[str] = []
    champion = _or_note(store.champion, None, notes)
    nothing: tuple[HistoryEntry, ...] = ()
    history = _or_note(store.history, nothing, notes)
    under_way = _or_note(lambda: pending(store), None, notes)
    if under_way is not None:
        notes.append(
            f"A promotion or rollback to {under_way} was cut short, or is under way: the next retrain, promote or "
            "rollback ends it."
        )
    known, unreadable_ones = [], []
    for release in _folders(store):
        found = _known(store, release)
        known.append(found) if isinstance(found, Known) else unreadable_ones.append(found)
    retired = []
    for release in retired_ids(store.home):
        if not store.has(release):
            found = _known(store, release)
            retired.append(found) if isinstance(found, Known) else unreadable_ones.append(found)
    return Overview(champion, _newest(known), _newest(retired), tuple(unreadable_ones), history, tuple(notes))


def read_one(store: ReleaseStore, release: str) -> Known:
    """A release by its whole id, a retired one too. Raises ReleaseNotFound, TamperedRelease."""
    if not RELEASE_ID.fullmatch(release):
        raise ReleaseNotFound(f"'{release[:80]}' is not the id of a release.")
    if not store.has(release) and release not in retired_ids(store.home):
        finished = "" if not store.folder(release).is_dir() else ": its folder is there, and it was never finished"
        raise ReleaseNotFound(f"There is no release '{release}'{finished}.")
    try:
        lineage = lineage_of(store, release)
        report = evaluation_of(store.get(release), store.folder(release)) if store.has(release) else None
    except ValidationError as error:
        raise ReleaseNotFound(unreadable(f"Release {release}", error)) from None
    return Known(lineage, store.folder(release), report)


def read_several(store: ReleaseStore, releases: Sequence[str]) -> tuple[Known, ...]:
    """Each once, oldest first. Raises ReleaseNotFound for none, too many, or one that is not there."""
    wanted = list(dict.fromkeys(filter(None, releases)))
    if not wanted:
        raise ReleaseNotFound("No release was chosen: tick one or more in the list.")
    if len(wanted) > MOST:
        raise ReleaseNotFound(f"{len(wanted)} releases were chosen: at most {MOST} fit side by side.")
    return tuple(reversed(_newest([read_one(store, release) for release in wanted])))


def kinds_of(releases: Sequence[Known]) -> tuple[str, ...]:
    """The kinds of queries that any of `releases` has scores of, in the order of KINDS."""
    present = {row.kind for release in releases for row in release.lineage.scores}
    return tuple(kind for kind in KINDS if kind in present)


def moved(release: Known) -> str:
    """The last thing that was done with a release, in words."""
    entry = release.last_move
    if entry is None:
        return "never promoted"
    if entry.release != release.id:
        return "rolled back" if entry.move == "rollback" else "replaced"
    return {"promote": "promoted", "force": "forced", "rollback": "brought back", "abandoned": "not finished"}[
        entry.move
    ]


def _known(store: ReleaseStore, release: str) -> Known | Unreadable:
    try:
        return read_one(store, release)
    except EtalageError as error:
        return Unreadable(release, str(error))


def _folders(store: ReleaseStore) -> list[str]:
    """Complete and unfinished ones; a draft that a kill left behind begins with a dot and is none."""
    folders = store.releases.iterdir() if store.releases.is_dir() else ()
    return sorted(path.name for path in folders if path.is_dir() and not path.name.startswith("."))


def _newest(releases: Sequence[Known]) -> tuple[Known, ...]:
    return tuple(sorted(releases, key=lambda one: (one.lineage.created_at, one.id), reverse=True))


def _or_note(read: Callable[[], Read], otherwise: Read, notes: list[str]) -> Read:
    try:
        return read()
    except NotReady as error:
        notes.append(str(error))
    except ValueError as error:  # pydantic's is one: a line or a file of another version
        notes.append(unreadable("A record in the home", error) if isinstance(error, ValidationError) else str(error))
    return otherwise
