"""The tensors of a module that training changes: taking them out, putting them back, averaging them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

Weights = dict[str, Tensor]


def changing(module: nn.Module) -> Weights:
    """Trainable parameters, floating-point buffers and counters by name, not copied.

    Frozen parameters and integer tables come from the pretrained weights again; a checkpoint need not hold them.
    """
    found = {name: parameter.data for name, parameter in module.named_parameters() if parameter.requires_grad}
    found.update({name: buffer for name, buffer in module.named_buffers() if _changes(buffer)})
    return found


def _changes(buffer: Tensor) -> bool:
    """Batch norms count their batches in a tensor of no dimensions."""
    return buffer.is_floating_point() or buffer.ndim == 0


def copy_of(weights: Mapping[str, Tensor]) -> Weights:
    """A copy on the CPU."""
    return {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}


@torch.no_grad()
def restore(module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Put `weights` into a module of the same shape. Raises KeyError when a name is missing on either side."""
    own = changing(module)
    if own.keys() != weights.keys():
        raise KeyError(f"weights of another module: {sorted(own.keys() ^ weights.keys())[:3]}")
    for name, tensor in own.items():
        tensor.copy_(weights[name])


class Average:
    """Exponential moving average of the trainable parameters (Polyak averaging).

    After update t the decay is min(decay, (1 + t) / (10 + t)), so the first updates are forgotten soon.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self._learning = {name: p for name, p in module.named_parameters() if p.requires_grad}
        self.weights: Weights = {name: p.detach().clone() for name, p in self._learning.items()}

    @torch.no_grad()
    def follow(self, update: int) -> None:
        """average = decay * average + (1 - decay) * weights."""
        decay = min(self.decay, (1 + update) / (10 + update))
        for name, parameter in self._learning.items():
            self.weights[name].lerp_(parameter, 1 - decay)

    def restore(self, weights: Mapping[str, Tensor]) -> None:
        """Take up a saved average."""
        for name, tensor in self.weights.items():
            tensor.copy_(weights[name])

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside, the module has the averaged weights; afterwards its own again."""
        own = {name: parameter.detach().clone() for name, parameter in self._learning.items()}
        self._load(self.weights)
        try:
            yield
        finally:
            self._load(own)

    @torch.no_grad()
    def _load(self, weights: Mapping[str, Tensor]) -> None:
        for name, parameter in self._learning.items():
            parameter.copy_(weights[name])
