"""What a run cost: time by stage, and money where an hour has a price."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from catalog.params import Section


class ReportParams(Section):
    """The section `report` of params.yaml. `price_per_hour` of the machine turns hours into money; None: hours only."""

    price_per_hour: float | None = Field(default=None, ge=0.0)
    currency: str = Field(default="", max_length=8)


@dataclass(frozen=True, slots=True)
class Cost:
    """One stage or step. `how`: "ran", or why it took nothing. None is not known; `before` is what a stage that did
    not run took when it last did."""

    name: str
    how: str
    seconds: float | None = None
    processor_seconds: float | None = None
    peak_mb: float | None = None
    before: float | None = None


@dataclass(frozen=True, slots=True)
class Costs:
    """Stages and steps in the order they are run in, and the `seconds` of the whole run by the clock."""

    rows: Sequence[Cost]
    seconds: float
    params: ReportParams

    def money(self, seconds: float | None) -> str:
        """What so many seconds cost, in words; "" without a price."""
        if self.params.price_per_hour is None or seconds is None:
            return ""
        return f"{self.params.price_per_hour * seconds / 3600:.2f} {self.params.currency}".strip()

    @property
    def longest(self) -> float:
        """The seconds of the longest row, for bars."""
        return max((row.seconds or 0.0 for row in self.rows), default=0.0) or 1.0

    @property
    def processor_seconds(self) -> float:
        """All that is known of."""
        return sum(row.processor_seconds or 0.0 for row in self.rows)

    @property
    def peak_mb(self) -> float | None:
        """The most that any row held."""
        return max((row.peak_mb for row in self.rows if row.peak_mb is not None), default=None)


def duration(seconds: float | None) -> str:
    """12.3 s, 5 min 32 s, 1 h 25 min; a dot where it is not known."""
    if seconds is None:
        return "·"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
