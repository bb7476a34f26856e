"""The sections `tune`, `parity`, `evaluate` and `misfiled` of params.yaml (`gates` is in evaluation/gates/rules.py)."""

from typing import Self

from pydantic import Field, model_validator

from catalog.params import Section
from search.ranking import FusionName, QueryKind, Ranking


class TuneParams(Section):
    """How the ranking settings are chosen on the validation split.

    `fusion`: how the legs become one list (search.ranking.fusion); naive_bayes is fitted, the others' weights tuned.
    `queries` is the most asked of each kind of query. Weights of a query kind sum to 1; no leg falls below `floor`;
    a move shifts `step` from one leg to another. `margin` is what a setting must gain in the mean nDCG@10 for each
    unit of weight that it moves away from balance: ties and noise stay balanced. `weights` (query kind -> leg ->
    weight) sets those of some kinds instead of choosing them. `understand`: queries are read with a vocabulary of the
    catalogue (search.understanding), and its leg gets at most the share `attributes` where weights are chosen; the
    whole of it must gain `attributes_margin`, since titles are asked too and lose where it outweighs the other legs.
    `names`: words that say more than attributes, a brand or a model as titles do, have weights of their own.
    `hub_queries`: so many titles of the training split, at most, tell which pictures are near everything
    (search.hubness); 0: nothing is corrected.
    """

    seed: int = 11
    understand: bool = True
    attributes: float = Field(default=0.6, ge=0.0, le=0.9)
    attributes_margin: float = Field(default=0.01, ge=0.0)
    fusion: FusionName = "weighted"
    weights: dict[QueryKind, dict[str, float]] = Field(default_factory=dict)
    queries: int = Field(default=200, ge=1)
    names: bool = True
    hub_queries: int = Field(default=8192, ge=0)
    floor: float = Field(default=0.1, ge=0.0, le=0.25)
    step: float = Field(default=0.05, gt=0.0, le=0.5)
    margin: float = Field(default=0.02, ge=0.0)

    @model_validator(mode="after")
    def _sets_weights_that_are_of_use(self) -> Self:
        if self.weights and self.fusion == "naive_bayes":
            raise ValueError("naive_bayes is fitted and takes no weights: leave tune.weights empty")
        Ranking(weights={**Ranking().weights, **self.weights})
        return self


class ParityParams(Section):
    """How many texts and photos are asked of the trained and of the served encoder; a photo through torch takes a
    tenth of a second.
    """

    texts: int = Field(default=400, ge=1)
    photos: int = Field(default=60, ge=0)


class EvaluateParams(Section):
    """What is asked of the held-out pool: at most so many queries of a kind (attribute queries: of a language).

    `head_share`: the most frequent leaf categories that together hold this share of the catalogue are the head.
    `slice_minimum`: a slice with fewer queries is left out of the report. `paraphrased_needs`: so many needs of each
    language are asked in five phrasings; 0 = none. `leak_rate`: a held-out picture leaks when its nearest in another
    split is closer than all but this share of held-out pictures come to a picture of another category.
    """

    seed: int = 7
    known_items: int = Field(default=1500, ge=1)
    photo_queries: int = Field(default=600, ge=1)
    attribute_queries: int = Field(default=300, ge=1)
    drop_words: float = Field(default=0.33, ge=0.0, lt=1.0)
    bootstrap_rounds: int = Field(default=2000, ge=100)
    worst: int = Field(default=30, ge=0)
    slice_minimum: int = Field(default=10, ge=1)
    head_share: float = Field(default=0.8, gt=0.0, lt=1.0)
    paraphrased_needs: int = Field(default=60, ge=0)
    leak_rate: float = Field(default=0.001, ge=0.0, lt=1.0)


class MisfiledParams(Section):
    """Which products look like another category: by their nearest `neighbours`, where `least` share their category.

    The page shows the `shown` surest, each beside `like` of those that it looks like.
    """

    neighbours: int = Field(default=20, ge=1)
    least: int = Field(default=10, ge=2)
    shown: int = Field(default=60, ge=0)
    like: int = Field(default=4, ge=1)


class CompareParams(Section):
    """How `etalage compare` asks and tests: at most so many queries of a kind (attribute queries: of a language).

    `rounds` of the bootstrap bound what can be shown: with m comparisons in the table no p is below m / (rounds + 1).
    """

    seed: int = 7
    known_items: int = Field(default=1500, ge=1)
    photo_queries: int = Field(default=200, ge=1)
    attribute_queries: int = Field(default=150, ge=1)
    head_share: float = Field(default=0.8, gt=0.0, lt=1.0)
    rounds: int = Field(default=30_000, ge=100)
