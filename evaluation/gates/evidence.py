"""What the gates look at: every number with its n, gathered from reports and checks, as one frozen document."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from evaluation.gates.compare import Comparison
from evaluation.gates.continuity import Continuity
from evaluation.results import EvaluationReport, Margin, Measured


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Fidelity(_Frozen):
    """overlap@10 of a collection with exact search; `filtered` by the selectivity of the filter, as "10%".

    `own_words`: share of products that the lexical leg finds by their title; None where no product has one.
    `own_vectors`: least cosine of a stored vector with what the encoder gives for its product, by modality.
    """

    overlap: float
    filtered: Mapping[str, float]
    own_words: float | None = None
    own_vectors: Mapping[str, float] = {}


class Counts(_Frozen):
    """What the collection holds against what the snapshot holds."""

    products: int
    collection_rows: int
    duplicate_ids: int


class TrainingSplit(_Frozen):
    """Digests of the ids of the products that were trained on, and of those that the training split holds."""

    trained_on: str | None
    split: str


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
    parity_overlap: float | None = None
    latency_p95_ms: float | None = None
    kb_per_query: float | None = None
    leaked_share: float | None = None
    training: TrainingSplit | None = None
    continuity: Continuity | None = None
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
    validation_passed: bool | None,
    training: TrainingSplit | None = None,
    continuity: Continuity | None = None,
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
        parity=None if report.parity is None else report.parity.cosine(),
        parity_overlap=None if report.parity is None else report.parity.overlap(),
        latency_p95_ms=report.latency_p95_ms(),
        kb_per_query=None if report.memory is None else report.memory.kb_per_query,
        leaked_share=None if report.leakage is None else report.leakage.share(),
        training=training,
        continuity=continuity,
        validation_passed=validation_passed,
    )
