"""What the page of a run tells, part by part. A part that the run did not come to says why it is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from evaluation.gates.reasons import Reason
from evaluation.pages.shown import Shown
from evaluation.pages.worst import ShownQuery
from evaluation.run_page.catalogue_map import CatalogueMap
from evaluation.run_page.costs import Costs
from evaluation.run_page.heat import HeatMap
from evaluation.run_page.scores import Scores

Tone = Literal["good", "bad", "plain"]


@dataclass(frozen=True, slots=True)
class Missing:
    """A part that is not there, and why, as a sentence."""

    why: str


@dataclass(frozen=True, slots=True)
class Ending:
    """What the run came to: `word` ("promoted", "refused", ...) and the sentence that the flow or the gates gave."""

    word: str
    sentence: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Tile:
    """A number to read first."""

    number: str
    what: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One thing that the gates hold against the champion's snapshot; numbers as they are shown."""

    what: str
    name: str
    then: str
    now: str
    change: str
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class ShareRow:
    """How many of the products have a value, then and now, as shares from 0 to 1."""

    value: str
    then: float
    now: float


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting of params.yaml that is not what the champion was made with."""

    name: str
    then: str
    now: str


@dataclass(frozen=True, slots=True)
class Changes:
    """Today's snapshot and settings against the champion's. Products are counted by id.

    `note` says why the snapshots are not compared, where they are not; then only `settings` may be told.
    """

    champion: str
    note: str = ""
    then: int = 0
    now: int = 0
    new: int = 0
    gone: int = 0
    changed: int = 0
    rows: Sequence[ChangeRow] = ()
    more: int = 0
    """Rows left out that moved less."""
    steady: int = 0
    """Rows left out in which nothing moved."""
    categories: Sequence[ShareRow] = ()
    values: Sequence[tuple[str, str, int]] = ()
    """(field, value, products) that no product had then."""
    newest: Sequence[Shown] = ()
    settings: Sequence[SettingRow] = ()

    @property
    def reach(self) -> float:
        """The largest share of a category, then or now: the whole width of the bars."""
        return max((max(row.then, row.now) for row in self.categories), default=1.0)


@dataclass(frozen=True, slots=True)
class Gates:
    """The gate table: refusals first."""

    passed: bool
    sentence: str
    reasons: Sequence[Reason]

    def of(self, *outcomes: str) -> list[Reason]:
        """The rules with these outcomes."""
        return [reason for reason in self.reasons if reason.outcome in outcomes]


@dataclass(frozen=True, slots=True)
class Queries:
    """Queries with pictures: those answered best, and worst."""

    best: Sequence[ShownQuery]
    worst: Sequence[ShownQuery]


@dataclass(frozen=True, slots=True)
class RunPage:
    """All of it, in reading order."""

    run: str
    began: str
    ending: Ending
    about: Mapping[str, str]
    changes: Changes | Missing
    scores: Scores | Missing
    gates: Gates | Missing
    slices: HeatMap | Missing
    curves: Sequence[Markup] | Missing
    catalogue: CatalogueMap | Missing
    queries: Queries | Missing
    costs: Costs
    headlines: Sequence[Tile] = ()
