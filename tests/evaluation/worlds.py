"""A small shop whose facets are known by the products' numbers, and an encoder that sees exactly those facets."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from catalog.media import MediaStore, decode_image, media_id
from catalog.products import CATEGORY, Product, Term
from catalog.shards import write_shards
from catalog.words.terms import TermIndex
from models.embed import embed_products
from models.embeddings import Floats, Mask, ProductEmbeddings

COLOURS = {"Red": (220, 30, 30), "Blue": (30, 30, 220), "Green": (30, 160, 30), "Black": (20, 20, 20)}
GOODS = {
    ("Clothing", "Dresses"): (230, 230, 40),
    ("Clothing", "Shirts"): (230, 40, 230),
    ("Home", "Mugs"): (40, 220, 220),
}
TERMS = [
    Term("colour", "Red", "zh", "红色"),
    Term("colour", "Blue", "zh", "蓝色"),
    Term("colour", "Green", "zh", "绿色"),
    Term("colour", "Black", "zh", "黑色"),
    Term(CATEGORY, "Dresses", "zh", "连衣裙"),
    Term(CATEGORY, "Shirts", "zh", "衬衫"),
    Term(CATEGORY, "Mugs", "zh", "马克杯"),
]
WIDTH = len(COLOURS) + len(GOODS)  # one dimension a facet


def facets_of(number: int) -> tuple[str, tuple[str, str]]:
    """Colour and category path of product `number`."""
    return list(COLOURS)[number % len(COLOURS)], list(GOODS)[number % len(GOODS)]


def picture(number: int) -> bytes:
    """PNG of product `number`: its colour above, its category's colour below, its number in the first pixel."""
    colour, category = facets_of(number)
    image = Image.new("RGB", (40, 40), GOODS[category])
    image.paste(COLOURS[colour], (0, 0, 40, 20))
    image.putpixel((0, 0), (number % 256, number // 256, 0))
    buffer = BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def shop(count: int = 48) -> list[Product]:
    """`count` products; every eighth has no picture. Field batch has no term, so nobody speaks of it."""
    products = []
    for number in range(count):
        colour, category = facets_of(number)
        products.append(
            Product(
                id=f"p{number:03}",
                group_id=f"g{number:03}",
                title=f"Maker{number} {colour} {category[1]} style {number}",
                category=category,
                attributes={"colour": colour, "batch": f"b{number % 2}"},
                price=float(number),
                images=() if number % 8 == 7 else (media_id(picture(number)),),
            )
        )
    return products


def media(folder: Path, count: int = 48) -> MediaStore:
    """The pictures of `shop(count)`, packed into `folder`."""
    write_shards(((media_id(picture(number)), picture(number)) for number in range(count)), folder)
    return MediaStore(folder)


class FacetEncoder:
    """Sees the facets a text names and the colours of a picture, nothing else. `blind`: sees no colour."""

    modalities = ("text", "image")
    dim = WIDTH
    name = "facets"

    def __init__(self, fingerprint: str = "facets", blind: bool = False) -> None:
        self.fingerprint = fingerprint
        self.blind = blind
        self._terms = TermIndex(TERMS)

    def encode_text(self, texts: Sequence[str]) -> Floats:
        return self._rows([dict(self._terms.values_named(text)) for text in texts])

    def encode_product_text(self, texts: Sequence[str]) -> Floats:
        return self.encode_text(texts)

    def encode_image(self, images: Sequence[bytes]) -> Floats:
        return self._rows([self._seen(data) for data in images])

    def fuse_products(self, text: Floats | None, image: Floats | None, has_text: Mask, has_image: Mask) -> Floats:
        assert text is not None
        assert image is not None
        total = text * has_text[:, None] + image * has_image[:, None]
        fused: Floats = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
        return fused

    def check_probes(self) -> float:
        return 1.0

    def _rows(self, facets: Sequence[dict[str, str]]) -> Floats:
        return np.stack([np.zeros(WIDTH, dtype=np.float32), *map(self._vector, facets)])[1:]

    def _seen(self, data: bytes) -> dict[str, str]:
        image = np.asarray(decode_image(data), dtype=np.float32)
        above, below = image[4 : len(image) // 2 - 4].mean(axis=(0, 1)), image[len(image) // 2 + 4 :].mean(axis=(0, 1))
        return {
            "colour": min(COLOURS, key=lambda name: float(np.abs(above - COLOURS[name]).sum())),
            CATEGORY: min(GOODS, key=lambda path: float(np.abs(below - GOODS[path]).sum()))[1],
        }

    def _vector(self, facets: dict[str, str]) -> Floats:
        vector = np.full(WIDTH, 0.01, dtype=np.float32)
        if "colour" in facets and not self.blind:
            vector[list(COLOURS).index(facets["colour"])] += 1.0
        if CATEGORY in facets:
            vector[len(COLOURS) + [leaf for _, leaf in GOODS].index(facets[CATEGORY])] += 1.0
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def embedded(products: Sequence[Product], store: MediaStore, encoder: FacetEncoder) -> ProductEmbeddings:
    """`products` through `encoder`."""
    return embed_products(products, store, encoder, "snapshot")
