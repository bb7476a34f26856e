"""reports/trial.json and reports/sweep.json as types, and the Pareto front of quality against latency."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from evaluation.sweep.space import Value


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class TrialReport(_Frozen):
    """How good and how fast one trial is. `searched` products lay in the collection that was timed."""

    quality: float
    by_kind: Mapping[str, float]
    queries: int
    latency_p50_ms: float
    latency_p95_ms: float
    timed: int
    searched: int
    encoder: str
    questions: str


class Trial(_Frozen):
    """One trial that ended. `experiment` names it in DVC; a refused one has the sentence that refused it instead."""

    number: int
    state: Literal["measured", "refused"]
    settings: Mapping[str, Value]
    experiment: str | None = None
    reason: str | None = None
    report: TrialReport | None = None
    seconds: float | None = None
    on_front: bool = False


class Importance(_Frozen):
    """How much of the spread of one objective each param explains, most first; `reason` where it cannot be told."""

    objective: str
    method: str
    shares: Mapping[str, float]
    reason: str | None = None


class SweepReport(_Frozen):
    """Everything a sweep found so far. `study` names snapshot, code, params and search space together."""

    study: str
    snapshot: str
    code: str
    budget: int
    base: Mapping[str, Value]  # what params.yaml has for the searched keys, where it has something
    trials: tuple[Trial, ...]
    importance: tuple[Importance, ...]

    def front(self) -> tuple[Trial, ...]:
        """The trials that no other beats in both, fastest first."""
        front = [trial for trial in self.trials if trial.on_front and trial.report is not None]
        return tuple(sorted(front, key=lambda trial: trial.report.latency_p50_ms if trial.report else 0.0))


def pareto_front(points: Sequence[tuple[float, float]]) -> frozenset[int]:
    """Rows of (quality, latency) that no other row beats: none is as good and as fast, and better in one of the two.

    >>> sorted(pareto_front([(0.9, 5.0), (0.8, 4.0), (0.7, 6.0), (0.9, 5.0)]))
    [0, 1, 3]
    """
    return frozenset(
        row
        for row, (quality, latency) in enumerate(points)
        if not any(
            other >= quality and faster <= latency and (other > quality or faster < latency) for other, faster in points
        )
    )
