"""What a refresh costs beside a build from nothing, as the share of changed products grows.

    python -m benchmarks.refresh [--products 10000] [--rounds 3] [--late]

From the root of a workspace with a champion. A catalogue of that size is made of the champion's own products (again and
again, each with a title of its own, so that no vector is known twice), and built from nothing by the champion's
encoder: encode, rows, embedded Milvus, index, verify, with --late the tokens too. Then ever more of it is changed, and
each change is refreshed: other words and another picture of each, or another price alone. Seconds are medians of the
rounds (of everything changed there is one), and shares are of the build in this very run. Neither side validates.
"""

import argparse
import contextlib
import random
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from catalog.media import MediaStore
from catalog.products import Product
from catalog.snapshot import snapshot_id
from catalog.tables import read_products, read_terms, write_products, write_terms
from catalog.words.terms import TermIndex
from catalog.workspace import DATA, MEDIA
from flows.assembly import seal
from flows.environment import home_folder
from flows.refreshing.folder import keep_as_made
from flows.refreshing.ledger import ledger_made
from flows.refreshing.steps import Refresh, Refreshed
from flows.releases import ChampionRecord, ReleaseStore
from models.embed import embed_products
from models.embedding_cache import EmbeddingCache
from models.encoder import Encoder
from models.late.encoder import LateEncoder
from models.late.folder import TOKENS
from models.late.later import later_tokens
from models.late.params import LateParams
from models.late.tokens import ProductTokens
from models.params import EmbedParams
from search.late import LATE
from search.logic import SearchLogic
from search.milvus.store import MilvusStore
from search.release import ENCODER, RANKING, ReleaseManifest, write_manifest
from search.rows import build_rows

SEED = 7
Change = Callable[[Product, Sequence[Product], int], Product]


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--products", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--late", action="store_true", help="Late interaction's tokens on both sides.")
    asked = options.parse_args()
    champion = ReleaseStore(home_folder()).champion_manifest()
    source = ReleaseStore(home_folder()).folder(champion.release)
    products, terms, media = _many(read_products(), asked.products), read_terms(), MEDIA.absolute()
    with tempfile.TemporaryDirectory(prefix="etalage-refresh-") as folder, contextlib.chdir(folder):
        DATA.mkdir()
        MEDIA.symlink_to(media)
        write_products(products)
        write_terms(terms)
        store = ReleaseStore(Path(folder) / "home")
        collections = MilvusStore(str(store.home / "milvus" / "etalage.db"))
        built = _build(store, collections, champion, source, products, late=asked.late)
        print(f"{len(products):,} products; a build from nothing: {built:.1f} s", flush=True)
        print(f"{'changed':>8}  {'what':<20} {'seconds':>8} {'of a build':>10} {'encoded':>8}")
        for what, change, share in ROWS:
            rounds = 1 if share == 1.0 else asked.rounds
            found = [done for _ in range(rounds) for done in _refreshed(store, collections, share, change)]
            seconds = median(seconds for seconds, _ in found)
            encoded = found[-1][1].encoded
            print(f"{share:>8.0%}  {what:<20} {seconds:>8.2f} {seconds / built:>10.1%} {encoded:>8,}", flush=True)


def _many(products: Sequence[Product], count: int) -> list[Product]:
    """`count` products: those of `products` again and again, each with an id, a group and a title of its own."""
    copies = range(-(-count // len(products)))
    made = [
        replace(each, id=f"{each.id}-{copy}", group_id=f"{each.group_id}-{copy}", title=f"{each.title} {copy}")
        for copy in copies
        for each in products
    ]
    return made[:count]


def _build(
    store: ReleaseStore,
    collections: MilvusStore,
    champion: ReleaseManifest,
    source: Path,
    products: Sequence[Product],
    late: bool,
) -> float:
    """A release of `products` with the encoder and search logic in `source`. Returns the seconds of its index."""
    folder = store.folder(champion.release)
    left = shutil.ignore_patterns() if late else shutil.ignore_patterns(LATE)
    shutil.copytree(source / ENCODER, folder / ENCODER)
    shutil.copytree(source / RANKING, folder / RANKING, ignore=left)
    params = EmbedParams.model_validate(champion.params.get("embed") or {})
    started = time.monotonic()
    encoder, snapshot, terms = Encoder.load(folder / ENCODER), snapshot_id(), read_terms()
    embeddings = embed_products(products, MediaStore(), encoder, snapshot, params)
    metric = SearchLogic.load(folder / RANKING).ranking.matching.metric
    rows = build_rows(products, embeddings, TermIndex(terms), metric)
    collections.write(rows, champion.release)
    if late:
        heads, base = LateEncoder.load(folder / RANKING / LATE, encoder), folder / RANKING / LATE / TOKENS
        most = LateParams.model_validate(champion.params.get("late") or {}).title_words
        cache = EmbeddingCache(store.home / "built", encoder.fingerprint)
        later_tokens(products, MediaStore(), heads, base.parent, ProductTokens.load(base), most, cache)
    seconds = time.monotonic() - started
    keep_as_made(folder, ledger_made(products, rows, terms, params.pictures))
    write_manifest(champion.model_copy(update={"snapshot": snapshot, "files": None}), folder)
    seal(store, champion.release)
    store.write_champion(ChampionRecord(release=champion.release, since="now", by="a benchmark"))
    return seconds


def _refreshed(
    store: ReleaseStore, collections: MilvusStore, share: float, change: Change
) -> Iterator[tuple[float, Refreshed]]:
    """Change a share of the products, and refresh: seconds and outcome."""
    products = read_products()
    number = len(list((store.home / "releases").glob("*/refreshes/*"))) + 1
    rng = random.Random(SEED + number)
    for row in rng.sample(range(len(products)), round(share * len(products))):
        products[row] = change(products[row], products, number)
    write_products(products)
    started = time.monotonic()
    done = Refresh(store, collections, snapshot_id()).run(None)
    yield time.monotonic() - started, done


def _otherwise(product: Product, products: Sequence[Product], number: int) -> Product:
    """Other words, and the picture of another product."""
    other = products[(zlib.crc32(product.id.encode()) + number) % len(products)]
    return replace(product, title=f"{product.title} again {number}", images=other.images)


def _dearer(product: Product, products: Sequence[Product], number: int) -> Product:
    return replace(product, price=(product.price or 0.0) + number)


ROWS = (  # the longest last
    ("words and pictures", _otherwise, 0.0),
    ("words and pictures", _otherwise, 0.01),
    ("words and pictures", _otherwise, 0.1),
    ("prices", _dearer, 0.01),
    ("prices", _dearer, 0.1),
    ("prices", _dearer, 1.0),
    ("words and pictures", _otherwise, 1.0),
)

if __name__ == "__main__":
    main()
