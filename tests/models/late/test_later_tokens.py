"""Tokens of changed products beside those of a release: they score as one set made of the whole catalogue would."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalog.media import MediaStore
from catalog.products import Product
from catalog.shards import write_shards
from models.embedding_cache import EmbeddingCache
from models.late.changed import ChangedTokens
from models.late.encoder import PICTURE_GRAPH
from models.late.export import product_tokens
from models.late.later import later_tokens
from models.late.params import LateParams
from models.late.tokens import ProductTokens
from tests.bento.tiny_encoder import COLOURS, photo

PARAMS = LateParams(enabled=True, side=1, width=8, title_words=4)
BOTH = frozenset({"image", "text"})


class Heads:
    """Every word and every picture has tokens of its own. The first picture has the largest in every dimension, so a
    scale that was fitted to it fits all."""

    def __init__(self) -> None:
        self.seen = 0

    def words(self, words: Sequence[str]) -> np.ndarray:
        return np.concatenate([np.zeros((0, 8), np.float32), *(self._of(word.encode())[:1] for word in words)])

    def photo(self, data: bytes) -> np.ndarray:
        self.seen += 1
        return np.ones((2, 8), np.float32) if data == photo("Black") else self._of(data)

    def _of(self, content: bytes) -> np.ndarray:
        seed = int.from_bytes(hashlib.sha256(content).digest()[:4], "big")
        vectors = np.random.default_rng(seed).uniform(-1, 1, size=(2, 8))
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    """A picture of each colour."""
    write_shards(((colour, photo(colour)) for colour in COLOURS), tmp_path / "media")
    return MediaStore(tmp_path / "media")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the heads lie."""
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / PICTURE_GRAPH).write_bytes(b"graph")
    return tmp_path / "late"


BEFORE = [
    Product("a", "a", "Black hat", images=("Black",)),
    Product("b", "b", "Red summer dress", images=("Red",)),
    Product("c", "c", "Blue shoes"),
]
AFTER = [
    BEFORE[0],
    replace(BEFORE[1], title="Green winter dress", images=("Green",)),
    replace(BEFORE[2], images=("Blue",)),
    Product("d", "d", "", images=("Red",)),
    Product("e", "e", "Striped hat"),
]


def test_changed_tokens_beside_the_releases_score_as_tokens_of_the_whole(
    media: MediaStore, folder: Path, tmp_path: Path
):
    heads, cache = Heads(), EmbeddingCache(tmp_path / "cache", "e")
    base = product_tokens(BEFORE, media, heads, ["hat"], PARAMS)  # type: ignore[arg-type]
    whole = product_tokens(AFTER, media, heads, ["hat"], PARAMS)  # type: ignore[arg-type]
    assert base.scale.tolist() == whole.scale.tolist()
    later = later_tokens(AFTER[1:], media, heads, folder, base, 4, cache)  # type: ignore[arg-type]
    later.save(tmp_path / "later")
    both = ChangedTokens(base, ProductTokens.load(tmp_path / "later"))
    query, ids = heads.words(["red", "hat", "dress"]), ["e", "a", "nobody", "d", "c", "b"]
    for seen in (BOTH, frozenset({"image"}), frozenset({"text"})):
        assert both.scores(query, ids, seen) == pytest.approx(whole.scores(query, ids, seen), abs=1e-6)
    assert both.scores(query, ["b"], BOTH) != pytest.approx(base.scores(query, ["b"], BOTH), abs=1e-3)


def test_a_product_in_two_states_has_no_score_until_it_is_known_which(media: MediaStore, folder: Path, tmp_path: Path):
    base = product_tokens(BEFORE, media, Heads(), [], PARAMS)  # type: ignore[arg-type]
    hidden = ChangedTokens(base, None, frozenset({"b", "e"}))
    query = Heads().words(["dress"])
    assert hidden.scores(query, ["a", "b", "c"], BOTH) == pytest.approx(base.scores(query, ["a", "c"], BOTH))


def test_a_picture_is_looked_at_once_whoever_shows_it(media: MediaStore, folder: Path, tmp_path: Path):
    heads, cache = Heads(), EmbeddingCache(tmp_path / "cache", "e")
    base = product_tokens(BEFORE, media, heads, [], PARAMS)  # type: ignore[arg-type]
    heads.seen = 0
    same = [replace(BEFORE[1], id=name) for name in ("x", "y")]
    first = later_tokens(same, media, heads, folder, base, 4, cache)  # type: ignore[arg-type]
    again = later_tokens(same, media, heads, folder, base, 4, cache)  # type: ignore[arg-type]
    assert heads.seen == 1
    np.testing.assert_array_equal(first.places, again.places)
    (folder / PICTURE_GRAPH).write_bytes(b"other heads")
    later_tokens(same, media, heads, folder, base, 4, cache)  # type: ignore[arg-type]
    assert heads.seen == 2
