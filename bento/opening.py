"""Opening the release that lies in a folder: its encoder, its own collection, its ranking. Never "the latest"."""

from pathlib import Path

from bento.settings import ServiceSettings
from catalog.errors import EncoderMismatch, NotReady
from models.encoder import Encoder
from search.engine import SearchEngine
from search.milvus import MilvusStore
from search.ranking import Ranking
from search.release import ENCODER, RANKING, ReleaseManifest, read_manifest
from search.settings import SearchSettings

WAIT = 5.0
"""Seconds for an embedded store that another process holds; then the service says so, and tries again."""


class ReleaseOpener:
    """Builds the engine of the release in `folder`; the encoder is kept while the store cannot be opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._encoder: Encoder | None = None

    def __call__(self) -> SearchEngine:
        """The engine. Raises NotReady, EncoderMismatch or ReleaseNotFound with the reason."""
        manifest = read_manifest(self.folder)
        if self._encoder is None:
            self._encoder = Encoder.load(self.folder / ENCODER, ServiceSettings().encoder_threads)
        if self._encoder.fingerprint != manifest.encoder:
            raise EncoderMismatch(
                f"The encoder of release {manifest.release} is {self._encoder.fingerprint}, "
                f"and its manifest names {manifest.encoder}."
            )
        ranking = Ranking.load(self.folder / RANKING)
        collection = _store().open(manifest.release, manifest.encoder)
        if collection.name != manifest.collection:
            raise NotReady(f"Release {manifest.release} names {manifest.collection}, the store {collection.name}.")
        return SearchEngine(self._encoder, collection, ranking)

    def manifest(self) -> ReleaseManifest:
        """What the release says of itself. Raises ReleaseNotFound."""
        return read_manifest(self.folder)


def _store() -> MilvusStore:
    """The store that the environment names; an embedded one must be there already."""
    settings = SearchSettings()
    store = MilvusStore(settings.uri, settings.milvus_token, WAIT, settings.milvus_timeout_s)
    if store.kind == "embedded" and not Path(settings.uri).exists():
        raise NotReady(
            f"There is no Milvus store at {Path(settings.uri).absolute()}: set ETALAGE_HOME or ETALAGE_MILVUS_URI "
            "to where the release was indexed."
        )
    return store
