"""Where training computes and in what precision, chosen from params and from what the machine has."""

import os
import random

import numpy as np
import torch

from catalog.errors import InvalidParams
from models.training.params import Device, Precision


def choose_device(wanted: Device) -> torch.device:
    """`auto` is CUDA where there is one. Raises InvalidParams for a CUDA device that is not there."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise InvalidParams("train.device is 'cuda', but torch finds no CUDA device here: use 'auto' or 'cpu'.")
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(wanted)


def choose_bf16(wanted: Precision, device: torch.device) -> bool:
    """Whether to compute in bfloat16 where autocast thinks it safe. `auto`: on a GPU that has it, not on a CPU."""
    if wanted == "auto":
        return device.type == "cuda" and torch.cuda.is_bf16_supported()
    return wanted == "bf16"


def set_seeds(seed: int, device: torch.device) -> None:
    """Seed every generator; on the CPU also insist on deterministic algorithms, which cost nothing there."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    if device.type == "cpu":
        torch.use_deterministic_algorithms(True)
    else:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.benchmark = False
