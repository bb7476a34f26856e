"""What validation found, as a plain record and as reports/validate.json. Imports no Great Expectations."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from catalog.errors import InvalidSnapshot
from catalog.workspace import VALIDATE_REPORT

Severity = Literal["stop", "warn"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Finding(_Frozen):
    """One expectation and what it met.

    `observed` is the number of rows that break the claim, or the one number (a share, a count) that the claim is about;
    None when it could not be computed. `sentence` says what and how much where the expectation failed, else None.
    """

    name: str  # table.expectation, unique
    table: str
    severity: Severity
    success: bool
    claim: str
    reason: str
    observed: int | float | None
    limit: str  # in words
    rows: int  # rows of the table
    sentence: str | None = None
    examples: tuple[str, ...] = ()  # keys of the first few rows that break it


class ValidationReport(_Frozen):
    """The verdict on one snapshot.

    `snapshot` is computed from the content of data/; None when there is none. `unreadable` says why it cannot be read.
    `params` are the limits used, `params_hash` 12 hex digits over them. `absent` are the optional tables without rows.
    """

    snapshot: str | None
    source: str | None
    products: int
    params: Mapping[str, int | float]
    params_hash: str
    absent: tuple[str, ...] = ()
    unreadable: str | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def success(self) -> bool:
        """True when nothing stops: warnings are allowed."""
        return not self.failures

    @property
    def failures(self) -> tuple[str, ...]:
        """Why the snapshot must not be trained on; empty when it may."""
        if self.unreadable:
            return (self.unreadable,)
        return self._sentences("stop")

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should look at, though it stops nothing."""
        return self._sentences("warn")

    def sentence(self) -> str:
        """The whole verdict in one line."""
        name = f"Snapshot {self.snapshot}" if self.snapshot else "The snapshot"
        if not self.failures:
            count, warned = len(self.findings), len(self.warnings)
            held = f"{count - warned} of {count} expectations hold" + (f", {warned} only warned" if warned else "")
            return f"{name} of {self.products:,} products is fit to train on: {held}."
        more = f" And {len(self.failures) - 1} more: see {VALIDATE_REPORT}." if len(self.failures) > 1 else ""
        return f"{name} is not fit to train on: {self.failures[0]}{more}"

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON: verdict first, one entry for each expectation last."""
        return {
            "success": self.success,
            "sentence": self.sentence(),
            "snapshot": self.snapshot,
            "source": self.source,
            "products": self.products,
            "params": dict(self.params),
            "params_hash": self.params_hash,
            "counts": {
                "expectations": len(self.findings),
                "held": sum(finding.success for finding in self.findings),
                "stopped": len(self.failures),
                "warned": len(self.warnings),
            },
            "failures": list(self.failures),
            "warnings": list(self.warnings),
            "absent": list(self.absent),
            "unreadable": self.unreadable,
            "findings": [finding.model_dump(mode="json") for finding in self.findings],
        }

    def _sentences(self, severity: Severity) -> tuple[str, ...]:
        failed = (finding for finding in self.findings if finding.severity == severity and not finding.success)
        return tuple(finding.sentence or finding.claim for finding in failed)


def write_report(report: ValidationReport, path: Path = VALIDATE_REPORT) -> None:
    """Write the report whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".half")
    half.write_text(json.dumps(report.to_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    half.replace(path)


def read_report(path: Path = VALIDATE_REPORT) -> ValidationReport:
    """Read a report. Raises InvalidSnapshot when it is missing or not one: the snapshot then counts as unchecked."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return ValidationReport.model_validate({name: document[name] for name in ValidationReport.model_fields})
    except FileNotFoundError:
        raise InvalidSnapshot(f"{path} does not exist: the snapshot has not been validated.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidSnapshot(f"{path} is not a validation report: {error}") from None
