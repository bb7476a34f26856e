"""The section `rank` of params.yaml."""

from typing import Literal

from pydantic import Field

from catalog.errors import InvalidParams
from catalog.params import Section
from catalog.splits import SplitParams


class TreeParams(Section):
    """LambdaMART: how many trees of how many leaves, each moving the scores by `learning_rate` of what it found.

    A leaf holds at least `rows` candidates.
    """

    trees: int = Field(default=200, ge=1, le=5000)
    leaves: int = Field(default=15, ge=2, le=1024)
    learning_rate: float = Field(default=0.05, gt=0.0, le=1.0)
    rows: int = Field(default=100, ge=1)


class NetworkParams(Section):
    """The small network: units of its two hidden layers, passes over the questions, questions in a batch, AdamW."""

    first: int = Field(default=32, ge=1, le=1024)
    second: int = Field(default=16, ge=1, le=1024)
    epochs: int = Field(default=30, ge=1, le=1000)
    batch: int = Field(default=32, ge=1)
    learning_rate: float = Field(default=0.003, gt=0.0, le=1.0)
    weight_decay: float = Field(default=0.01, ge=0.0)


class RankParams(Section):
    """How a ranker is trained on the ranking split, and when it is used.

    `queries` is the most asked of each kind of query. At most `features` are kept, those that tell most about the
    grade, and none that tells less than `information` (nats). `margin`: what the ranker must gain in the mean nDCG@10
    of a kind of query on the validation split to be used for it; with 0 any sure gain will do.
    """

    seed: int = 13
    ranker: Literal["none", "lambdamart", "neural"] = "none"
    queries: int = Field(default=200, ge=1)
    features: int = Field(default=24, ge=1)
    information: float = Field(default=0.001, ge=0.0)
    margin: float = Field(default=0.005, ge=0.0)
    bootstrap_rounds: int = Field(default=2000, ge=100)
    lambdamart: TreeParams = TreeParams()
    neural: NetworkParams = NetworkParams()


def check_ranker(params: RankParams, split: SplitParams) -> None:
    """Raises InvalidParams for a ranker with nothing to train on, or nothing to judge it by."""
    if params.ranker == "none":
        return
    for name in ("ranking", "validation"):
        if getattr(split, name) == 0:
            raise InvalidParams(f"rank.ranker is {params.ranker}, and split.{name} is 0: raise it, or use none.")
