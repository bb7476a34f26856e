"""A release from its folder to something that answers: its own encoder, its own collection, its own search logic."""

from catalog.errors import NotReady
from flows.releases import ReleaseStore
from models.encoder import Encoder
from search.contents import check_contents
from search.engine import SearchEngine
from search.logic import SearchLogic
from search.milvus.store import MilvusStore
from search.query import Query
from search.refreshed import refreshed
from search.release import ENCODER, RANKING
from search.settings import SearchSettings

PROBE = "red dress"


def milvus() -> MilvusStore:
    """The Milvus that the environment names."""
    return MilvusStore.from_settings(SearchSettings())


def open_engine(store: ReleaseStore, release: str, collections: MilvusStore | None = None) -> SearchEngine:
    """The engine of `release`. Raises ReleaseNotFound, NotReady, TamperedRelease, or EncoderMismatch (promise 2)."""
    manifest = store.get(release)
    folder = store.folder(manifest.release)
    check_contents(manifest, folder)
    encoder = Encoder.load(folder / ENCODER)
    collection = (collections or milvus()).open(manifest.release, encoder.fingerprint)
    logic = refreshed(SearchLogic.load(folder / RANKING), folder, collection.freshness)
    return logic.engine(encoder, collection)


def prove(engine: SearchEngine) -> None:
    """The encoder gives its saved vectors again, and a query finds products. Raises NotReady."""
    engine.encoder.check_probes()
    if not engine.search(Query(text=PROBE, k=1)).hits:
        raise NotReady(f"Release {engine.release} finds no product for '{PROBE}': its collection is empty.")
