"""Quality over time: the primary metric of every kind of query, release by release, and who answered when."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from evaluation.queries.kinds import KINDS
from flows.admin.reading import Known, Overview, kinds_of
from flows.lineage.origins import Score

MOST = 40
"""Releases in one plot, the newest."""


@dataclass(frozen=True)
class Point:
    """One release on one kind of query. `place`: its number in the row of all; `answered`: it was the champion once.

    `withdrawn`: it was rolled back.
    """

    place: int
    release: str
    score: Score
    asked: str | None
    answered: bool
    withdrawn: bool


@dataclass(frozen=True)
class Course:
    """One kind of query, oldest release first. `runs`: points that were asked the same questions in a row."""

    kind: str
    metric: str
    points: tuple[Point, ...]

    @property
    def runs(self) -> tuple[tuple[Point, ...], ...]:
        """Only these may be joined by a line."""
        cuts = [number for number, (one, next) in enumerate(pairwise(self.points), start=1) if one.asked != next.asked]
        return tuple(self.points[a:b] for a, b in pairwise((0, *cuts, len(self.points))))


@dataclass(frozen=True)
class Quality:
    """All courses over the same row of releases; `champion` is the place of the one that answers now."""

    releases: tuple[str, ...]
    courses: tuple[Course, ...]
    champion: int | None


def quality(found: Overview) -> Quality:
    """From all releases, retired ones too, in the order they were made."""
    ordered = sorted((*found.known, *found.retired), key=lambda one: (one.lineage.created_at, one.id))[-MOST:]
    answered = {entry.release for entry in found.history if entry.move != "abandoned"}
    withdrawn = set(found.champion.withdrawn) if found.champion else set()
    names = tuple(one.id for one in ordered)
    champion = found.champion.release if found.champion else None
    courses = tuple(
        Course(kind, KINDS[kind].primary, _points(ordered, kind, answered, withdrawn)) for kind in kinds_of(ordered)
    )
    return Quality(names, courses, names.index(champion) if champion in names else None)


def _points(ordered: Sequence[Known], kind: str, answered: set[str], withdrawn: set[str]) -> tuple[Point, ...]:
    scored = ((place, one, one.primary(kind)) for place, one in enumerate(ordered))
    return tuple(
        Point(place, one.id, score, one.lineage.evaluation_set, one.id in answered, one.id in withdrawn)
        for place, one, score in scored
        if score is not None
    )
