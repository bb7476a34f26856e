"""Vectors of some products, through the embedding cache: only what it does not know is encoded.

embeddings, encoded = embed_through(cache, products, MediaStore(), encoder, snapshot, EmbedParams())
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from catalog.media import MediaStore
from catalog.products import Product
from models.embed import encode_batch, joined
from models.embedding_cache import EmbeddingCache, content_key
from models.embeddings import ProductEmbeddings
from models.encoder import EncoderLike
from models.params import EmbedParams


def embed_through(
    cache: EmbeddingCache,
    products: Sequence[Product],
    media: MediaStore,
    encoder: EncoderLike,
    snapshot: str,
    params: EmbedParams,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[ProductEmbeddings, int]:
    """Embeddings of `products` in their order, and how many of them were encoded for it.

    Each batch that was encoded is in the cache before the next one begins. `progress(done, total)` is told of encoded
    products. Raises NotReady when a vector is not a unit vector.
    """
    keys = [content_key(product, params.pictures) for product in products]
    found = cache.get(list(dict.fromkeys(keys)))
    missing = list(_missing(keys, products, found).items())
    for start in range(0, len(missing), params.batch_size):
        batch = missing[start : start + params.batch_size]
        arrays = encode_batch([product for _, product in batch], media, encoder, params.pictures)
        made = {key: {name: rows[at] for name, rows in arrays.items()} for at, (key, _) in enumerate(batch)}
        cache.add(made)
        found |= made
        progress(start + len(batch), len(missing))
    names = next(iter(found.values()), {})
    whole = [{name: np.stack([found[key][name] for key in keys]) for name in names}] if keys else []
    return joined([product.id for product in products], whole, encoder, snapshot), len(missing)


def to_encode(cache: EmbeddingCache, products: Sequence[Product], params: EmbedParams) -> int:
    """How many of `products` the encoder would be asked about."""
    keys = [content_key(product, params.pictures) for product in products]
    return len(_missing(keys, products, cache.get(list(dict.fromkeys(keys)))))


def _missing(keys: Sequence[str], products: Sequence[Product], found: Mapping[str, object]) -> dict[str, Product]:
    """Of each content that is not found, the first product that has it."""
    missing: dict[str, Product] = {}
    for key, product in zip(keys, products, strict=True):
        if key not in found:
            missing.setdefault(key, product)
    return missing
