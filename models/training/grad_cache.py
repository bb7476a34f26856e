"""Large batches on small memory: the towers run over a chunk at a time, twice.

GradCache (Gao et al. 2021): the loss needs the vectors of the whole batch, but not what the towers remembered while
they made them. So each chunk is encoded without remembering, and encoded again when the gradient of its vectors is
known; only one chunk's activations are there at a time. Gradients are those of one big batch. The second run draws the
same dropout as the first.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint


def in_chunks(encode: Callable[[Tensor], Tensor], inputs: Tensor, chunk: int) -> Tensor:
    """encode(inputs) [N, D], `chunk` of `inputs` [N, ...] at a time; all at once where `chunk` is 0 or nothing learns.

    `inputs` must be on the device that `encode` computes on: torch keeps the random state of the devices it sees there.
    """
    if chunk == 0 or len(inputs) <= chunk or not torch.is_grad_enabled():
        return encode(inputs)
    starts = range(0, len(inputs), chunk)
    return torch.cat([checkpoint(encode, inputs[start : start + chunk], use_reentrant=False) for start in starts])
