"""A champion that is really indexed, in a workspace with its catalogue: and quick to refresh."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from catalog.media import MediaStore
from catalog.products import Product, Term
from catalog.shards import write_shards
from catalog.snapshot import snapshot_id
from catalog.tables import write_products, write_terms
from catalog.words.terms import TermIndex
from flows.refreshing.steps import Refresh
from flows.releases import ChampionRecord, ReleaseStore
from models.embed import embed_products
from models.encoder import Encoder
from search.contents import sealed
from search.logic import SearchLogic
from search.milvus.store import MilvusStore
from search.release import ENCODER, RANKING, write_manifest
from search.rows import Rows, build_rows
from tests.bento.tiny_encoder import COLOURS, photo, write_tiny_encoder
from tests.bento.world import TERMS, make_manifest
from tests.bento.world import catalogue as shop

RELEASE = "r1"
PICTURES = {f"m-{colour}": colour for colour in COLOURS}


def catalogue() -> list[Product]:
    """Thirty-seven products; pictures are named by what they show."""
    return [
        replace(product, images=(f"m-{product.attributes['colour']}",) if product.images else (), description="plain")
        for product in shop()
    ]


@dataclass
class World:
    """`folder` is the workspace, its working directory; `store` may be embedded or a server."""

    folder: Path
    collections: MilvusStore

    @property
    def releases(self) -> ReleaseStore:
        """Below the workspace."""
        return ReleaseStore(self.folder / ".etalage")

    @property
    def release(self) -> Path:
        """The champion's folder."""
        return self.releases.folder(RELEASE)

    def ingest(self, products: Sequence[Product], terms: Sequence[Term] = TERMS) -> str:
        """Make `products` the snapshot in data/. Returns its id."""
        write_products(products)
        write_terms(terms)
        write_shards(sorted((name, photo(colour)) for name, colour in PICTURES.items()))
        return snapshot_id()

    def full_build(self, products: Sequence[Product], terms: Sequence[Term] = TERMS) -> Rows:
        """What a build from nothing makes of `products`, with the champion's encoder."""
        encoder = Encoder.load(self.release / ENCODER)
        embeddings = embed_products(products, MediaStore(), encoder, snapshot_id())
        return build_rows(products, embeddings, TermIndex(terms))

    def make_champion(self, products: Sequence[Product]) -> None:
        """A release of `products`, indexed and promoted."""
        self.ingest(products)
        encoder = write_tiny_encoder(self.release / ENCODER)
        SearchLogic().save(self.release / RANKING)
        rows = self.full_build(products)
        name = self.collections.write(rows, RELEASE)
        manifest = make_manifest(RELEASE, encoder.fingerprint, name).model_copy(update={"snapshot": rows.snapshot})
        write_manifest(sealed(manifest, self.release), self.release)
        self.releases.write_champion(ChampionRecord(release=RELEASE, since="2026-11-21T00:00:00+00:00", by="a test"))

    def refresh(self) -> Refresh:
        """A refresh to what is in data/, not run yet."""
        return Refresh(self.releases, self.collections, snapshot_id())

    def rows(self) -> Rows:
        """What the champion's collection holds."""
        return self.collections.rows(RELEASE)


def assert_same(found: Rows, wanted: Rows) -> None:
    """All of both, bit for bit but for vectors: what else was in a batch may move their last bits."""
    assert found.ids == wanted.ids
    assert found.payloads == wanted.payloads
    assert found.words == wanted.words
    assert (found.encoder, found.snapshot, found.metric) == (wanted.encoder, wanted.snapshot, wanted.metric)
    for name, vectors in wanted.vectors.items():
        np.testing.assert_array_equal(found.present[name], wanted.present[name])
        np.testing.assert_allclose(found.vectors[name], vectors, atol=1e-6)
