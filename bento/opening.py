"""Opening the release that lies in a folder: its encoder, its own collection, its ranking. Never "the latest"."""

from pathlib import Path

from catalog.errors import EncoderMismatch
from models.encoder import Encoder
from search.engine import SearchEngine
from search.milvus import MilvusStore
from search.ranking import Ranking
from search.release import ENCODER, RANKING, read_manifest
from search.settings import SearchSettings


class ReleaseOpener:
    """Builds the engine of the release in `folder`; what was loaded once is kept when the store is not there yet."""

    def __init__(self, folder: Path, encoder_threads: int = 1) -> None:
        self.folder = folder
        self.encoder_threads = encoder_threads
        self._encoder: Encoder | None = None
