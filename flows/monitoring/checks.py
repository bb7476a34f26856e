"""One check: what moved how far, against which limit; and which of them are alarms."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from evaluation.audits.shifts import Shift
from evaluation.significance import holm

About = Literal["queries", "answers", "clicks", "catalogue"]
Unit = Literal["share", "times", "distance", "area"]
Outcome = Literal["alarm", "quiet", "unknown"]


class Check(BaseModel):
    """`p`: that of the test; `surely`: after Holm's correction over the run; None for whole catalogues, which are no
    samples. `note`: why nothing is known, or what to know of it.
    """

    model_config = ConfigDict(frozen=True)

    about: About
    name: str
    measures: str
    unit: Unit
    limit: float
    reference_n: int = 0
    current_n: int = 0
    effect: float | None = None
    p: float | None = None
    surely: float | None = None
    outcome: Outcome = "quiet"
    note: str = ""
    retrain: bool = True
    """Whether a retrain may mend it: a slow service it does not."""

    def tested(self, shift: Shift, reference_n: int, current_n: int) -> "Check":
        """This check with what two samples of these sizes gave."""
        return self.model_copy(
            update={"effect": shift.effect, "p": shift.p, "reference_n": reference_n, "current_n": current_n}
        )

    def counted(self, effect: float, reference_n: int, current_n: int) -> "Check":
        """This check with what was counted in full."""
        return self.model_copy(update={"effect": effect, "reference_n": reference_n, "current_n": current_n})

    def unknown(self, note: str, reference_n: int = 0, current_n: int = 0) -> "Check":
        """This check where there was nothing to compare, and why."""
        update = {"outcome": "unknown", "note": note, "reference_n": reference_n, "current_n": current_n}
        return self.model_copy(update=update)

    def shown(self, value: float) -> str:
        """A value or a limit in the unit of this check."""
        if self.unit == "share":
            return f"{100 * value:.1f} %"
        return f"{value:.2f}x" if self.unit == "times" else f"{value:.3f}"

    def sentence(self) -> str:
        """What it found, in one line."""
        if self.effect is None:
            return f"{self.name}: {self.note}"
        return f"{self.name}: {self.measures} {self.shown(self.effect)}, limit {self.shown(self.limit)}"


def decide(checks: Sequence[Check], false_alarms: float) -> tuple[Check, ...]:
    """Alarms: the effect reaches its limit and, where it was tested, chance is ruled out at the level `false_alarms`.

    Holm's correction bounds the probability of any false alarm among all tests of the run, however they depend on each
    other; asking for an effect as well only lowers it.
    """
    tested = [check for check in checks if check.p is not None]
    surely = dict(zip(map(id, tested), holm([check.p or 0.0 for check in tested]), strict=True)) if tested else {}
    return tuple(_decided(check, surely.get(id(check)), false_alarms) for check in checks)


def _decided(check: Check, surely: float | None, false_alarms: float) -> Check:
    if check.effect is None:
        return check
    far = check.effect >= check.limit
    sure = surely is None or surely <= false_alarms
    return check.model_copy(update={"surely": surely, "outcome": "alarm" if far and sure else "quiet"})


def too_few(check: Check, reference_n: int, current_n: int, minimum: int, what: str) -> Check:
    """`check`, unknown for want of traffic."""
    note = f"too few {what} to tell: {reference_n:,} then and {current_n:,} now, {minimum:,} of each are needed"
    return check.unknown(note, reference_n, current_n)
