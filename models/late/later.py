"""Late interaction's tokens of products that differ from a release as it was made: what a refresh puts beside it.

Pictures are encoded once: their codes are kept in the cache by the picture's id and these heads. No torch.
Legend: J tokens of a picture, W width.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from catalog.digests import digest_of
from catalog.media import MediaStore
from catalog.products import Product
from models.embedding_cache import EmbeddingCache, picture_key
from models.late.changed import tokens_of
from models.late.encoder import PICTURE_GRAPH, LateEncoder
from models.late.max_sim import Codes, coded
from models.late.tokens import ProductTokens
from models.late.words import words_of

_AT_ONCE = 64


def later_tokens(
    products: Sequence[Product],
    media: MediaStore,
    heads: LateEncoder,
    folder: Path,
    base: ProductTokens,
    title_words: int,
    cache: EmbeddingCache,
) -> ProductTokens:
    """Tokens of `products` by the `heads` that lie in `folder`, in the scale and with the words of `base`.

    `title_words`: so many first words of a title count, as when `base` was made.
    """
    titles = [words_of(product.title, title_words) for product in products]
    said = sorted({word for title in titles for word in title})
    fresh = [word for word in said if word not in base.known]
    words = {word: base.words[base.known[word]] for word in said if word in base.known}
    words |= dict(zip(fresh, heads.words(fresh), strict=True))
    codes = _codes(list(dict.fromkeys(p.images[0] for p in products if p.images)), media, heads, folder, base, cache)
    shown = [codes[product.images[0]] if product.images else None for product in products]
    return tokens_of([product.id for product in products], titles, shown, words, base)


def _codes(
    pictures: Sequence[str],
    media: MediaStore,
    heads: LateEncoder,
    folder: Path,
    base: ProductTokens,
    cache: EmbeddingCache,
) -> dict[str, Codes]:
    """int8 [J, W] of each picture."""
    graph = hashlib.sha256((folder / PICTURE_GRAPH).read_bytes()).hexdigest()
    made_by = digest_of([graph, base.scale.tolist()])
    key = {picture: picture_key(picture, made_by) for picture in pictures}
    known = cache.get(list(key.values()))
    missing = [picture for picture in pictures if key[picture] not in known]
    for start in range(0, len(missing), _AT_ONCE):
        part = missing[start : start + _AT_ONCE]
        found = [pair for pairs in media.iterate(part, len(part)) for pair in pairs]
        # by way of 16 bits, as when the release's own were made
        made = {picture: coded(heads.photo(data).astype(np.float16).astype(np.float32), base.scale)
                for picture, data in found}  # fmt: skip
        cache.add({key[picture]: {"codes": codes} for picture, codes in made.items()})
        known |= {key[picture]: {"codes": codes} for picture, codes in made.items()}
    return {picture: known[key[picture]]["codes"].astype(np.int8, copy=False) for picture in pictures}
