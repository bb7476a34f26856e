"""A small catalogue with known answers, and an encoder that hashes words: rows, engines and stores for the tests."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.products import Product, Term
from catalog.words.terms import TermIndex
from catalog.words.text import product_text, tokenize
from models.embeddings import ProductEmbeddings
from search.engine import SearchEngine
from search.memory import MemoryCollection
from search.ranking import Ranking
from search.rows import Rows, build_rows

D = 32
Floats = NDArray[np.float32]

TERMS = TermIndex([Term("colour", "Red", "zh", "红色"), Term("category", "Dresses", "zh", "连衣裙")])


class WordEncoder:
    """Each word is a fixed random direction; a text is the sum of its words, and a "photo" is its caption in UTF-8."""

    fingerprint = "w" * 16
    dim = D
    modalities = ("text", "image")
    name = "words"

    def encode_text(self, texts: Sequence[str]) -> Floats:
        sums = [sum((_direction(word) for word in tokenize(text)), np.zeros(D)) for text in texts]
        return np.array([self._unit(each) for each in sums], dtype=np.float32).reshape(len(texts), D)

    def encode_product_text(self, texts: Sequence[str]) -> Floats:
        return self.encode_text(texts)

    def encode_image(self, images: Sequence[bytes]) -> Floats:
        return self.encode_text([image.decode() for image in images])

    def fuse_products(
        self, text: Floats, image: Floats, has_text: NDArray[np.bool_], has_image: NDArray[np.bool_]
    ) -> Floats:
        sums = text * has_text[:, None] + image * has_image[:, None]
        return np.array([self._unit(each) for each in sums], dtype=np.float32).reshape(len(sums), D)

    def check_probes(self) -> float:
        return 1.0

    def _unit(self, vector: Floats) -> Floats:
        length = np.linalg.norm(vector)
        return (vector / length if length else vector).astype(np.float32)


class OtherEncoder(WordEncoder):
    """The same answers under another fingerprint."""

    fingerprint = "o" * 16


def catalogue() -> list[Product]:
    """Twelve products: 3 dresses, 3 shirts, 2 without a picture, 1 with only a picture, 1 in Chinese, twins x and y."""
    dress = ("Women", "Dresses")
    shirt = ("Men", "Shirts")
    return [
        Product("d1", "g1", "Red summer dress", "light cotton", "Acme", dress, {"colour": "Red"}, 30.0, "EUR", "en", 5,
                images=("red dress",)),
        Product("d2", "g1", "Blue summer dress", "light cotton", "Acme", dress, {"colour": "Blue"}, 30.0, "EUR",
                "en", 0, images=("blue dress",)),
        Product("d3", "g2", "Green party dress", "", None, dress, {"colour": "Green", "fabric": "silk"}, 80.0, "EUR",
                images=("green dress",)),
        Product("s1", "g3", "Red checked shirt", "", "Bolt", shirt, {"colour": "Red"}, 20.0, "EUR", "en", 9, 4.5,
                images=("red shirt",)),
        Product("s2", "g4", "Blue denim shirt", "", "Bolt", shirt, {"colour": "Blue", "fabric": "denim"}, 25.5,
                images=("blue shirt",)),
        Product("s3", "g5", "White shirt", "", None, shirt, {"colour": "White"}, None, None, None, 1,
                images=("white shirt",)),
        Product("n1", "g6", "Yellow raincoat", "waterproof", None, ("Coats",), {"colour": "Yellow"}, 55.0, stock=2),
        Product("n2", "g7", "Black leather belt", "", None, ("Belts",), {}, 15.0, stock=2),
        Product("p1", "g8", "", images=("purple hat",)),
        Product("z1", "g9", "红色真丝围巾", "", None, ("Scarves",), {"colour": "Red"}, 12.0, "CNY", "zh", 3,
                images=("red scarf",)),
        Product("y", "g10", "Grey wool sock", images=("grey sock",), category=("Socks",)),
        Product("x", "g10", "Grey wool sock", images=("grey sock",), category=("Socks",)),
    ]  # fmt: skip


def embeddings_of(products: Sequence[Product], encoder: WordEncoder | None = None) -> ProductEmbeddings:
    """What the embed stage would make of them; the picture of a product is its first media id."""
    encoder = encoder or WordEncoder()
    has_text = np.array([bool(p.title) for p in products], dtype=bool)
    has_image = np.array([bool(p.images) for p in products], dtype=bool)
    text = encoder.encode_text([product_text(p) for p in products])
    image = encoder.encode_text([p.images[0] if p.images else "" for p in products])
    return ProductEmbeddings(
        ids=[p.id for p in products],
        fused=encoder.fuse_products(text, image, has_text, has_image),
        text=text,
        image=image,
        has_text=has_text,
        has_image=has_image,
        encoder=encoder.fingerprint,
        snapshot="5" * 12,
    )


def rows_of(products: Sequence[Product] | None = None, encoder: WordEncoder | None = None) -> Rows:
    """Rows of `products`, by default of the whole small catalogue."""
    products = catalogue() if products is None else products
    return build_rows(products, embeddings_of(products, encoder), TERMS)


def many_rows(count: int, seed: int = 0) -> Rows:
    """`count` products drawn from a few words."""
    rng = np.random.default_rng(seed)
    words = ["red", "blue", "green", "dress", "shirt", "sock", "silk", "wool", "summer", "party", "small", "long"]
    products = []
    for number in range(count):
        title = " ".join(rng.choice(words, 4)) + f" m{number % 97}"
        base = Product(f"q{number:05}", f"h{number // 2}", title, images=(title,) if number % 5 else ())
        colour = str(rng.choice(["Red", "Blue", "Green"]))
        products.append(replace(base, attributes={"colour": colour}, price=float(number % 100), stock=number % 3))
    return rows_of(products)


def engine_of(rows: Rows | None = None, ranking: Ranking | None = None) -> SearchEngine:
    """An engine over rows in memory."""
    collection = MemoryCollection(rows_of() if rows is None else rows, name="products_r1", release="r1")
    return SearchEngine(WordEncoder(), collection, ranking or Ranking())


def store_path(folder: Path) -> str:
    """An embedded store's path."""
    return str(folder / "milvus" / "etalage.db")


@lru_cache
def _direction(word: str) -> NDArray[np.float64]:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
    return np.random.default_rng(seed).normal(size=D)
