"""LoRA (Hu et al. 2022): a backbone stays as it is, and small matrices beside its layers learn, through peft.

    add_adapters(tower, rank=8, alpha=16)       # before set_trainable("lora")
    merged(tower)                               # the same function without adapters, for saving

Linear layers and torch's own convolutions take an adapter. Not so grouped convolutions, which peft cannot merge, and
the inside of torch's attention: peft adapts that by adding to its weights and taking away again at every call, which
rounds them a little each time, so a run that was killed and went on would not end in the same place.
"""

import copy
from collections.abc import Iterator
from typing import TypeVar

from torch import nn

from catalog.errors import InvalidParams

Module = TypeVar("Module", bound=nn.Module)

_ADAPTER = "default"


def add_adapters(tower: nn.Module, rank: int, alpha: int) -> None:
    """Put an adapter beside every layer of the backbone that takes one. At first they change nothing.

    Raises InvalidParams when there is no such layer.
    """
    names = list(_adaptable(tower))
    if not names:
        raise InvalidParams("LoRA needs linear layers or convolutions, which this tower's backbone has not.")
    from peft import LoraConfig, inject_adapter_in_model

    bare = nn.Module()  # peft takes what has a `config` for a model of transformers
    for name, child in tower.named_children():
        bare.add_module(name, child)
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=alpha, target_modules=names), bare, _ADAPTER)
    for name, child in bare.named_children():
        tower.add_module(name, child)


def merged(module: Module) -> Module:
    """A copy whose layers have taken in their adapters; `module` itself when there are none."""
    if not any(is_adapter(name) for name, _ in module.named_parameters()):
        return module
    from peft.tuners.lora import LoraLayer

    plain = copy.deepcopy(module)
    for name, layer in list(plain.named_modules()):
        if isinstance(layer, LoraLayer):
            layer.merge()
            parent, _, own = name.rpartition(".")
            setattr(plain.get_submodule(parent), own, layer.get_base_layer())
    return plain


def is_adapter(name: str) -> bool:
    """Whether a parameter of this name belongs to an adapter."""
    return ".lora_" in name


def _adaptable(tower: nn.Module) -> Iterator[str]:
    attentions = [name for name, module in tower.named_modules() if isinstance(module, nn.MultiheadAttention)]
    inside = ("head.", *(name + "." for name in attentions))
    for name, module in tower.named_modules():
        if not name.startswith(inside) and _takes_adapter(module):
            yield name


def _takes_adapter(module: nn.Module) -> bool:
    return isinstance(module, nn.Linear) or (type(module) is nn.Conv2d and module.groups == 1)
