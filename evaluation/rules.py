"""The rules of the gates: the section `gates` of params.yaml. evaluation.gates applies them."""

from typing import Self

from pydantic import Field, model_validator

from catalog.params import Section
from evaluation.metrics import Metric


class Floor(Section):
    """metric of (kind, system) >= `at_least`, or >= `times_random` x the random baseline of the same kind.

    In a small pool a multiple of random can be more than 1, so the demand is capped at half of the room that
    random leaves: limit = min(times_random * r, (1 + r) / 2). With `required: false` a catalogue that cannot ask this
    kind of query (no pictures, no Chinese terms) is not refused for it.
    """

    kind: str
    system: str = "engine"
    metric: Metric
    at_least: float | None = None
    times_random: float | None = None
    required: bool = True

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.at_least is None and self.times_random is None:
            raise ValueError("a floor needs at_least or times_random")
        return self


class Beats(Section):
    """(kind, system) is better than `baseline` by the share `by` of the baseline's mean, and surely better than it.

    Both must hold: mean >= (1 + by) x baseline, and the one-sided 95 % lower bound of the paired difference > 0.
    Where the baseline itself reaches `ceiling` there is little left to win: then the lower bound of the difference
    must only stay above -`tolerance`.
    """

    kind: str
    system: str
    baseline: str
    metric: Metric
    by: float = Field(default=0.10, ge=0.0)
    ceiling: float = Field(default=0.90, gt=0.0, le=1.0)
    tolerance: float = Field(default=0.05, ge=0.0)
    required: bool = True


class ChampionRules(Section):
    """Not worse than the champion: the one-sided 95 % lower bound of the paired difference > -tolerance.

    Asked of the mean over kinds (`overall`), of each kind, and of each slice. A kind or slice with fewer than
    `minimum` queries is "insufficient evidence": said, and not refused. The overall mean always counts.
    """

    overall: float = Field(default=0.03, gt=0.0)
    kind: float = Field(default=0.05, gt=0.0)
    slice: float = Field(default=0.10, gt=0.0)
    minimum: int = Field(default=100, ge=2)
    dimensions: tuple[str, ...] = ("language", "category", "picture", "frequency")
    bootstrap_rounds: int = Field(default=2000, ge=100)
    seed: int = 7


class FidelityRules(Section):
    """overlap@10 of the collection with exact search, without and with filters."""

    overlap: float = Field(default=0.99, ge=0.0, le=1.0)
    filtered: float = Field(default=0.95, ge=0.0, le=1.0)


class LatencyRules(Section):
    """Budget in milliseconds of one query through the engine, photos included."""

    p95_ms: float = Field(default=400.0, gt=0.0)


class GateRules(Section):
    """Every rule a challenger must pass. An empty section takes the defaults written here."""

    floors: tuple[Floor, ...] = ()
    beats: tuple[Beats, ...] = ()
    champion: ChampionRules = ChampionRules()
    fidelity: FidelityRules = FidelityRules()
    latency: LatencyRules = LatencyRules()
    parity: float = Field(default=0.999, ge=-1.0, le=1.0)
