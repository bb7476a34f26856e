"""Vectors of queries that were asked before, in front of the encoder of one opened release.

    encoder = CachedEncoder(Encoder.load(folder), release="r20261121-1", most=10_000)
    encoder.encode_text(["red dress"])

The service wraps its encoder so; evaluation does not, and answers are the same to the last bit, because what is
remembered is a whole call: all its texts as the graph is given them, or all its pictures. One text encoded beside
others may differ from the same text encoded alone in the last bit, so rows of different calls are never mixed.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, Protocol

from models.encoder import Look, Mask, OccludingEncoder, SeeingEncoder
from models.encoder_folder import Floats
from models.preprocess import Frame

Modality = Literal["text", "image"]
MODALITIES: tuple[Modality, ...] = ("text", "image")

_past_the_cache: ContextVar[bool] = ContextVar("past_the_cache", default=False)


class KeyedEncoder(SeeingEncoder, OccludingEncoder, Protocol):
    """An encoder that can tell which texts it cannot tell apart."""

    def text_key(self, texts: Sequence[str]) -> bytes:
        """Where two keys are equal, `encode_text` gives the same bits."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What one look into the cache found, and what the cache holds after it: vectors, and bytes of them."""

    release: str
    modality: Modality
    hit: bool
    evicted: int
    vectors: int
    nbytes: int


class CachedEncoder:
    """An encoder and the last `most` vectors that it gave to queries. Threads may share it.

    It belongs to one release: another one is opened with a cache of its own, so no vector outlives its encoder. At most
    `most` vectors of 4 x D bytes are held, and of a query no more than a hash.
    """

    def __init__(
        self, encoder: KeyedEncoder, release: str, most: int, told: Callable[[Lookup], None] | None = None
    ) -> None:
        """`most`: vectors that are kept, 1 or more. `told` hears of every lookup, in the thread that made it."""
        if most < 1:
            raise ValueError(f"a cache keeps 1 vector or more, not {most}")
        self.encoder, self.release, self.most = encoder, release, most
        self._told = told
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Modality, bytes], Floats] = OrderedDict()  # the longest unused first
        self._vectors = 0

    @property
    def fingerprint(self) -> str:
        """Of the encoder inside."""
        return self.encoder.fingerprint

    @property
    def dim(self) -> int:
        """D."""
        return self.encoder.dim

    @property
    def modalities(self) -> tuple[str, ...]:
        """What it encodes."""
        return self.encoder.modalities

    @property
    def name(self) -> str:
        """For people."""
        return self.encoder.name

    @property
    def vectors(self) -> int:
        """How many are held now."""
        return self._vectors

    @property
    def nbytes(self) -> int:
        """Bytes of the vectors that are held now; each call that is kept takes about 400 more for its key and place."""
        return self._vectors * self.dim * 4

    def encode_text(self, texts: Sequence[str]) -> Floats:
        """B texts of queries -> unit rows [B, D]."""
        return self._answered("text", lambda: self.encoder.text_key(texts), lambda: self.encoder.encode_text(texts))

    def encode_image(self, images: Sequence[bytes]) -> Floats:
        """B encoded pictures -> unit rows [B, D]. Raises InvalidMedia or MediaTooLarge; a refusal is not remembered."""
        return self._answered("image", lambda: _content(images), lambda: self.encoder.encode_image(images))

    def look(self, image: bytes) -> Look:
        """As the encoder inside: what a trunk sees is too large to be kept for many pictures."""
        return self.encoder.look(image)

    def looks_without(self, image: bytes, hidden: Mask) -> Iterator[list[Look]]:
        """As the encoder inside: nobody asks the same again."""
        return self.encoder.looks_without(image, hidden)

    def frame(self, image: bytes | None) -> Frame | None:
        """As the encoder inside."""
        return self.encoder.frame(image)

    def encode_product_text(self, texts: Sequence[str]) -> Floats:
        """As the encoder inside: products are not queries."""
        return self.encoder.encode_product_text(texts)

    def fuse_products(self, text: Floats | None, image: Floats | None, has_text: Mask, has_image: Mask) -> Floats:
        """As the encoder inside."""
        return self.encoder.fuse_products(text, image, has_text, has_image)

    def check_probes(self) -> float:
        """As the encoder inside, which encodes the probes anew. Raises NotReady."""
        return self.encoder.check_probes()

    def _answered(self, modality: Modality, key: Callable[[], bytes], encode: Callable[[], Floats]) -> Floats:
        if _past_the_cache.get():
            return encode()
        place = (modality, key())
        with self._lock:
            found = self._kept.get(place)
            if found is not None:
                self._kept.move_to_end(place)
                self._tell(modality, hit=True, evicted=0)
                return found.copy()  # who asked may write into it
        vectors = encode()  # outside the lock: two threads may encode the same, and neither waits
        with self._lock:
            self._tell(modality, hit=False, evicted=self._keep(place, vectors))
        return vectors

    def _keep(self, place: tuple[Modality, bytes], vectors: Floats) -> int:
        """Remember, and forget what is too much; how many vectors were forgotten."""
        if len(vectors) > self.most or place in self._kept:
            return 0
        self._kept[place] = vectors.copy()
        self._vectors += len(vectors)
        before = self._vectors
        while self._vectors > self.most:
            self._vectors -= len(self._kept.popitem(last=False)[1])
        return before - self._vectors

    def _tell(self, modality: Modality, hit: bool, evicted: int) -> None:
        if self._told is not None:
            self._told(Lookup(self.release, modality, hit, evicted, self._vectors, self.nbytes))


@contextmanager
def past_the_cache() -> Iterator[None]:
    """What this thread encodes inside is encoded anew: a probe must prove the encoder and not the memory of it."""
    token = _past_the_cache.set(True)
    try:
        yield
    finally:
        _past_the_cache.reset(token)


def _content(images: Sequence[bytes]) -> bytes:
    """32 bytes that name the pictures, in their order."""
    key = hashlib.blake2b(digest_size=32)
    for image in images:
        key.update(hashlib.blake2b(image, digest_size=32).digest())
    return key.digest()
