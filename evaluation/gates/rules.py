"""The rules of the gates: the section `gates` of params.yaml. evaluation.gates.decide applies them."""

from typing import Literal, Self

from pydantic import Field, model_validator

from catalog.params import Section
from evaluation.metrics import Metric


class Floor(Section):
    """metric of (kind, system) >= `at_least`, or >= `times_random` x the random baseline of the same kind.

    In a small pool a multiple of random can be more than 1, so the demand is capped at half of the room that
    random leaves: limit = min(times_random * r, (1 + r) / 2). With `required: false` a catalogue that cannot ask this
    kind of query (no pictures, no Chinese terms) is not refused for it.

    A first release has to reach the level. Where there is a champion to compare with, a mean below it is refused when
    it is surely below (one-sided 95 % upper bound of the mean), and told of otherwise: a champion that stands near a
    level is followed by equal ones that are above and below it by chance. The same goes for the mean of `Beats`.
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

    Both must hold: mean >= (1 + by) x baseline, or half of the room that the baseline leaves where that is less; and
    the one-sided 95 % lower bound of the paired difference > 0.
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

    Asked of the mean over kinds (`overall`), which has to prove it. Kinds and slices are many, and some of an equal
    model are below by chance: one refuses when its bound is below -tolerance and it is worse at all for sure, by
    Holm's correction over all of them at `alpha`. A kind or slice with fewer than `minimum` queries is "insufficient
    evidence": said, and not refused. The overall mean always counts.

    On another snapshot than its own the champion answers today's questions anew. Where it then surely (upper 95 %
    bound) scores lower by more than `fall` on a kind than its record says, the questions have changed and not the
    encoder: pictures or words that belong to other products look like that to both sides. Held against each other only
    where today's pool is at most `growth` times its own: among more products the right one is harder to find.
    """

    overall: float = Field(default=0.03, gt=0.0)
    kind: float = Field(default=0.05, gt=0.0)
    slice: float = Field(default=0.10, gt=0.0)
    fall: float = Field(default=0.10, gt=0.0)
    growth: float = Field(default=1.25, ge=1.0)
    minimum: int = Field(default=100, ge=2)
    alpha: float = Field(default=0.05, gt=0.0, le=1.0)
    dimensions: tuple[str, ...] = ("language", "category", "picture", "frequency")
    bootstrap_rounds: int = Field(default=2000, ge=100)
    seed: int = 7


What = Literal["products", "category", "language", "field", "terms", "judgements", "price", "currency", "pictures"]
"""What of a snapshot is held against the champion's."""


class ContinuityRules(Section):
    """What must be left of the champion's snapshot in today's: see evaluation.gates.continuity.

    Shares of what was there: of all `products`, of the products of each `category` and each `language`, of those that
    fill each of the `fields`, of the facet values that the `terms` of a language name, of the `judgements`. The prices
    of the same products may move by the factor `price` in the median, and the share `currency` of them may change
    theirs. `pictures` is how well a classifier may tell the pictures of then from those of now (area under the ROC
    curve, 0.5 by chance). Categories, languages, fields and prices are asked about where `minimum` products had them.
    What `warn` names is told and stops nothing.
    """

    products: float = Field(default=0.7, ge=0.0, le=1.0)
    category: float = Field(default=0.5, ge=0.0, le=1.0)
    language: float = Field(default=0.5, ge=0.0, le=1.0)
    fields: float = Field(default=0.6, ge=0.0, le=1.0)
    terms: float = Field(default=0.8, ge=0.0, le=1.0)
    judgements: float = Field(default=0.7, ge=0.0, le=1.0)
    price: float = Field(default=1.5, ge=1.0)
    currency: float = Field(default=0.05, ge=0.0, le=1.0)
    pictures: float = Field(default=0.7, gt=0.5, le=1.0)
    minimum: int = Field(default=20, ge=1)
    warn: tuple[What, ...] = ()


class ReproduceRules(Section):
    """Reproduce first: the champion answers `probes` recorded questions of each kind again, out of its own collection.

    The mean of a kind's primary metric may then be off by `tolerance`. On the machine that measured it, it is not off
    at all: the same vectors, files and questions. On another processor sums end in other last digits, and products
    that all but tie may change places: there is room for one question of a hundred to go from right to wrong.
    """

    probes: int = Field(default=100, ge=1)
    tolerance: float = Field(default=0.015, ge=0.0)


class FidelityRules(Section):
    """overlap@10 of the collection with exact search, without and with filters.

    `own_words`: share of products that the lexical leg finds by their own title. `own_vectors`: least cosine of a
    stored vector with what the encoder gives for the words or pictures of its product.
    """

    overlap: float = Field(default=0.99, ge=0.0, le=1.0)
    filtered: float = Field(default=0.95, ge=0.0, le=1.0)
    own_words: float = Field(default=0.9, ge=0.0, le=1.0)
    own_vectors: float = Field(default=0.999, ge=-1.0, le=1.0)


class LatencyRules(Section):
    """Budget in milliseconds of one query through the engine, photos included."""

    p95_ms: float = Field(default=400.0, gt=0.0)


class MemoryRules(Section):
    """How much a process may grow in answering: kilobytes a query, in the median of rounds of the same questions."""

    kb_per_query: float = Field(default=20.0, gt=0.0)


class LeakRules(Section):
    """Largest share of held-out products whose picture or title is in another split too: see audits.leaks."""

    touched: float = Field(default=0.5, ge=0.0, le=1.0)


class GateRules(Section):
    """Every rule a challenger must pass. An empty section takes the defaults written here."""

    floors: tuple[Floor, ...] = ()
    beats: tuple[Beats, ...] = ()
    champion: ChampionRules = ChampionRules()
    reproduce: ReproduceRules = ReproduceRules()
    fidelity: FidelityRules = FidelityRules()
    latency: LatencyRules = LatencyRules()
    memory: MemoryRules = MemoryRules()
    leaks: LeakRules = LeakRules()
    continuity: ContinuityRules = ContinuityRules()
    parity: float = Field(default=0.999, ge=-1.0, le=1.0)
    parity_overlap: float = Field(default=0.99, ge=0.0, le=1.0)
