"""Which texts and pictures of a catalogue become the probes of an encoder. The same snapshot gives the same probes."""

import hashlib
from collections.abc import Sequence

from catalog.media import MediaStore
from catalog.products import Product, Term
from catalog.words.text import product_text

# Always there, so both languages are probed whatever the catalogue is written in.
FIXED = ("red dress for women", "红色女士连衣裙", "black leather shoes", "白色运动鞋")


def probe_texts(products: Sequence[Product], terms: Sequence[Term], count: int) -> list[str]:
    """`count` texts: the fixed ones, then product texts and localised names in turn."""
    titles = [text for product in _shuffled(products) if (text := product_text(product))]
    names = sorted({term.term for term in terms if term.language != "en"}, key=_digest)
    texts = list(FIXED)
    for title, name in zip(titles[:count], [*names[:count], *titles[count : 2 * count]], strict=False):
        texts += [title, name]
    return list(dict.fromkeys([*texts, *titles]))[:count]


def probe_images(products: Sequence[Product], media: MediaStore, count: int) -> list[bytes]:
    """First pictures of up to `count` products, as files."""
    first = [product.images[0] for product in _shuffled(products) if product.images]
    return [media.read(identity) for identity in list(dict.fromkeys(first))[:count]]


def _shuffled(products: Sequence[Product]) -> list[Product]:
    return sorted(products, key=lambda product: _digest(product.id))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
