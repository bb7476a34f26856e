"""LambdaMART in LightGBM: boosted trees (Burges, "From RankNet to LambdaRank to LambdaMART: An Overview", 2010).

Contributions are SHAP values of trees (Lundberg and others, Nature Machine Intelligence, 2020), exact and additive.
"""

from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import NotReady
from search.ranking.features import Floats

MODEL = "lambdamart.txt"
_ONE_THREAD = {"num_threads": 1}  # a hundred rows are done before threads have started


class LambdaMart:
    """See search.ranking.ranker.Ranker."""

    def __init__(self, model: str, features: tuple[str, ...]) -> None:
        """`model`: LightGBM's text. Raises NotReady when it is none, or was trained on another number of features."""
        import lightgbm  # seconds to import, and only this ranker needs it

        self.features = features
        self.model = model
        try:
            self._trees: Any = lightgbm.Booster(model_str=model)
        except lightgbm.basic.LightGBMError as error:
            raise NotReady(f"This is no LightGBM model: {error}.") from None
        if self._trees.num_feature() != len(features):
            raise NotReady(f"The trees look at {self._trees.num_feature()} features, and {len(features)} are named.")

    def scores(self, features: Floats) -> Floats:
        """See Ranker."""
        return np.asarray(self._trees.predict(features, **_ONE_THREAD), dtype=np.float64)

    def contributions(self, features: Floats) -> Floats:
        """See Ranker."""
        return np.asarray(self._trees.predict(features, pred_contrib=True, **_ONE_THREAD), dtype=np.float64)

    def save(self, folder: Path) -> None:
        """See Ranker."""
        (folder / MODEL).write_text(self.model, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, features: tuple[str, ...]) -> "LambdaMart":
        """What `save` wrote. Raises NotReady."""
        try:
            return cls((folder / MODEL).read_text(encoding="utf-8"), features)
        except FileNotFoundError:
            raise NotReady(f"{folder / MODEL} is missing: run the rank stage.") from None
