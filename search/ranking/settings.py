"""The ranking settings of a release: which fusion, and what it needs to know of each kind of query.

Chosen on the validation split (evaluation.tuning.tune); they travel with the release as ranking.json.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from catalog.errors import NotReady
from search.collection import IMAGE, LEGS, LEXICAL, QUERY_LEGS
from search.matching import Matching

# What is weighed by itself; "names": words that say more than attributes, a brand or a model, as titles do.
QueryKind = Literal["text", "names", "image", "text+image", "product"]
# What late interaction may weigh: a kind of query, or words whose answer is looked for in pictures alone (legs: image).
LateKind = Literal["text", "text to pictures", "image", "text+image"]
FusionName = Literal["weighted", "rrf", "vote", "naive_bayes"]

LEGS_OF_KIND: Mapping[QueryKind, tuple[str, ...]] = {
    "text": QUERY_LEGS,
    "names": QUERY_LEGS,
    "image": tuple(leg for leg in QUERY_LEGS if leg != LEXICAL),
    "text+image": QUERY_LEGS,
    "product": tuple(leg for leg in LEGS if leg != LEXICAL),
}


def default_weights() -> dict[QueryKind, dict[str, float]]:
    """Where tuning starts, and what serves when nothing was tuned."""
    return {
        "text": {"dense": 0.2, "image": 0.1, "text": 0.05, "lexical": 0.15, "attributes": 0.5},
        "image": {"dense": 0.35, "image": 0.35, "attributes": 0.3},
        "text+image": {"dense": 0.35, "image": 0.2, "lexical": 0.15, "attributes": 0.3},
        "product": {"dense": 0.5, "image": 0.5},
    }


class LegOdds(BaseModel):
    """What one leg says about a product, in natural log-odds of relevance added to those before looking.

    Found with scaled score v (search.ranking.fusion): `offset` + `slope` x v. Not among the candidates of a leg in
    which it could be found: `absent`, which is never more than the least that a found one gets.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slope: float = Field(default=4.0, ge=0.0, allow_inf_nan=False)
    offset: float = Field(default=0.0, allow_inf_nan=False)
    absent: float = Field(default=-1.0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _found_is_no_worse_than_absent(self) -> Self:
        if self.absent > self.offset:
            raise ValueError("a leg's 'absent' may not be above its 'offset': being found would push a product down")
        return self


class KindOdds(BaseModel):
    """Naive Bayes for one kind of query: log-odds of a candidate before looking, and what each leg adds.

    A leg that was not fitted has the defaults of LegOdds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prior: float = Field(default=-3.0, allow_inf_nan=False)
    legs: dict[str, LegOdds] = Field(default_factory=dict)

    def of(self, leg: str) -> LegOdds:
        """What `leg` says."""
        return self.legs.get(leg) or LegOdds()


class Ranking(BaseModel):
    """Ranking settings of a release.

    `candidates`: how many each leg puts forward, or k where that is more. `weights`: which legs a kind of query asks,
    and, but for naive_bayes, how much each counts; without "names" those are text like any other. `odds`: what
    naive_bayes knows; a kind that was not fitted has the defaults of KindOdds. `matching`: how vectors are compared.
    `late`: for each LateKind the share of late interaction in the order of the best `candidates`; 0 for one that is not
    named. `hubness`: how much of its level as a hub a picture loses where words look for pictures alone
    (search.hubness).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fusion: FusionName = "weighted"
    candidates: int = Field(default=100, ge=1, le=1000)
    weights: dict[QueryKind, dict[str, float]] = Field(default_factory=default_weights)
    odds: dict[QueryKind, KindOdds] = Field(default_factory=dict)
    matching: Matching = Matching()
    late: dict[LateKind, float] = Field(default_factory=dict)
    hubness: float = Field(default=0.0, ge=0.0, le=2.0)

    @model_validator(mode="after")
    def _weighs_legs_that_exist(self) -> Self:
        for kind, legs in LEGS_OF_KIND.items():
            weights = self.weights.get(kind, {})
            fitted = self.odds[kind].legs if kind in self.odds else {}
            unknown = sorted({*weights, *fitted} - set(legs))
            if unknown:
                raise ValueError(f"{kind} queries have no leg {', '.join(unknown)}")
            if kind == "names" and kind not in self.weights:
                continue
            if not any(weights.values()) or not all(0 <= weight < float("inf") for weight in weights.values()):
                raise ValueError(f"the weights of {kind} queries must be 0 or more, and one of them above 0")
        return self

    @field_validator("late")
    @classmethod
    def _shares(cls, late: dict[LateKind, float]) -> dict[LateKind, float]:
        if not all(0 <= share <= 1 for share in late.values()):
            raise ValueError("the share of late interaction is 0 to 1")
        return late

    def kind_of(self, kind: QueryKind, told: bool) -> QueryKind:
        """The kind that settings are looked up by. `told`: words are plain, or nearly all about attributes."""
        return "names" if kind == "text" and not told and "names" in self.weights else kind

    def late_share(self, kind: QueryKind, seen: Collection[str]) -> float:
        """The share for a query of `kind` that looks at what is `seen` of the products: image, text or both."""
        if kind == "product" or not seen:
            return 0.0
        own: LateKind = "text" if kind == "names" else kind
        return self.late.get("text to pictures" if _to_pictures(kind, seen) else own, 0.0)

    def hub_strength(self, kind: QueryKind, legs: Collection[str]) -> float:
        """`hubness` for words that ask the image leg alone, else 0."""
        return self.hubness if _to_pictures(kind, legs) else 0.0

    def weights_for(self, kind: QueryKind, legs: tuple[str, ...] | None = None) -> dict[str, float]:
        """Weights above 0 of a kind of query; with `legs`, of exactly those, equal where none of them is weighed."""
        own = self.weights[kind]
        if legs is None:
            return {leg: own[leg] for leg in LEGS_OF_KIND[kind] if own.get(leg, 0.0) > 0}
        asked = {leg: own.get(leg, 0.0) for leg in legs}
        return asked if any(asked.values()) else dict.fromkeys(asked, 1.0)

    def odds_for(self, kind: QueryKind) -> KindOdds:
        """What naive_bayes knows of a kind of query."""
        return self.odds.get(kind) or KindOdds()

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Ranking":
        """Read it. Raises NotReady when it is missing or wrong."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise NotReady(f"{path} is missing: run the tune stage.") from None
        except ValidationError as error:
            raise NotReady(f"{path} holds no ranking settings: {error.errors()[0]['msg']}.") from None


def _to_pictures(kind: QueryKind, looked_at: Collection[str]) -> bool:
    return kind in ("text", "names") and set(looked_at) == {IMAGE}
