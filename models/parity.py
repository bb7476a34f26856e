"""How near the served encoder comes to the model that was trained: the same texts and pictures through both."""

from collections.abc import Sequence

import numpy as np
import torch

from catalog.media import decode_image
from models.dual_encoder import DualEncoder
from models.encoder_folder import Floats
from models.prefixes import unit_prefix

_AT_ONCE = 64


@torch.inference_mode()
def trained_vectors(model: DualEncoder, texts: Sequence[str], images: Sequence[bytes], dim: int) -> dict[str, Floats]:
    """Unit rows [B, dim] of the model itself in torch: `text` and `image`, with a query tower of its own also
    `product_text`, and `fused` of the first texts and pictures, where there are both.
    """
    found: dict[str, torch.Tensor] = {}
    if texts:
        found["text"] = unit_prefix(model.encode_text(texts), dim)
        if model.queries is not None:
            found["product_text"] = unit_prefix(model.encode_product_text(texts), dim)
    if images:
        found["image"] = torch.cat(
            [_seen(model, images[start : start + _AT_ONCE], dim) for start in range(0, len(images), _AT_ONCE)]
        )
    if texts and images:
        pairs = min(len(texts), len(images))
        there = torch.ones(pairs, dtype=torch.bool)
        found["fused"] = model.fuse(found["text"][:pairs], found["image"][:pairs], there, there)
    return {name: tensor.numpy() for name, tensor in found.items()}


def cosines(expected: Floats, found: Floats) -> Floats:
    """Of each pair of unit rows [B, D], in double precision -> [B]."""
    pairs: Floats = np.sum(expected.astype(np.float64) * found.astype(np.float64), axis=1)
    return pairs


def _seen(model: DualEncoder, images: Sequence[bytes], dim: int) -> torch.Tensor:
    pixels = model.image.preprocess.prepare_batch([decode_image(image) for image in images])
    return unit_prefix(model.encode_pixels(torch.from_numpy(pixels)), dim)
