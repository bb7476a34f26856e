"""What the gates look at: every number with its n, gathered from reports and checks, as one frozen document."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from evaluation.compare import Comparison
from evaluation.results import EvaluationReport, Margin, Measured


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Fidelity(_Frozen):
    """overlap@10 of a collection with exact search; `filtered` by the selectivity of the filter, as "10%"."""

    overlap: float
    filtered: Mapping[str, float]


class Counts(_Frozen):
    """What the collection holds against what the snapshot holds."""

    products: int
    collection_rows: int
    duplicate_ids: int


class Evidence(_Frozen):
    """All of it. None = not measured. `champion` None = no champion yet; `unasked` = kind -> why it has no query."""

    measurements: tuple[Measured, ...] = ()
    margins: tuple[Margin, ...] = ()
    unasked: Mapping[str, str] = {}
    champion: str | None = None
    comparison: Comparison | None = None
    fidelity: Fidelity | None = None
    counts: Counts | None = None
    parity: float | None = None
    latency_p95_ms: float | None = None
    validation_passed: bool | None = None

    def measured(self, kind: str, system: str, metric: str) -> Measured | None:
        """That measurement, or None."""
        wanted = (kind, system, metric)
        found = [row for row in self.measurements if (row.kind, row.system, row.metric) == wanted]
        return found[0] if found else None

    def margin(self, kind: str, system: str, baseline: str, metric: str) -> Margin | None:
        """That paired difference, or None."""
        wanted = (kind, system, baseline, metric)
        found = [row for row in self.margins if (row.kind, row.system, row.baseline, row.metric) == wanted]
        return found[0] if found else None


def gather(
    report: EvaluationReport,
    *,
    champion: str | None,
    comparison: Comparison | None,
    fidelity: Fidelity | None,
    counts: Counts | None,
    parity: float | None,
    validation_passed: bool | None,
) -> Evidence:
    """The report and the checks made outside of the stage, as one document for gates.decide. None = not measured."""
    return Evidence(
        measurements=report.measurements,
        margins=report.margins,
        unasked=report.unasked,
        champion=champion,
        comparison=comparison,
        fidelity=fidelity,
        counts=counts,
        parity=parity,
        latency_p95_ms=report.latency_p95_ms(),
        validation_passed=validation_passed,
    )
