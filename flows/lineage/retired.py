"""What is kept of a release that `etalage gc` removed: enough to explain the answers that it gave.

ETALAGE_HOME/retired/<release>.json
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from catalog.errors import InvalidSnapshot, ReleaseNotFound
from catalog.workspace import EVALUATE_REPORT
from evaluation.results import EvaluationReport, Measured, read_report
from flows.durable import write_durably
from flows.releases import REPORTS_FOLDER
from search.release import ReleaseManifest

FOLDER = "retired"
SUFFIX = ".json"


class Retired(BaseModel):
    """A manifest and the measurements behind its scores. A release that was made again may stand beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    manifest: ReleaseManifest
    at: str  # ISO 8601, UTC
    by: str
    reason: str
    measurements: tuple[Measured, ...] = ()
    evaluation_set: str | None = None


def evaluation_of(manifest: ReleaseManifest, folder: Path) -> EvaluationReport | None:
    """The evaluation report in a release's folder; None where it is gone, unreadable or of other inputs."""
    try:
        report = read_report(folder / REPORTS_FOLDER / EVALUATE_REPORT.name)
    except InvalidSnapshot:
        return None
    of = (report.inputs.snapshot, report.inputs.encoder)
    return report if of == (manifest.snapshot, manifest.encoder) else None


def write_retired(home: Path, retired: Retired) -> None:
    """Write it whole or not at all."""
    write_durably(_path(home, retired.manifest.release), retired.model_dump_json(indent=2) + "\n")


def retired_ids(home: Path) -> list[str]:
    """The releases that were removed, by id."""
    return sorted(path.name.removesuffix(SUFFIX) for path in (home / FOLDER).glob(f"*{SUFFIX}"))


def read_retired(home: Path, release: str) -> Retired | None:
    """What is kept of `release`, None where it was never retired. Raises ReleaseNotFound for what cannot be read."""
    path = _path(home, release)
    try:
        return Retired.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise ReleaseNotFound(f"{path} is not the record of a retired release: {error.errors()[0]['msg']}.") from None


def _path(home: Path, release: str) -> Path:
    return home / FOLDER / f"{release}{SUFFIX}"
