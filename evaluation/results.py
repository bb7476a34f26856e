"""reports/evaluate.json as a type: what was measured, and on which inputs."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from catalog.errors import InvalidSnapshot
from catalog.workspace import EVALUATE_REPORT, PARITY_REPORT

Report = TypeVar("Report", bound=BaseModel)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Inputs(_Frozen):
    """What a report was made from. A report whose inputs are not today's is yesterday's: do not believe it."""

    snapshot: str
    encoder: str
    baseline_encoder: str | None
    ranking: str  # folder_hash of the search logic
    params: str  # digest of the sections evaluate, split and embed
    evaluation_set: str


class Measured(_Frozen):
    """The mean of one metric of one system over the `n` queries of a kind, with its 95 % interval.

    `upper_bound` is one-sided 95 %; None in what was kept before there was one.
    """

    kind: str
    system: str
    metric: str
    n: int
    mean: float
    low: float
    high: float
    upper_bound: float | None = None


class Margin(_Frozen):
    """system - baseline, paired over the `n` queries of a kind; the bounds are one-sided 95 %.

    `upper_bound` is None in what was kept before there was one.
    """

    kind: str
    system: str
    baseline: str
    metric: str
    n: int
    mean: float
    baseline_mean: float
    lower_bound: float
    upper_bound: float | None = None


class SliceScore(_Frozen):
    """The primary metric of the engine over the `n` queries of a kind that are in one slice."""

    kind: str
    slice: str
    metric: str
    n: int
    mean: float
    low: float
    high: float


class Latency(_Frozen):
    """Milliseconds of one phase of the engine over `n` queries that bring `asks` (text, photo or photo and words)."""

    asks: str
    phase: str
    n: int
    p50: float
    p95: float


class NotComparable(_Frozen):
    """A baseline that cannot answer a kind of query, and why."""

    kind: str
    system: str
    reason: str


class Steadiness(_Frozen):
    """The five phrasings of `needs` needs, asked of one system: see evaluation.audits.robustness for the formulas.

    `deviation` is within a need; `mean_of_worst` is what a need gets in its own worst phrasing, on average.
    """

    language: str
    system: str
    needs: int
    mean: float
    low: float
    high: float
    deviation: float
    mean_of_worst: float
    by_phrasing: Mapping[str, float]
    worst_phrasing: str


class ShakyNeed(_Frozen):
    """A need that the engine answers differently by how it is said: texts and values by phrasing."""

    language: str
    deviation: float
    texts: Mapping[str, str]
    values: Mapping[str, float]


class Robustness(_Frozen):
    """How steady the answers are when one need is said in several ways."""

    metric: str
    phrasings: tuple[str, ...]
    rows: tuple[Steadiness, ...]
    shaky: tuple[ShakyNeed, ...]


class Leak(_Frozen):
    """A product of a held-out split and its nearest twin in another; `value` in the unit of the detector."""

    detector: str
    product: str
    split: str
    other: str
    other_split: str
    value: float


SAME = "the same"
"""Unit of the detectors that compare for equality."""


class LeakDetector(_Frozen):
    """What one way to see twins found: `pairs` across splits, and how many held-out products are in one.

    `limit` is what a pair must be nearer than; None where the snapshot has no categories to read it from, and then
    nothing was looked for.
    """

    detector: str
    unit: str
    limit: float | None
    pairs: int
    test_products: int
    validation_products: int
    test_share: float


class LeakEffect(_Frozen):
    """The engine on the `n` queries of a kind: all, the `touched` ones, and those left without them (95 % interval)."""

    kind: str
    metric: str
    n: int
    touched: int
    mean: float
    touched_mean: float | None
    without_mean: float | None
    without_low: float | None
    without_high: float | None


class Leakage(_Frozen):
    """Twins across splits, and what they do to the scores."""

    detectors: tuple[LeakDetector, ...]
    test_products: int
    touched_products: int
    queries: int
    touched_queries: int
    effects: tuple[LeakEffect, ...]
    examples: tuple[Leak, ...]

    def share(self) -> float:
        """Of the held-out products, those that surely are in another split too: by the same picture, or the same title.

        Twins that are only near are told and not counted: how near is near is drawn from the pool itself, and in a
        small one, or by an encoder that knows nothing yet, everything is.
        """
        return max((row.test_share for row in self.detectors if row.unit == SAME), default=0.0)


class Memory(_Frozen):
    """How resident memory grew in answering the same `queries` questions again, round by round, in kilobytes."""

    queries: int
    grown_kb: tuple[float, ...]

    @property
    def kb_per_query(self) -> float:
        """The median round: a leak grows in every one, the allocator now and then."""
        return median(self.grown_kb) / self.queries


class Parity(_Frozen):
    """What serving changes, of one kind of thing that is asked with: cosine of the trained model's and the served
    vector, and mean overlap@10 of what both find among all products; `n` things were asked.
    """

    modality: str
    n: int
    cosine_min: float
    cosine_mean: float
    overlap: float


class ParityReport(_Frozen):
    """Everything the parity stage found."""

    snapshot: str
    encoder: str
    rows: tuple[Parity, ...]

    def cosine(self) -> float | None:
        """The worst."""
        return min((row.cosine_min for row in self.rows), default=None)

    def overlap(self) -> float | None:
        """overlap@10 of the modality that serving changes most."""
        return min((row.overlap for row in self.rows), default=None)


class EvaluationReport(_Frozen):
    """Everything the evaluate stage found. `metrics`: kind -> system -> metric -> mean, for reading and for DVC."""

    inputs: Inputs
    catalogue: int  # products
    pool: int  # held-out products that were searched
    metrics: Mapping[str, Mapping[str, Mapping[str, float]]]
    measurements: tuple[Measured, ...]
    margins: tuple[Margin, ...]
    slices: tuple[SliceScore, ...]
    latency: tuple[Latency, ...]
    not_comparable: tuple[NotComparable, ...]
    unasked: Mapping[str, str]
    robustness: Robustness | None = None  # None where no need could be said in five ways, or none was to be asked
    leakage: Leakage | None = None  # None in reports from before it was audited
    memory: Memory | None = None  # None in reports from before it was measured
    parity: ParityReport | None = None  # None in reports from before there was its stage

    def latency_p95_ms(self) -> float | None:
        """p95 of a whole query, of the slowest way to ask."""
        return max((row.p95 for row in self.latency if row.phase == "total"), default=None)


def read_report(path: Path = EVALUATE_REPORT) -> EvaluationReport:
    """Read the report of the evaluate stage. Raises InvalidSnapshot when it is missing or is not one."""
    return _read(EvaluationReport, path, "evaluate")


def read_parity(path: Path = PARITY_REPORT) -> ParityReport:
    """Read the report of the parity stage. Raises InvalidSnapshot when it is missing or is not one."""
    return _read(ParityReport, path, "parity")


def folder_hash(folder: Path) -> str:
    """12 hex digits over the names and bytes of all files in `folder`."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        whole.update(
            f"{path.relative_to(folder).as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode()
        )
    return whole.hexdigest()[:12]


def _read(kind: type[Report], path: Path, stage: str) -> Report:
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InvalidSnapshot(f"{path} does not exist: run the {stage} stage first.") from None
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise InvalidSnapshot(f"{path} is not a report of the {stage} stage: {where}.") from None
