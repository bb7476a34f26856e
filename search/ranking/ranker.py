"""A ranker: scores the rows of search.ranking.features, and says what each feature adds.

Legend: C candidates, F features.
"""

from pathlib import Path
from typing import Literal, Protocol

from search.ranking.features import Floats

RankerName = Literal["lambdamart", "neural"]


class Ranker(Protocol):
    """Trained, frozen, and free of training libraries. Threads may share it."""

    features: tuple[str, ...]
    """The F features that it was given, by name, in their order."""

    def scores(self, features: Floats) -> Floats:
        """[C] for rows [C, F]: more is better, comparable within one query only. NaN is a feature that is not known."""

    def contributions(self, features: Floats) -> Floats:
        """[C, F + 1]: what each feature adds to the score, and last what it starts from; a row sums to its score."""

    def save(self, folder: Path) -> None:
        """Write the model into `folder`. The same model writes the same bytes."""
