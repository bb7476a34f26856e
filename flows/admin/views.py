"""What each page shows, read from the store: the context of its template."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from catalog.errors import InvalidSnapshot, ReleaseNotFound
from evaluation.pages.worst import METRIC
from evaluation.queries.kinds import KINDS
from flows.admin import figures
from flows.admin.catalogue import Catalogue
from flows.admin.pairing import pair
from flows.admin.quality import quality as quality_of
from flows.admin.reading import Overview, overview, read_one, read_several
from flows.admin.rolling import SUGGESTED, Rollbacks
from flows.admin.side_by_side import (
    asked_alike,
    gate_rows,
    other_rows,
    score_rows,
    timing_rows,
    unlike_rows,
)
from flows.admin.slices import heat_maps, span
from flows.admin.worst import read_asked
from flows.admin.worst import worst as worst_of
from flows.monitoring.results import FOLDER, REPORT, MonitorReport
from flows.packaging import is_packaged, tag_of
from flows.releases import REPORTS_FOLDER, ReleaseStore
from search.in_use import is_served

Told = Mapping[str, Any]


def releases(store: ReleaseStore) -> Told:
    """Every release, and what is wrong with the home."""
    found = overview(store)
    return {"found": found, "serving": serving(store, found)}


def compare(store: ReleaseStore, catalogue: Catalogue, chosen: Sequence[str]) -> Told:
    """Scores, gates, what differs, timings of the chosen."""
    shown = read_several(store, chosen)
    first = shown[0]
    paired = [None, *(pair(first, other) for other in shown[1:])]
    products = [(other, *catalogue.changes(first.lineage, other.lineage)) for other in shown[1:]]
    return {
        "shown": shown,
        "scores": score_rows(shown, paired),
        "paired": all(pairs is not None for pairs in paired[1:]),
        "others": other_rows(shown),
        "alike": asked_alike(shown),
        "gates": gate_rows(shown),
        "unlike": unlike_rows(shown),
        "products": [row for row in products if row[1] is not None or row[2]],
        "timings": timing_rows(shown),
    }


def slices(store: ReleaseStore, chosen: Sequence[str]) -> Told:
    """Heat maps of the chosen."""
    shown = read_several(store, chosen)
    low, high = span(shown)
    return {
        "shown": shown,
        "low": low,
        "high": high,
        "maps": heat_maps(shown),
        "without": [release.id for release in shown if release.report is None],
        "alike": asked_alike(shown),
    }


def worst(store: ReleaseStore, catalogue: Catalogue, chosen: Sequence[str], of: str, kind: str) -> Told:
    """The worst queries of the release `of`, else of the newest that was chosen."""
    shown = read_several(store, chosen or [of])
    release = next((one for one in shown if one.id == of), shown[-1])
    told: dict[str, Any] = {"shown": shown, "release": release, "kind": kind, "metric": METRIC}
    try:
        asked = read_asked(release)
    except InvalidSnapshot as error:
        return {**told, "kinds": (), "queries": (), "untitled": False, "sentence": str(error)}
    kinds = asked.questions.kinds()
    if kind and kind not in kinds:
        known = "is not a kind of query" if kind not in KINDS else "is a kind of query that it was not asked"
        raise ReleaseNotFound(f"'{kind[:40]}' {known}.")
    queries, untitled = worst_of(asked, kind or None, lambda: catalogue.products(release.lineage), catalogue.media())
    return {**told, "kinds": kinds, "queries": queries, "untitled": untitled, "sentence": ""}


def quality(store: ReleaseStore) -> Told:
    """Courses of all releases, the moves of the champion, and what the monitor saw last."""
    found = overview(store)
    told = quality_of(found)
    monitored, note = _monitored(store.home)
    return {
        "found": found,
        "quality": told,
        "plots": figures.courses(told) if len(told.releases) > 1 else (),
        "monitored": monitored,
        "days": figures.days(monitored.days) if monitored else (),
        "note": note,
    }


def rollback(store: ReleaseStore) -> Told:
    """What a rollback would change: both sides, their scores, what serves them."""
    champion, previous = store.champion(), store.require_previous()
    assert champion is not None  # it has a previous one
    to = read_one(store, previous)
    found = overview(store)
    now = next((release for release in found.known if release.id == champion.release), None)
    shown = (now, to) if now is not None else (to,)  # a champion that cannot be read is a reason to go back
    return {
        "champion": champion,
        "to": to,
        "now": now,
        "shown": shown,
        "scores": score_rows(shown, [None, *(pair(shown[0], other) for other in shown[1:])]),
        "alike": asked_alike(shown),
        "built": is_packaged(previous, store.home),
        "tag": tag_of(previous),
        "serving": serving(store, found),
        "suggested": SUGGESTED,
        "notes": found.notes,
    }


def progress(store: ReleaseStore, rollbacks: Rollbacks) -> Told:
    """The rollback that is under way, or the last one that was begun here."""
    found = overview(store)
    return {
        "under_way": rollbacks.under_way,
        "last": rollbacks.last,
        "champion": found.champion,
        "serving": serving(store, found),
        "entry": found.history[-1] if found.history else None,
    }


def report(store: ReleaseStore, release: str, name: str) -> Path:
    """The file of a report page. Raises ReleaseNotFound for a release or a page that is not there."""
    found = read_one(store, release)
    if name not in found.pages:
        raise ReleaseNotFound(f"Release {release} keeps no such page.")
    return found.folder / REPORTS_FOLDER / name


def serving(store: ReleaseStore, found: Overview) -> tuple[str, ...]:
    """The releases that a service of this home has open now."""
    return tuple(release.id for release in found.known if is_served(store.home, release.id))


def _monitored(home: Path) -> tuple[MonitorReport | None, str]:
    try:
        return MonitorReport.model_validate_json((home / FOLDER / REPORT).read_bytes()), ""
    except FileNotFoundError:
        return None, "has not been run here."
    except ValidationError:
        return None, "left a report of another version: run it again."
