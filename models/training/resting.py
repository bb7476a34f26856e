"""Encoding a batch while a part of the model rests: see models/training/order.py."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from models.dual_encoder import DualEncoder
from models.training.contents import Batch
from models.training.encoded import Encoded, EncodePictures, encode
from models.training.order import Phase
from models.training.teacher import Teacher
from models.training.texts import Texts


def encode_in(
    phase: Phase,
    model: DualEncoder,
    batch: Batch,
    texts: Texts,
    encode_pictures: EncodePictures,
    teacher: Teacher | None = None,
) -> Encoded:
    """`encode` in a phase of training: what rests in it gets no gradient, and towers at rest give what they serve."""
    if phase.towers_learn:
        encoded = encode(model, batch, texts, encode_pictures, phase.params, teacher)
        return encoded if phase.fusion_learns else replace(encoded, products=encoded.products.detach())
    with _towers_at_rest(model):
        encoded = encode(model, batch, texts, encode_pictures, phase.params, teacher)
    return replace(encoded, products=encoded.fused(model))


@contextmanager
def _towers_at_rest(model: DualEncoder) -> Iterator[None]:
    """Inside, no gradient and no dropout."""
    training = {name: tower.training for name, tower in model.towers.items()}
    for tower in model.towers.values():
        tower.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for name, tower in model.towers.items():
            tower.train(training[name])
