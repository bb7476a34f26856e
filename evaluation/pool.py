"""The engine over a pool: the products of one split, exact and in process, behind the same SearchEngine that serves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from catalog.products import Product, Term
from catalog.words.terms import TermIndex
from catalog.words.text import product_text
from models.embeddings import ProductEmbeddings
from models.encoder import EncoderLike
from search.engine import SearchEngine
from search.logic import SearchLogic
from search.matching import MetricName
from search.memory import MemoryCollection
from search.rows import build_rows

NAME = "held-out"


@dataclass(frozen=True)
class PoolEngines:
    """`served` answers from all that the shop knows; `hidden` from an index without attributes, categories, terms."""

    served: SearchEngine
    hidden: SearchEngine


def pool_engines(
    pool: Sequence[Product],
    terms: Sequence[Term],
    embeddings: ProductEmbeddings,
    encoder: EncoderLike,
    logic: SearchLogic,
) -> PoolEngines:
    """The engines that evaluation asks. Raises EncoderMismatch when `embeddings` are another encoder's."""
    metric = logic.ranking.matching.metric
    served = logic.engine(encoder, pool_collection(pool, terms, embeddings, metric))
    return PoolEngines(served, logic.engine(encoder, hidden_collection(pool, embeddings, encoder, metric)))


def pool_collection(
    pool: Sequence[Product], terms: Sequence[Term], embeddings: ProductEmbeddings, metric: MetricName = "cosine"
) -> MemoryCollection:
    """The products of `pool`, whose vectors are in `embeddings`, as an exact collection."""
    return MemoryCollection(build_rows(pool, embeddings, TermIndex(terms), metric), name=NAME, release=NAME)


def hidden_collection(
    pool: Sequence[Product], embeddings: ProductEmbeddings, encoder: EncoderLike, metric: MetricName = "cosine"
) -> MemoryCollection:
    """The same of products that have lost their attributes and categories: words are encoded again without them.

    Derived grades come from attributes, so a leg or a vector that has read them knows the answers; weights tuned on
    that would fall for it, and a score measured on it says little.
    """
    bare, reworded = [without_attributes(product) for product in pool], hidden_embeddings(pool, embeddings, encoder)
    return MemoryCollection(build_rows(bare, reworded, TermIndex([]), metric), name=NAME, release=NAME)


def hidden_embeddings(
    pool: Sequence[Product], embeddings: ProductEmbeddings, encoder: EncoderLike
) -> ProductEmbeddings:
    """The vectors of `pool` without attributes and categories. Pictures are those of `embeddings`."""
    at = {product_id: row for row, product_id in enumerate(embeddings.ids)}
    rows = np.array([at[product.id] for product in pool], dtype=np.int64)
    texts = [product_text(without_attributes(product)) for product in pool]
    has_text = np.array([bool(text) for text in texts], dtype=bool)
    has_image, image = embeddings.has_image[rows], embeddings.image[rows]
    text = np.zeros_like(image)
    if has_text.any():
        text[has_text] = encoder.encode_product_text([text for text in texts if text])
    return replace(
        embeddings,
        ids=[product.id for product in pool],
        text=text,
        image=image,
        fused=encoder.fuse_products(text, image, has_text, has_image),
        has_text=has_text,
        has_image=has_image,
    )


def without_attributes(product: Product) -> Product:
    """The product as a shop would sell it that never filled in attributes and categories."""
    return replace(product, attributes={}, category=())
