"""The search logic of a release: everything besides encoder and collection that decides an answer, as one folder.

    logic = SearchLogic.load(Path("artifacts/ranking"))
    engine = logic.engine(encoder, collection)

Stages write the folder's files, a release holds a copy of it (`ranking/`), and only this file reads it.
"""

from dataclasses import dataclass, field
from pathlib import Path

from catalog.workspace import RANKING
from models.encoder import EncoderLike
from search.collection import Collection
from search.engine import SearchEngine
from search.ranking import Ranking

SETTINGS = "ranking.json"


@dataclass(frozen=True)
class SearchLogic:
    """`ranking`: how the legs become one list."""

    ranking: Ranking = field(default_factory=Ranking)

    def engine(self, encoder: EncoderLike, collection: Collection) -> SearchEngine:
        """What answers from `collection`. Raises EncoderMismatch when another encoder built it."""
        return SearchEngine(encoder, collection, self.ranking)

    def save(self, folder: Path = RANKING) -> None:
        """Write the folder."""
        self.ranking.save(folder / SETTINGS)

    @classmethod
    def load(cls, folder: Path = RANKING) -> "SearchLogic":
        """Read the folder. Raises NotReady when a part is missing or wrong."""
        return cls(ranking=Ranking.load(folder / SETTINGS))
