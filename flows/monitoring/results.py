"""What one run of `etalage monitor` found: ETALAGE_HOME/monitor/monitor.json."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from flows.monitoring.checks import Check

FOLDER = "monitor"
REPORT = "monitor.json"
PAGE = "monitor.html"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Share(_Frozen):
    """The share of one value in both windows."""

    value: str
    reference: float
    current: float


class Mix(_Frozen):
    """How one property is spread over its values, the most frequent first; `others` are not listed."""

    what: str
    shares: tuple[Share, ...]
    others: int = 0

    @classmethod
    def of(cls, what: str, reference: Mapping[str, int], current: Mapping[str, int], most: int = 20) -> "Mix":
        """From counts of both windows; one without any has shares of 0."""
        then, now = max(sum(reference.values()), 1), max(sum(current.values()), 1)
        rows = [
            Share(value=name, reference=reference.get(name, 0) / then, current=current.get(name, 0) / now)
            for name in reference.keys() | current.keys()
        ]
        rows.sort(key=lambda row: (-max(row.reference, row.current), row.value))
        return cls(what=what, shares=tuple(rows[:most]), others=max(len(rows) - most, 0))


class SliceCount(_Frozen):
    """Answers of one kind and language, or with one field filtered, and how many of them were in doubt."""

    slice: str
    reference_n: int
    current_n: int
    reference_zero: int
    current_zero: int
    reference_low: int
    current_low: int


class Day(_Frozen):
    """One day of the journal (UTC), over all releases."""

    day: str
    queries: int
    zero_result: float
    low_confidence: float
    p50_ms: float
    p95_ms: float


class Topic(_Frozen):
    """Queries like each other that found nothing or whose legs did not agree. `typical`: nearest to their middle."""

    typical: str
    words: tuple[str, ...]
    examples: tuple[str, ...]
    queries: int
    different: int
    zero_result: int
    low_confidence: int


class Clicked(_Frozen):
    """Views and clicks of one slice in both windows; carts and buys of the current one."""

    slice: str
    reference_views: int
    reference_clicks: int
    current_views: int
    current_clicks: int
    current_carts: int
    current_buys: int


class Rate(_Frozen):
    """Answers with a click, of how many; `low` to `high` is the 95 % interval of their share (Wilson)."""

    cases: int
    of: int
    low: float
    high: float


class ClickThrough(_Frozen):
    """Answers of one slice in which a hit was clicked; carts and buys of the current window."""

    slice: str
    reference: Rate
    current: Rate
    current_carts: int
    current_buys: int


class NewValue(_Frozen):
    """A value that no product had when the champion was made, and how many have it now."""

    field: str
    value: str
    products: int


class MonitorReport(_Frozen):
    """All of it. `notes` say what could not be looked at, and why."""

    made_at: datetime
    release: str
    snapshot: str
    current_is: str
    reference_is: str
    binding: bool
    false_alarms: float
    reference_answers: int
    current_answers: int
    current_refused: int
    current_plain: int
    checks: tuple[Check, ...]
    mixes: tuple[Mix, ...] = ()
    slices: tuple[SliceCount, ...] = ()
    days: tuple[Day, ...] = ()
    topics: tuple[Topic, ...] = ()
    topics_by: str = ""
    clicks: tuple[Clicked, ...] = ()
    click_through: tuple[ClickThrough, ...] = ()
    catalogue: tuple[Mix, ...] = ()
    new_values: tuple[NewValue, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def alarms(self) -> tuple[Check, ...]:
        """The checks that are one."""
        return tuple(check for check in self.checks if check.outcome == "alarm")

    @property
    def to_retrain(self) -> tuple[Check, ...]:
        """The alarms that a retrain may mend."""
        return tuple(check for check in self.alarms if check.retrain)

    def rows(self) -> list[dict[str, str]]:
        """Every check as a row of a table, alarms first."""
        ordered = sorted(self.checks, key=lambda check: ("alarm", "quiet", "unknown").index(check.outcome))
        return [
            {
                "outcome": check.outcome,
                "about": check.about,
                "check": check.name,
                "found": "" if check.effect is None else f"{check.measures} {check.shown(check.effect)}",
                "limit": check.shown(check.limit),
                "p": "" if check.surely is None else f"{check.surely:.2g}",
                "then": f"{check.reference_n:,}",
                "now": f"{check.current_n:,}",
                "note": check.note,
            }
            for check in ordered
        ]

    def sentence(self) -> str:
        """The whole in one line."""
        unknown = sum(check.outcome == "unknown" for check in self.checks)
        tail = f"; {unknown} of {len(self.checks)} checks had too little to go by" if unknown else ""
        if not self.alarms:
            return f"No alarm from {len(self.checks) - unknown} checks of release {self.release}{tail}."
        names = ", ".join(check.name for check in self.alarms)
        return f"{len(self.alarms)} of {len(self.checks)} checks of release {self.release} alarm: {names}{tail}."
