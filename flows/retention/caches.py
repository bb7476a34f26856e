"""The embedding cache of `etalage refresh`: a file for each encoder, and which entries of it nothing asks for.

An entry is wanted while a product has its content, in data/ or in what a release's collection holds; of a picture's
codes for late interaction the newest ones are. The others are spare: a product that comes back need not be encoded.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from catalog.errors import InvalidSnapshot
from catalog.products import Product
from catalog.tables import read_products
from flows.durable import remove_durably
from flows.refreshing.ledger import load_ledger
from flows.releases import ReleaseStore
from flows.retention.keeping import CACHES, Cache
from models.embedding_cache import SUFFIX, EmbeddingCache, content_key, picture_of
from models.params import EmbedParams
from search.refreshes import REFRESHES
from search.release import ReleaseManifest


def caches_of(store: ReleaseStore, manifests: Sequence[ReleaseManifest]) -> tuple[Cache, ...]:
    """Every cache in the home; what is spare is told of encoders that a release has. Raises NotReady."""
    files: defaultdict[str, int] = defaultdict(int)
    for path in (store.home / CACHES).glob(f"*{SUFFIX}*"):  # with what a killed writer left beside one
        files[path.name.partition(SUFFIX)[0]] += path.stat().st_size
    releases: defaultdict[str, list[ReleaseManifest]] = defaultdict(list)
    for manifest in manifests:
        if manifest.encoder in files:
            releases[manifest.encoder].append(manifest)
    products = _products() if releases else ()
    return tuple(
        Cache(encoder, size, _spare(store, encoder, releases[encoder], products) if encoder in releases else ())
        for encoder, size in sorted(files.items())
    )


def remove_cache(home: Path, encoder: str) -> None:
    """The file of an encoder, and what lies beside it: first, for it is no use without the file and is read with it."""
    path = EmbeddingCache(home / CACHES, encoder).path
    for beside in sorted(path.parent.glob(f"{path.name}?*")):
        remove_durably(beside)
    remove_durably(path)


def _products() -> Sequence[Product]:
    try:
        return read_products()
    except InvalidSnapshot:
        return ()  # a machine that only serves has no data/


def _spare(
    store: ReleaseStore, encoder: str, manifests: Iterable[ReleaseManifest], products: Sequence[Product]
) -> tuple[tuple[str, int], ...]:
    sizes = EmbeddingCache(store.home / CACHES, encoder).sizes()
    wanted = _wanted(store, manifests, products)
    shown = {product.images[0] for product in products if product.images}
    for key in reversed(sizes):
        picture = picture_of(key)
        if picture in shown:
            shown.remove(picture)
            wanted.add(key)
    return tuple((key, size) for key, size in sizes.items() if key not in wanted)


def _wanted(store: ReleaseStore, manifests: Iterable[ReleaseManifest], products: Sequence[Product]) -> set[str]:
    """Content keys of what is in data/, and of what the collections of these releases hold."""
    found: set[str] = set()
    asked: set[int] = set()
    for manifest in manifests:
        pictures = EmbedParams.model_validate(manifest.params.get("embed") or {}).pictures
        asked.add(pictures)
        for folder in (store.folder(manifest.release) / REFRESHES).glob("[0-9]*"):
            ledger = load_ledger(folder)
            found |= {entry.content for entry in ledger.entries.values()} if ledger is not None else set()
    return found | {content_key(product, pictures) for product in products for pictures in asked}
