"""The search logic of a release: everything besides encoder and collection that decides an answer, as one folder.

    logic = SearchLogic.load(Path("artifacts/ranking"))
    engine = logic.engine(encoder, collection)

Stages write the folder's files, a release holds a copy of it (`ranking/`), and only this file reads it.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from catalog.workspace import RANKING
from models.composer import Composer, SumComposer, load_composer
from models.encoder import EncoderLike
from models.late.changed import ChangedTokens
from models.late.tokens import ProductTokens
from search.collection import Collection
from search.engine import SearchEngine
from search.hubness import FOLDER as HUBS
from search.hubness import Hubs
from search.late import LATE, load_late
from search.ranking import Ranking
from search.ranking.rerank import Reranker
from search.understanding.reader import Reader
from search.understanding.vocabulary import DOCUMENT, Vocabulary

SETTINGS = "ranking.json"
COMPOSER = "composer"
RERANKER = "reranker"


@dataclass(frozen=True)
class SearchLogic:
    """`ranking`: how the legs become one list. `composer`: how a photo and words become one vector. `vocabulary`: what
    queries are read with; None: they are plain words. `reranker`: who looks at the top of the list again; None: nobody.
    `late`: the folder of late interaction (models.late.folder); None: there is none. `hubs`: by which pictures that are
    near everything are known; None: they are not corrected. `tokens`: how the products of a refresh are put beside
    those of late interaction (search.refreshes); None: they are as the release was made.
    """

    ranking: Ranking = field(default_factory=Ranking)
    composer: Composer = field(default_factory=SumComposer)
    vocabulary: Vocabulary | None = None
    reranker: Reranker | None = None
    late: Path | None = None
    hubs: Hubs | None = None
    tokens: Callable[[ProductTokens], ChangedTokens] | None = None

    def engine(self, encoder: EncoderLike, collection: Collection) -> SearchEngine:
        """What answers from `collection`. Raises EncoderMismatch when a part belongs to another encoder."""
        reader = None if self.vocabulary is None else Reader(self.vocabulary, encoder.encode_text)
        late = None if self.late is None else load_late(self.late, encoder, self.tokens)
        return SearchEngine(encoder, collection, self.ranking, self.composer, reader, self.reranker, late, self.hubs)

    def save(self, folder: Path = RANKING) -> None:
        """Write the folder. What lies there of before and is no part of this logic goes: it must not answer."""
        self.ranking.save(folder / SETTINGS)
        self.composer.save(folder / COMPOSER)
        (folder / DOCUMENT).unlink(missing_ok=True)
        if self.vocabulary is not None:
            self.vocabulary.save(folder)
        shutil.rmtree(folder / RERANKER, ignore_errors=True)
        if self.reranker is not None:
            self.reranker.save(folder / RERANKER)
        shutil.rmtree(folder / HUBS, ignore_errors=True)
        if self.hubs is not None and self.ranking.hubness:
            self.hubs.save(folder / HUBS)
        if self.late != (own := folder / LATE):
            shutil.rmtree(own, ignore_errors=True)
            if self.late is not None and any(self.ranking.late.values()):
                shutil.copytree(self.late, own)

    @classmethod
    def load(cls, folder: Path = RANKING) -> "SearchLogic":
        """Read the folder. Raises NotReady when a part is missing or wrong."""
        return cls(
            ranking=Ranking.load(folder / SETTINGS),
            composer=load_composer(folder / COMPOSER),
            vocabulary=Vocabulary.load(folder) if (folder / DOCUMENT).is_file() else None,
            reranker=Reranker.load(folder / RERANKER) if (folder / RERANKER).is_dir() else None,
            late=late if (late := folder / LATE).is_dir() else None,
            hubs=Hubs.load(folder / HUBS) if (folder / HUBS).is_dir() else None,
        )
