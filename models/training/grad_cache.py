"""Large batches on small memory: the towers run over a chunk at a time, twice.

GradCache (Gao et al. 2021): the loss needs the vectors of the whole batch, but not what the towers remembered while
they made them. So each chunk is encoded without remembering, and encoded again when the gradient of its vectors is
known; only one chunk's activations are there at a time. Gradients are those of one big batch. The second run draws the
same dropout as the first.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

Inputs = TypeVar("Inputs", Tensor, Sequence[str])


def in_chunks(encode: Callable[[Inputs], Tensor], inputs: Inputs, chunk: int) -> Tensor:
    """encode(inputs) [N, D], `chunk` inputs at a time; all at once where `chunk` is 0 or nothing learns."""
    if chunk == 0 or len(inputs) <= chunk or not torch.is_grad_enabled():
        return encode(inputs)
    parts: list[Any] = [inputs[start : start + chunk] for start in range(0, len(inputs), chunk)]
    return torch.cat([checkpoint(encode, part, use_reentrant=False) for part in parts])
