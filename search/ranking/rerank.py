"""The second look: a trained ranker puts the best fused candidates in a new order, for the kinds of query it helps.

Saved in the search logic of a release as reranker.json and the ranker's own model file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from catalog.errors import NotReady
from search.collection import DECIMALS, Scored
from search.query import Query
from search.ranking.features import FEATURES, Floats, Payload, ShopFacts, features_of
from search.ranking.fusion import Able, Candidates
from search.ranking.lambdamart import LambdaMart
from search.ranking.neural import Network
from search.ranking.ranker import Ranker, RankerName
from search.ranking.settings import QueryKind
from search.understanding.understood import Understood

DOCUMENT = "reranker.json"
BASE = "base"  # beside the features among the contributions: what the score starts from

Contributions = Mapping[str, Mapping[str, float]]  # product id -> feature -> what it adds to the score


class _Document(BaseModel):
    """reranker.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ranker: RankerName
    kinds: tuple[QueryKind, ...]
    features: tuple[str, ...]
    newest: float | None = None
    actions: dict[str, int] | None = None

    @field_validator("features")
    @classmethod
    def _exist(cls, features: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in features if name not in FEATURES]
        if unknown or not features:
            raise ValueError(f"there is no feature {unknown[0]!r}" if unknown else "no feature is named")
        return features


@dataclass(frozen=True)
class Reranker:
    """`kinds`: the kinds of query that `ranker` was adopted for; all others keep the order of the fusion."""

    name: RankerName
    ranker: Ranker
    kinds: tuple[QueryKind, ...]
    facts: ShopFacts

    @cached_property
    def _columns(self) -> NDArray[np.intp]:
        return np.array([FEATURES.index(name) for name in self.ranker.features], dtype=np.intp)

    def answers(self, query: Query, kind: QueryKind) -> bool:
        """Whether it has a say in a query of `kind`: a caller who names the legs wants to see just those."""
        return query.legs is None and kind in self.kinds

    def features(
        self,
        query: Query,
        candidates: Candidates,
        able: Able,
        ranked: Scored,
        products: Sequence[Payload],
        understood: Understood | None,
    ) -> Floats:
        """[C, F]: rows of features_of, the columns that the ranker was given."""
        return features_of(query, candidates, able, ranked, products, self.facts, understood)[:, self._columns]

    def order(self, ranked: Scored, features: Floats) -> Scored:
        """`ranked` by the ranker's scores, best first, equal ones by id. `features` are its rows."""
        scores = np.round(self.ranker.scores(features), DECIMALS) if ranked else np.zeros(0)
        again = [(product_id, float(score)) for (product_id, _), score in zip(ranked, scores, strict=True)]
        return sorted(again, key=lambda scored: (-scored[1], scored[0]))

    def explain(self, ranked: Scored, features: Floats) -> Contributions:
        """What each feature adds to the score that `order` gives; with BASE they sum to it."""
        names = (*self.ranker.features, BASE)
        rows: Floats = self.ranker.contributions(features) if ranked else np.zeros((0, len(names)))
        return {
            product_id: dict(zip(names, map(float, row), strict=True))
            for (product_id, _), row in zip(ranked, rows, strict=True)
        }

    def save(self, folder: Path) -> None:
        """Write DOCUMENT and the model into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        document = _Document(
            ranker=self.name,
            kinds=self.kinds,
            features=self.ranker.features,
            newest=self.facts.newest,
            actions=None if self.facts.actions is None else dict(sorted(self.facts.actions.items())),
        )
        (folder / DOCUMENT).write_text(document.model_dump_json(indent=2) + "\n", encoding="utf-8")
        self.ranker.save(folder)

    @classmethod
    def load(cls, folder: Path) -> "Reranker":
        """What `save` wrote. Raises NotReady when a part is missing or wrong."""
        path = folder / DOCUMENT
        try:
            document = _Document.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise NotReady(f"{path} is missing: run the rank stage.") from None
        except ValidationError as error:
            raise NotReady(f"{path} names no ranker: {error.errors()[0]['msg']}.") from None
        ranker = RANKERS[document.ranker](folder, document.features)
        return cls(document.ranker, ranker, document.kinds, ShopFacts(document.newest, document.actions))


RANKERS: Mapping[RankerName, Callable[[Path, tuple[str, ...]], Ranker]] = {
    "lambdamart": LambdaMart.load,
    "neural": Network.load,
}
