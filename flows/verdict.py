"""What the gates said about one release, as it is kept: in its manifest and in reports/gate.json."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from catalog.workspace import GATE_REPORT
from evaluation.gates.decide import Decision
from evaluation.gates.reasons import Reason
from search.release import ReleaseManifest


class Verdict(BaseModel):
    """`key` names the question (flows.candidate.Candidate.decision_key): the same key needs no second answer."""

    model_config = ConfigDict(frozen=True)

    key: str
    release: str
    snapshot: str
    encoder: str
    champion: str | None
    decision: Decision

    @property
    def passed(self) -> bool:
        """Whether no rule refuses."""
        return self.decision.passed

    def sentence(self) -> str:
        """Pass or refusal in one line: which number, which slice, by how much."""
        against = f" against champion {self.champion}" if self.champion else ""
        if self.passed:
            return f"Release {self.release} passes the gates{against} ({len(self.decision.reasons)} rules)."
        refusals = self.decision.refusals()
        told = " ".join(reason.sentence for reason in refusals[:3])
        more = f" And {len(refusals) - 3} more, see {GATE_REPORT}." if len(refusals) > 3 else ""
        count = f"{len(refusals)} of {len(self.decision.reasons)} rules"
        return f"Release {self.release} is refused by {count}{against}: {told}{more}"

    def ordered(self) -> list[Reason]:
        """All rules: refusals first, then warnings, what could not be asked, and what passed."""
        order = {"failed": 0, "warned": 1, "insufficient": 2, "passed": 3}
        return sorted(self.decision.reasons, key=lambda reason: order[reason.outcome])

    def rows(self) -> list[dict[str, Any]]:
        """`ordered` as a table."""
        return [_row(reason) for reason in self.ordered()]


def verdict_of(manifest: ReleaseManifest) -> Verdict | None:
    """The verdict in a manifest, or None where the gates were not asked."""
    return None if manifest.gate is None else Verdict.model_validate(manifest.gate)


def _row(reason: Reason) -> dict[str, Any]:
    return {
        "outcome": reason.outcome,
        "rule": reason.rule,
        "what": reason.name,
        "slice": reason.slice or "",
        "value": _number(reason.value),
        "limit": _number(reason.limit),
        "distance": _number(reason.distance),
    }


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
