"""Where the vectors of a modality lie among the D dimensions: `model.space`.

shared: every modality uses all dimensions.
independent: each modality has a part of its own, side by side, so what only a picture shows has room beside what only
words say. Words fill every part, each from its own outputs of the text head: so they can ask the pictures' part, and
stand in there for a picture that is missing. Any other modality fills its own part and leaves the rest zero.

Legend: B batch, D width of a whole vector, P parts that a modality fills.
"""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from models.encoder_folder import MODALITIES
from models.params import ModelParams, SpaceName

Span = tuple[int, int]  # first dimension, last + 1
Parts = tuple[Span, ...]


def own_parts(params: ModelParams) -> dict[str, Span]:
    """The part of a product's vector that belongs to each modality."""
    return SPACES[params.space](params.dim)


def filled_parts(params: ModelParams) -> dict[str, Parts]:
    """The parts that the vectors of each modality fill."""
    own = own_parts(params)
    every = tuple(dict.fromkeys(own.values()))
    return {name: every if name == "text" else (span,) for name, span in own.items()}


def unit_parts(vectors: Tensor, parts: Parts) -> Tensor:
    """[B, D] -> unit rows [B, D] in which each of the P parts has length 1 / sqrt(P), and what is in none is zero."""
    if parts == ((0, vectors.shape[-1]),):
        return F.normalize(vectors, dim=-1)
    pieces, at = [], 0
    for first, last in parts:
        pieces += [torch.zeros_like(vectors[:, at:first]), F.normalize(vectors[:, first:last], dim=-1)]
        at = last
    pieces.append(torch.zeros_like(vectors[:, at:]))
    whole: Tensor = torch.cat(pieces, dim=-1) / math.sqrt(len(parts))
    return whole


def _shared(dim: int) -> dict[str, Span]:
    return dict.fromkeys(MODALITIES, (0, dim))


def _independent(dim: int) -> dict[str, Span]:
    width = dim // len(MODALITIES)
    return {name: (number * width, (number + 1) * width) for number, name in enumerate(MODALITIES)}


SPACES: Mapping[SpaceName, Callable[[int], dict[str, Span]]] = {"shared": _shared, "independent": _independent}
