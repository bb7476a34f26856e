"""Opening the release that lies in a folder: its encoder, its own collection, its search logic. Never "the latest"."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bento.settings import ServiceSettings
from catalog.errors import EncoderMismatch, EtalageError, NotReady, ReleaseNotFound, TamperedRelease
from models.encoder import Encoder
from search.collection import Collection
from search.contents import check_contents
from search.engine import SearchEngine
from search.logic import SearchLogic
from search.query_cache import CachedEncoder, Lookup
from search.reading import WAIT, Reading
from search.refreshed import refreshed
from search.release import ENCODER, RANKING, RELEASES, read_manifest
from search.settings import SearchSettings


class ReleaseOpener:
    """Builds the engine of the release in `folder`; what comes from there is kept while the store cannot be opened."""

    def __init__(self, folder: Path, told: Callable[[Lookup], None] | None = None) -> None:
        """`told` hears of every look into the cache of query vectors."""
        self.folder = folder
        self._told = told
        self.begun: Reading | None = None
        """A reading that began before this code was imported: the first opening takes it, if it is of its release."""
        self._encoder: Encoder | None = None
        self._logic: SearchLogic | None = None
        self._release = ""
        self._collection: Collection | None = None

    def __call__(self) -> SearchEngine:
        """The engine. Raises NotReady, TamperedRelease, EncoderMismatch or ReleaseNotFound with the reason."""
        manifest = read_manifest(self.folder)
        begun, self.begun = self.begun, None
        with _collection_of(manifest.release, manifest.encoder, begun) as opened:
            check_contents(manifest, self.folder)  # before anything in it is parsed
            if self._encoder is None:
                self._encoder = Encoder.load(self.folder / ENCODER, ServiceSettings().encoder_threads)
            if self._encoder.fingerprint != manifest.encoder:
                raise EncoderMismatch(
                    f"The encoder of release {manifest.release} is {self._encoder.fingerprint}, "
                    f"and its manifest names {manifest.encoder}."
                )
            if self._logic is None:
                self._logic = SearchLogic.load(self.folder / RANKING)
            if self._collection is not None:
                self._collection.close()  # its connection may lead nowhere; who still waits for it gets no answer
                self._collection = None
            self._collection = collection = opened()
        if collection.name != manifest.collection:
            raise NotReady(f"Release {manifest.release} names {manifest.collection}, the store {collection.name}.")
        logic = refreshed(self._logic, SearchSettings().home / RELEASES / manifest.release, collection.freshness)
        most = ServiceSettings().query_cache
        if most == 0:
            return logic.engine(self._encoder, collection)
        return logic.engine(CachedEncoder(self._encoder, manifest.release, most, self._told), collection)

    def release(self) -> str:
        """The release's id, also while it cannot be opened; "" where the folder holds none."""
        if not self._release:
            with suppress(ReleaseNotFound, TamperedRelease):  # calling the opener tells this in words
                self._release = read_manifest(self.folder).release
        return self._release


@contextmanager
def _collection_of(release: str, encoder: str, begun: Reading | None) -> Iterator[Callable[[], Collection]]:
    """What gives the release's own collection in the store that the environment names.

    A server is connected to when it is called, by a connection of its own. An embedded store must be there already; it
    is read from the beginning of this block on, or since `begun`, by a process of its own: see search.reading.

    What is given raises ReleaseNotFound, NotReady, EncoderMismatch.
    """
    settings = SearchSettings()
    if settings.asks_a_server:
        yield lambda: _connected(settings, release, encoder)
        return
    if not Path(settings.uri).exists():
        yield lambda: _no_store(settings.uri)
        return
    if begun is not None and (begun.uri, begun.release, begun.encoder) != (settings.uri, release, encoder):
        begun.close()
        begun = None
    with begun or Reading(settings.uri, release, encoder, WAIT) as reading:
        yield reading.collection


def _connected(settings: SearchSettings, release: str, encoder: str) -> Collection:
    from search.milvus.store import MilvusStore  # slow to load, large, and only a server needs it

    store = MilvusStore(
        settings.uri,
        settings.milvus_token,
        WAIT,
        settings.milvus_timeout_s,
        query_timeout_s=settings.milvus_query_timeout_s,
    )
    try:
        return store.open(release, encoder)
    except EtalageError:
        store.close()
        raise


def _no_store(uri: str) -> Collection:
    raise NotReady(
        f"There is no Milvus store at {Path(uri).absolute()}: set ETALAGE_HOME or ETALAGE_MILVUS_URI "
        "to where the release was indexed."
    )
