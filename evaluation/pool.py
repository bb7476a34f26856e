"""The engine over a pool: the products of one split, exact and in process, behind the same SearchEngine that serves."""

from collections.abc import Sequence
from dataclasses import replace

from catalog.products import Product, Term
from catalog.terms import TermIndex
from models.embeddings import ProductEmbeddings
from models.encoder import EncoderLike
from search.engine import SearchEngine
from search.memory import MemoryCollection
from search.ranking import Ranking
from search.rows import build_rows

NAME = "held-out"


def pool_collection(
    pool: Sequence[Product], terms: Sequence[Term], embeddings: ProductEmbeddings, *, hide_attributes: bool = False
) -> MemoryCollection:
    """The products of `pool`, whose vectors are in `embeddings`, as an exact collection.

    `hide_attributes`: the lexical leg sees titles and descriptions only. Derived grades come from attributes, so a
    leg that reads them knows the answers; weights tuned on that would fall for it.
    """
    seen = [replace(product, attributes={}, category=()) for product in pool] if hide_attributes else pool
    rows = build_rows(seen, embeddings, TermIndex([] if hide_attributes else terms))
    return MemoryCollection(rows, name=NAME, release=NAME)


def pool_engine(
    pool: Sequence[Product],
    terms: Sequence[Term],
    embeddings: ProductEmbeddings,
    encoder: EncoderLike,
    ranking: Ranking,
) -> SearchEngine:
    """The engine that evaluation asks. Raises EncoderMismatch when `embeddings` are another encoder's."""
    return SearchEngine(encoder, pool_collection(pool, terms, embeddings), ranking)
