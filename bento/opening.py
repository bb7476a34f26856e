"""Opening the release that lies in a folder: its encoder, its own collection, its search logic. Never "the latest"."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bento.settings import ServiceSettings
from catalog.errors import EncoderMismatch, NotReady, ReleaseNotFound
from models.encoder import Encoder
from search.collection import Collection
from search.engine import SearchEngine
from search.logic import SearchLogic
from search.query_cache import CachedEncoder, Lookup
from search.release import ENCODER, RANKING, read_manifest
from search.settings import SearchSettings

WAIT = 5.0
"""Seconds for an embedded store that another process holds; then the service says so, and tries again."""


class ReleaseOpener:
    """Builds the engine of the release in `folder`; the encoder is kept while the store cannot be opened."""

    def __init__(self, folder: Path, told: Callable[[Lookup], None] | None = None) -> None:
        """`told` hears of every look into the cache of query vectors."""
        self.folder = folder
        self._told = told
        self._encoder: Encoder | None = None
        self._release = ""

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
        logic = SearchLogic.load(self.folder / RANKING)
        collection = _open_collection(manifest.release, manifest.encoder)
        if collection.name != manifest.collection:
            raise NotReady(f"Release {manifest.release} names {manifest.collection}, the store {collection.name}.")
        most = ServiceSettings().query_cache
        if most == 0:
            return logic.engine(self._encoder, collection)
        return logic.engine(CachedEncoder(self._encoder, manifest.release, most, self._told), collection)

    def release(self) -> str:
        """The release's id, also while it cannot be opened; "" where the folder holds none."""
        if not self._release:
            with suppress(ReleaseNotFound):  # calling the opener tells this in words
                self._release = read_manifest(self.folder).release
        return self._release


def _open_collection(release: str, encoder: str) -> Collection:
    """The release's own collection in the store that the environment names; an embedded store must be there already.

    Raises ReleaseNotFound, NotReady, EncoderMismatch.
    """
    from search.milvus import MilvusStore  # slow to load, and BentoML's supervisor imports this module for nothing

    settings = SearchSettings()
    store = MilvusStore(settings.uri, settings.milvus_token, WAIT, settings.milvus_timeout_s)
    if store.kind == "embedded" and not Path(settings.uri).exists():
        raise NotReady(
            f"There is no Milvus store at {Path(settings.uri).absolute()}: set ETALAGE_HOME or ETALAGE_MILVUS_URI "
            "to where the release was indexed."
        )
    return store.open(release, encoder)
