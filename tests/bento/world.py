"""Thirty-seven products in four colours and three kinds, indexed by the tiny encoder: a real engine in memory."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from starlette.testclient import TestClient

from bento.app import create_app
from bento.settings import ServiceSettings
from bento.telling.metrics import Metrics
from catalog.products import Product, Term
from catalog.words.terms import TermIndex
from models.embeddings import ProductEmbeddings
from models.encoder import Encoder, EncoderLike
from search.engine import SearchEngine
from search.memory import MemoryCollection
from search.query_cache import CachedEncoder
from search.ranking import Ranking
from search.release import ReleaseManifest
from search.rows import Rows, build_rows
from tests.bento.tiny_encoder import COLOURS, DIM, photo, write_tiny_encoder

KINDS = ("dress", "shirt", "shoes")
TERMS = [
    Term("colour", "Red", "zh", "红色"),
    Term("colour", "Blue", "zh", "蓝色"),
    Term("category", "dress", "zh", "连衣裙"),
    Term("category", "shoes", "zh", "鞋"),
]


def catalogue() -> list[Product]:
    """p0 is a red dress; sku/7 has a slash in its id."""
    kinds = [(colour, kind, size) for size in range(3) for kind in KINDS for colour in COLOURS]
    products = [
        Product(
            id=f"p{number}",
            group_id=f"g{number}",
            title=f"{colour} {kind}",
            category=("Apparel", kind),
            attributes={"colour": colour},
            price=10.0 * (size + 1),
            currency="EUR",
            stock=size,
            images=(f"m{number}",),
        )
        for number, (colour, kind, size) in enumerate(kinds)
    ]
    return [*products, Product(id="sku/7", group_id="sku", title="Red hat", attributes={"colour": "Red"})]


@cache
def tiny_encoder() -> Encoder:
    """The tiny encoder, written once for the whole run."""
    return write_tiny_encoder(Path(tempfile.mkdtemp(prefix="etalage-tiny-")) / "encoder")


def make_rows(products: Sequence[Product], encoder: EncoderLike, snapshot: str = "s1") -> Rows:
    """Rows of `products`: every one has words, those with a medium have a photo of their colour."""
    count = len(products)
    has_text, has_image = np.ones(count, dtype=bool), np.array([bool(p.images) for p in products], dtype=bool)
    text, image = np.zeros((count, DIM), dtype=np.float32), np.zeros((count, DIM), dtype=np.float32)
    if count:
        text = encoder.encode_text([product.title for product in products])
        image[has_image] = encoder.encode_image([photo(p.attributes["colour"]) for p in products if p.images])
    embeddings = ProductEmbeddings(
        ids=[product.id for product in products],
        fused=encoder.fuse_products(text, image, has_text, has_image),
        text=text,
        image=image,
        has_text=has_text,
        has_image=has_image,
        encoder=encoder.fingerprint,
        snapshot=snapshot,
    )
    return build_rows(products, embeddings, TermIndex(TERMS))


@cache
def _rows() -> Rows:
    return make_rows(catalogue(), tiny_encoder())


def make_manifest(release: str, encoder: str, collection: str = "") -> ReleaseManifest:
    """The manifest of a release with an untuned ranking."""
    return ReleaseManifest(
        release=release,
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
        snapshot="s1",
        code_revision="abc",
        params={},
        params_hash="0",
        encoder=encoder,
        collection=collection or f"products_{release}",
        milvus_uri_kind="embedded",
        ranking=Ranking().model_dump(),
    )


def make_engine(encoder: EncoderLike | None = None, products: Sequence[Product] | None = None) -> SearchEngine:
    """An engine over the whole catalogue or over `products`; `encoder` may be another with the same vectors."""
    rows = _rows() if products is None else make_rows(products, tiny_encoder())
    collection: Any = MemoryCollection(rows, name="products_r1", release="r1")
    return SearchEngine(encoder or tiny_encoder(), collection, Ranking())


@contextmanager
def ready_client(
    settings: ServiceSettings, load: Callable[[], SearchEngine] | None = None, metrics: Metrics | None = None
) -> Iterator[TestClient]:
    """A client of a ready service of release r1; `load` is make_engine by default."""
    app = create_app(load or make_engine, release=lambda: "r1", settings=settings, metrics=metrics)
    with TestClient(app, raise_server_exceptions=False) as client:
        until = time.monotonic() + 60
        while client.get("/readyz").status_code != 200 and time.monotonic() < until:
            time.sleep(0.02)
        yield client


@contextmanager
def cached_service(most: int = 50) -> Iterator[TestClient]:
    """A client of a ready service whose encoder has a cache of `most` vectors that counts in its metrics."""
    metrics = Metrics()

    def load() -> SearchEngine:
        return make_engine(CachedEncoder(tiny_encoder(), "r1", most, metrics.cached))

    with ready_client(ServiceSettings(query_cache=most), load, metrics) as client:
        yield client
