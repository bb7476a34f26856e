"""The embedding cache: what it gives is what was put in, and what is broken in it is only missing."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import NotReady
from catalog.products import Product
from models.embed_changed import embed_through, to_encode
from models.embedding_cache import EmbeddingCache, content_key
from models.params import EmbedParams
from tests.search.worlds import WordEncoder, catalogue, embeddings_of

ENTRY = {"text": np.arange(3, dtype=np.float32), "has_text": np.array(True)}


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    return EmbeddingCache(tmp_path / "embeddings", "e" * 16)


def test_what_was_added_is_found_to_the_last_bit_and_nothing_else(cache: EmbeddingCache):
    assert cache.get(["a"]) == {}
    cache.add({"a": ENTRY, "b": {"codes": np.array([[1, -2]], dtype=np.int8)}})
    found = EmbeddingCache(cache.path.parent, "e" * 16).get(["b", "c", "a"])
    assert set(found) == {"a", "b"}
    assert (found["a"]["text"].tolist(), bool(found["a"]["has_text"])) == ([0.0, 1.0, 2.0], True)
    assert (found["b"]["codes"].dtype, found["b"]["codes"].tolist()) == (np.int8, [[1, -2]])
    assert EmbeddingCache(cache.path.parent, "f" * 16).get(["a"]) == {}  # another encoder's


def test_an_entry_that_was_changed_is_missing_and_the_others_are_not(cache: EmbeddingCache):
    cache.add({"a": ENTRY, "b": ENTRY})
    with sqlite3.connect(cache.path) as base:
        (content,) = base.execute("SELECT content FROM entries WHERE key = 'a'").fetchone()
        base.execute("UPDATE entries SET content = ? WHERE key = 'a'", (content[:-1] + b"x",))
    assert set(cache.get(["a", "b"])) == {"b"}


@pytest.mark.parametrize(
    "damage", [b"no database at all, but long enough to be read as one" * 40, b"SQLite format 3\0??"]
)
def test_a_broken_file_is_begun_anew(cache: EmbeddingCache, damage: bytes):
    cache.add({"a": ENTRY})
    cache.path.write_bytes(damage)
    assert cache.get(["a"]) == {}
    cache.path.write_bytes(damage)
    cache.add({"a": ENTRY})
    assert set(cache.get(["a"])) == {"a"}


def test_a_file_that_cannot_be_used_is_not_thrown_away(cache: EmbeddingCache):
    cache.path.mkdir(parents=True)
    with pytest.raises(NotReady, match="cannot be used"):
        cache.add({"a": ENTRY})
    assert cache.path.is_dir()


def test_the_key_is_what_the_encoder_sees_and_no_more():
    product = Product("a", "g", "Red dress", images=("1", "2", "3"), price=3.0)
    key = content_key(product, 2)
    same = [replace(product, id="b"), replace(product, price=4.0, stock=0), replace(product, images=("1", "2", "4"))]
    assert {content_key(each, 2) for each in same} == {key}
    other = [replace(product, title="Red coat"), replace(product, images=("2", "1")), replace(product, brand="Acme")]
    assert key not in {content_key(each, 2) for each in other}
    assert content_key(product, 3) != key


class Captions:
    """A media store in which a picture is its own name."""

    def iterate(self, ids: list[str], batch: int) -> list[list[tuple[str, bytes]]]:
        return [[(each, each.encode()) for each in ids]]


class Counting(WordEncoder):
    """Counts its texts."""

    def __init__(self) -> None:
        self.asked = 0

    def encode_product_text(self, texts: list[str]) -> np.ndarray:  # type: ignore[override]
        self.asked += len(texts)
        return super().encode_product_text(texts)


def test_through_the_cache_the_vectors_are_those_without_it_and_encoded_once(cache: EmbeddingCache):
    encoder, products = Counting(), catalogue()
    arguments = (Captions(), encoder, "5" * 12, EmbedParams(batch_size=5))
    assert to_encode(cache, products, arguments[-1]) == 11  # x and y have the same content
    first, encoded = embed_through(cache, products, *arguments)  # type: ignore[arg-type]
    assert (encoded, encoder.asked) == (11, 10)  # one has no text
    again, none = embed_through(cache, products[::-1], *arguments)  # type: ignore[arg-type]
    assert (none, encoder.asked) == (0, 10)
    plain = embeddings_of(products)
    for name in ("fused", "text", "image", "has_text", "has_image"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name)[::-1])
        np.testing.assert_allclose(getattr(first, name), getattr(plain, name), atol=1e-6)
    assert list(again.ids) == [product.id for product in products[::-1]]
