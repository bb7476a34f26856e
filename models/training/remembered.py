"""A trained dual encoder behind the query path, with every frozen layer's output remembered.

    encoder = RememberedEncoder(model, texts, pictures)      # an EncoderLike
    encoder.encode_text(["red dress"])

For trying many trainings on one snapshot: texts and pictures go through the frozen layers once for all of them. The
vectors are those of the exported encoder up to rounding; what serves is the exported one.
"""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from catalog.errors import InvalidQuery
from catalog.media import decode_image, media_id
from models.dual_encoder import DualEncoder
from models.encoder import Mask
from models.encoder_folder import MODALITIES, Floats
from models.prefixes import unit_prefix
from models.training.features import Features, FeatureStore, fill
from models.training.texts import Texts


class RememberedEncoder:
    """See models.encoder.EncoderLike. `pooled`: store of the image tower before its head, None when it was trained.
    `dim`: prefix that vectors are cut to (models/prefixes.py); None: all of the model's.
    """

    modalities = MODALITIES
    name = "remembered"

    def __init__(self, model: DualEncoder, texts: Texts, pooled: FeatureStore | None, dim: int | None = None) -> None:
        self.model, self.texts, self._pooled = model.eval(), texts, pooled
        self.dim = dim or model.dim
        digest = hashlib.sha256(str(self.dim).encode())
        asking = {} if model.queries is None else model.queries.tower.state_dict(prefix="queries.")
        for name, tensor in sorted({**model.state_dict(), **asking}.items()):
            digest.update(
                name.encode() + tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
            )
        self.fingerprint = digest.hexdigest()[:16]

    @torch.inference_mode()
    def encode_text(self, texts: Sequence[str]) -> Floats:
        """B texts of queries -> unit rows [B, D]."""
        if self.model.queries is None:
            return self.encode_product_text(texts)
        return self._in_parts(texts, self.model.encode_text)

    @torch.inference_mode()
    def encode_product_text(self, texts: Sequence[str]) -> Floats:
        """B texts of products -> unit rows [B, D]."""
        for _ in self.texts.prepare(texts):
            pass
        return self._in_parts(texts, lambda part: self.model.text.project(self.texts.pooled(self.model, part)))

    def _in_parts(self, texts: Sequence[str], encode: Callable[[Sequence[str]], Tensor]) -> Floats:
        parts = [encode(texts[start : start + 1024]) for start in range(0, len(texts), 1024)]
        return self._cut(torch.cat(parts)) if parts else np.zeros((0, self.dim), dtype=np.float32)

    def _cut(self, vectors: Tensor) -> Floats:
        return _array(vectors if vectors.shape[1] == self.dim else unit_prefix(vectors, self.dim))

    @torch.inference_mode()
    def encode_image(self, images: Sequence[bytes]) -> Floats:
        """B pictures as files -> unit rows [B, D]. Raises InvalidMedia or MediaTooLarge."""
        if not images:
            return np.zeros((0, self.dim), dtype=np.float32)
        if self._pooled is None:
            parts = [images[start : start + 8] for start in range(0, len(images), 8)]
            return self._cut(torch.cat([self.model.image.project(self._seen(part)) for part in parts]))
        files = {media_id(data): data for data in images}
        for _ in fill(self._pooled, files, lambda keys: _array(self._seen([files[key] for key in keys])), 8):
            pass
        rows = torch.from_numpy(self._pooled.rows([media_id(data) for data in images]))
        return self._cut(self.model.image.project(rows))

    @torch.inference_mode()
    def fuse_products(self, text: Floats | None, image: Floats | None, has_text: Mask, has_image: Mask) -> Floats:
        """See Encoder.fuse_products."""
        nothing = np.zeros((len(has_text), self.dim), dtype=np.float32)
        words = torch.from_numpy(nothing if text is None else np.ascontiguousarray(text, dtype=np.float32))
        shown = torch.from_numpy(nothing if image is None else np.ascontiguousarray(image, dtype=np.float32))
        there = torch.from_numpy(has_text & (text is not None)), torch.from_numpy(has_image & (image is not None))
        return _array(self.model.fuse(words, shown, *there))

    def fuse_query(self, vectors: Sequence[tuple[Floats, float]]) -> Floats:
        """See Encoder.fuse_query."""
        total = np.sum([np.asarray(vector, dtype=np.float32) * weight for vector, weight in vectors], axis=0)
        length = float(np.linalg.norm(total))
        if length < 1e-6:
            raise InvalidQuery("The parts of the query cancel each other out: give one of them a weight above 0.")
        return np.asarray(total / length, dtype=np.float32)

    def check_probes(self) -> float:
        """Nothing is saved that could differ."""
        return 1.0

    def _seen(self, images: Sequence[bytes]) -> Tensor:
        """[B, W] before the head."""
        prepared = [self.model.image.preprocess.prepare(decode_image(data)) for data in images]
        pixels = torch.from_numpy(np.stack(prepared)).contiguous(memory_format=torch.channels_last)
        return self.model.image.tail(self.model.image.trunk(pixels))


def _array(rows: Tensor) -> Features:
    found: Features = rows.float().cpu().numpy()
    return found
