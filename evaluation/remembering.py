"""An encoder, a collection and photos that answer the same question once: so that many rankings can be tried fast."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from search.rows import Payload

from evaluation.judgements import EvaluationQuery
from evaluation.runs import Photos
from models.embeddings import Floats, Mask
from models.encoder import EncoderLike
from search.collection import Collection, Scored
from search.filters import Filter, FilterFields


class RememberingEncoder:
    """Gives the vectors of `encoder`, each text and picture encoded once."""

    def __init__(self, encoder: EncoderLike) -> None:
        self._encoder = encoder
        self._texts: dict[str, Floats] = {}
        self._images: dict[bytes, Floats] = {}
        self.fingerprint = encoder.fingerprint
        self.dim = encoder.dim
        self.modalities = encoder.modalities
        self.name = encoder.name

    def encode_text(self, texts: Sequence[str]) -> Floats:
        """See EncoderLike."""
        for text in texts:
            if text not in self._texts:
                self._texts[text] = self._encoder.encode_text([text])[0]
        return np.stack([self._texts[text] for text in texts])

    def encode_image(self, images: Sequence[bytes]) -> Floats:
        """See EncoderLike."""
        for image in images:
            if image not in self._images:
                self._images[image] = self._encoder.encode_image([image])[0]
        return np.stack([self._images[image] for image in images])

    def fuse_products(self, text: Floats | None, image: Floats | None, has_text: Mask, has_image: Mask) -> Floats:
        """See EncoderLike."""
        return self._encoder.fuse_products(text, image, has_text, has_image)

    def fuse_query(self, vectors: Sequence[tuple[Floats, float]]) -> Floats:
        """See EncoderLike."""
        return self._encoder.fuse_query(vectors)

    def check_probes(self) -> float:
        """See EncoderLike."""
        return self._encoder.check_probes()


class RememberingCollection:
    """Gives the answers of `collection`, each leg asked once for each query."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._answers: dict[tuple[str, str | bytes, int, Filter], Scored] = {}
        self.name = collection.name
        self.release = collection.release
        self.encoder = collection.encoder

    @property
    def fields(self) -> FilterFields:
        """See Collection."""
        return self._collection.fields

    def count(self) -> int:
        """See Collection."""
        return self._collection.count()

    def search(self, leg: str, query: NDArray[np.float32] | str, limit: int, narrow: Filter) -> Scored:
        """See Collection."""
        key = (leg, query if isinstance(query, str) else query.tobytes(), limit, narrow)
        if key not in self._answers:
            self._answers[key] = self._collection.search(leg, query, limit, narrow)
        return self._answers[key]

    def products(self, ids: Sequence[str]) -> Mapping[str, Payload]:
        """See Collection."""
        return self._collection.products(ids)

    def vector(self, product_id: str, name: str) -> NDArray[np.float32] | None:
        """See Collection."""
        return self._collection.vector(product_id, name)


def remembered(queries: Iterable[EvaluationQuery], photos: Photos) -> Photos:
    """The photos of `queries`, read and altered now."""
    known = {query.query_id: photos(query) for query in queries}
    return lambda query: known[query.query_id]
