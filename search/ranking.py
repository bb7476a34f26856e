"""How the answers of the legs become one list: weights by kind of query, chosen on the validation split.

They travel with the release (search.logic). Fusion is a pure function of candidates and weights.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from catalog.errors import NotReady
from search.collection import DECIMALS, LEGS, LEXICAL, Scored

QueryKind = Literal["text", "image", "text+image", "product"]
FusionName = Literal["weighted", "rrf"]

Candidates = Mapping[str, Scored]  # leg -> its candidates, best first
Able = Mapping[str, frozenset[str]]  # product id -> the legs in which it can be found at all

NARROWEST = 0.1  # cosine; candidates closer together than this are not stretched to the whole of 0..1
RRF_K = 60  # Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion", SIGIR 2009

LEGS_OF_KIND: Mapping[QueryKind, tuple[str, ...]] = {
    "text": LEGS,
    "image": tuple(leg for leg in LEGS if leg != LEXICAL),
    "text+image": LEGS,
    "product": tuple(leg for leg in LEGS if leg != LEXICAL),
}


def default_weights() -> dict[QueryKind, dict[str, float]]:
    """Where tuning starts, and what serves when nothing was tuned."""
    return {
        "text": {"dense": 0.4, "image": 0.2, "text": 0.1, "lexical": 0.3},
        "image": {"dense": 0.5, "image": 0.5},
        "text+image": {"dense": 0.5, "image": 0.3, "lexical": 0.2},
        "product": {"dense": 0.5, "image": 0.5},
    }


class Ranking(BaseModel):
    """Ranking settings of a release. `candidates`: how many each leg puts forward, or k where that is more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fusion: FusionName = "weighted"
    candidates: int = Field(default=100, ge=1, le=1000)
    weights: dict[QueryKind, dict[str, float]] = Field(default_factory=default_weights)

    @model_validator(mode="after")
    def _weighs_legs_that_exist(self) -> Self:
        for kind, legs in LEGS_OF_KIND.items():
            weights = self.weights.get(kind, {})
            unknown = sorted(set(weights) - set(legs))
            if unknown:
                raise ValueError(f"{kind} queries have no leg {', '.join(unknown)}")
            if not any(weights.values()) or not all(0 <= weight < float("inf") for weight in weights.values()):
                raise ValueError(f"the weights of {kind} queries must be 0 or more, and one of them above 0")
        return self

    def weights_for(self, kind: QueryKind, legs: tuple[str, ...] | None = None) -> dict[str, float]:
        """Weights above 0 of a kind of query; with `legs`, of exactly those, equal where none of them is weighed."""
        own = self.weights[kind]
        if legs is None:
            return {leg: own[leg] for leg in LEGS_OF_KIND[kind] if own.get(leg, 0.0) > 0}
        asked = {leg: own.get(leg, 0.0) for leg in legs}
        return asked if any(asked.values()) else dict.fromkeys(asked, 1.0)

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


def fuse(candidates: Candidates, weights: Mapping[str, float], able: Able, fusion: FusionName = "weighted") -> Scored:
    """All candidates as one list, best first, equal scores by id; the best possible score is 1.

    score(p) = sum over legs of weight(leg) * value(leg, p) / sum of weight(leg) over the legs that p can be found in

    value is 0 where p is not among the leg's candidates. A product without a picture is thus judged by its words
    alone, and is not pushed down for the picture that it lacks.
    """
    value_of = FUSIONS[fusion]
    totals: dict[str, float] = {}
    for leg, scored in candidates.items():
        for product_id, value in value_of(leg, scored).items():
            totals[product_id] = totals.get(product_id, 0.0) + weights[leg] * value
    fused = []
    for product_id, total in totals.items():
        reachable = sum(weights[leg] for leg in candidates if leg in able[product_id])
        fused.append((product_id, round(total / reachable, DECIMALS) if reachable > 0 else 0.0))
    return sorted(fused, key=lambda scored: (-scored[1], scored[0]))


def scaled_scores(leg: str, scored: Scored) -> dict[str, float]:
    """Scores of one leg's candidates as 0 to 1, the best at 1.

    Cosines: the last candidate is at 0, unless all lie within NARROWEST. BM25: no shared word is at 0.
    """
    if not scored:
        return {}
    top, last = scored[0][1], scored[-1][1]
    span = top if leg == LEXICAL else max(top - last, NARROWEST)
    return {product_id: 1.0 - (top - score) / span for product_id, score in scored}


def reciprocal_ranks(leg: str, scored: Scored) -> dict[str, float]:
    """(RRF_K + 1) / (RRF_K + rank): the best at 1, whatever the scores are."""
    return {product_id: (RRF_K + 1) / (RRF_K + rank) for rank, (product_id, _) in enumerate(scored, start=1)}


FUSIONS: Mapping[FusionName, Callable[[str, Scored], dict[str, float]]] = {
    "weighted": scaled_scores,
    "rrf": reciprocal_ranks,
}
