"""A shop as its search logic is chosen for it: the snapshot, the encoder under test, the vectors of the products."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog.media import MediaStore
from catalog.products import Interaction, Judgement, Product, Term
from catalog.tables import read_interactions, read_judgements, read_products, read_terms
from evaluation.runs import Photos, photos_of
from models.embeddings import ProductEmbeddings
from models.encoder import EncoderLike
from search.ranking.features import ShopFacts, seconds_of


@dataclass(frozen=True)
class Shop:
    """The catalogue with what is known about it, and the encoder under test."""

    products: Sequence[Product]
    terms: Sequence[Term]
    judgements: Sequence[Judgement]
    facts: ShopFacts
    embeddings: ProductEmbeddings
    encoder: EncoderLike
    photos: Photos


def read_shop(encoder: EncoderLike, embeddings: ProductEmbeddings) -> Shop:
    """The snapshot of this workspace."""
    products, photos = read_products(), photos_of(MediaStore())
    facts = shop_facts(products, read_interactions())
    return Shop(products, read_terms(), read_judgements(), facts, embeddings, encoder, photos)


def shop_facts(products: Iterable[Product], interactions: Sequence[Interaction]) -> ShopFacts:
    """What a ranker must know of the whole snapshot."""
    times = [seconds_of(product.updated_at) for product in products if product.updated_at is not None]
    actions = Counter(interaction.product_id for interaction in interactions)
    return ShopFacts(max(times, default=None), dict(actions) if interactions else None)
