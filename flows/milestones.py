"""The DVC milestones of a retrain, and whether the reports they leave speak of today's inputs.

DVC decides what is stale and in which order it runs; a stage's refusal is read from its report, never from an exit
code, and a report is believed only when it names the snapshot, encoder and ranking that lie in the workspace.
"""

import json
from dataclasses import dataclass

from catalog.errors import EtalageError, InvalidSnapshot, NotReady
from catalog.params import load_section
from catalog.snapshot import snapshot_id
from catalog.splits import SplitParams, digest_of_products, split_products
from catalog.tables import read_judgements, read_products, read_terms
from catalog.workspace import DATA, ENCODER, EXPORT_REPORT, RANKING, TRAIN_REPORT
from evaluation.gates.evidence import TrainingSplit
from evaluation.params import EvaluateParams
from evaluation.queries.judgements import EvaluationSet
from evaluation.queries.questions import evaluation_set
from evaluation.results import EvaluationReport, folder_hash, read_report
from flows import dvc
from flows.errors import SnapshotMissing, StageFailed, StaleReport
from flows.revision import DATA_FILE, demand_snapshot
from flows.runs.times import record
from models.encoder_folder import fingerprint
from validation.report import ValidationReport
from validation.report import read_report as read_validation


@dataclass(frozen=True)
class Measured:
    """What the stages measured on this snapshot."""

    snapshot: str
    encoder: str
    validation: ValidationReport
    evaluation: EvaluationReport


def ensure_data() -> str:
    """Make sure that data/ is there, from DVC's cache or remote when it is not. Returns the snapshot's id."""
    if not DATA.exists():
        demand_snapshot()
        try:
            dvc.checkout(str(DATA_FILE))
        except StageFailed:  # lost, or damaged
            try:
                dvc.pull(str(DATA_FILE))
            except NotReady:
                hint = "ingest it again, or name the DVC remote that has it"
                raise SnapshotMissing(f"{DATA_FILE} names a snapshot that is not here: {hint}.") from None
    return snapshot_id()


def validate(snapshot: str) -> ValidationReport:
    """Bring the milestone `validate` up to date. Raises InvalidSnapshot with its sentence for an unfit snapshot."""
    done = _reproduce("validate")
    report = _believed_validation(snapshot)
    if report is not None and not report.success:
        raise InvalidSnapshot(report.sentence())
    if done.failed or report is None:
        raise StageFailed("The stage validate broke before it could judge the snapshot: its output above says why.")
    return report


def reach(milestone: str) -> dvc.Reproduction:
    """Bring `milestone` and all before it up to date. Raises StageFailed naming the stage that broke."""
    done = _reproduce(milestone)
    if done.failed:
        raise StageFailed(f"The stage {done.failed} broke: its output above says why. Run the command again to go on.")
    return done


def read_measured(snapshot: str) -> Measured:
    """The reports of today's run. Raises StaleReport when one speaks of another snapshot, encoder or ranking."""
    encoder = fingerprint(ENCODER)
    evaluation = read_report()
    expected = {"snapshot": snapshot, "encoder": encoder, "ranking": folder_hash(RANKING)}
    for name, value in expected.items():
        told = getattr(evaluation.inputs, name)
        if told != value:
            raise StaleReport(f"The evaluation report is about {name} {told}, and the workspace holds {value}.")
    validation = _believed_validation(snapshot)
    if validation is None:
        raise StaleReport(f"The validation report is not about snapshot {snapshot}.")
    parity = evaluation.parity
    if parity is not None and parity.encoder != encoder:
        raise StaleReport(f"The parity report is about encoder {parity.encoder}, and the workspace holds {encoder}.")
    return Measured(snapshot, encoder, validation, evaluation)


def training_split() -> TrainingSplit:
    """What the model was trained on, as the train stage wrote it down, and what it was to be trained on."""
    report = json.loads(TRAIN_REPORT.read_text(encoding="utf-8"))
    split = split_products(read_products(), load_section("split", SplitParams))
    return TrainingSplit(trained_on=report.get("trained_on"), split=digest_of_products(split["train"]))


def todays_questions() -> EvaluationSet:
    """What the stage `evaluate` will ask of the snapshot in data/; it needs no model."""
    products, params = read_products(), load_section("evaluate", EvaluateParams)
    pool = split_products(products, load_section("split", SplitParams))["test"]
    return evaluation_set(pool, products, read_terms(), read_judgements(), params)


def _reproduce(milestone: str) -> dvc.Reproduction:
    """`dvc repro`, and reports/times.json after it."""
    done = dvc.reproduce(milestone)
    record(done)
    return done


def exported_parity() -> float:
    """Least cosine of the probes' vectors as trained and as served, as the export stage wrote it down."""
    least: float = json.loads(EXPORT_REPORT.read_text(encoding="utf-8"))["parity"]["min"]
    return least


def _believed_validation(snapshot: str) -> ValidationReport | None:
    """The validation report, or None when it is missing, unreadable or about another snapshot."""
    try:
        report = read_validation()
    except EtalageError:
        return None
    return report if report.snapshot in (snapshot, None) else None
