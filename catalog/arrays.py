"""Arrays of numbers from .npy and .npz files. A pickle in such a file could run code, so it is refused unread."""

import zipfile
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from catalog.errors import NotReady

_BROKEN = (ValueError, EOFError, zipfile.BadZipFile)


def read_array(path: Path, mapped: Literal["r"] | None = None) -> NDArray[Any]:
    """The array in a .npy file; mapped="r" leaves it on disk. Raises FileNotFoundError, NotReady for anything else."""
    try:
        array = np.load(path, mmap_mode=mapped, allow_pickle=False)
    except _BROKEN:
        raise _no_numbers(path) from None
    if not isinstance(array, np.ndarray):  # a .npz by another name
        array.close()
        raise _no_numbers(path)
    return array


def read_arrays(source: Path | BinaryIO) -> dict[str, NDArray[Any]]:
    """The arrays in a .npz file, or an open one, by name. Raises FileNotFoundError, or NotReady for anything else."""
    try:
        saved = np.load(source, allow_pickle=False)
        if isinstance(saved, np.ndarray):
            raise _no_numbers(source)
        with saved:
            arrays = {name: saved[name] for name in saved.files}
    except _BROKEN:
        raise _no_numbers(source) from None
    if not all(isinstance(array, np.ndarray) for array in arrays.values()):  # another file in the archive, as bytes
        raise _no_numbers(source)
    return arrays


def _no_numbers(source: Path | BinaryIO) -> NotReady:
    name = source if isinstance(source, Path) else "An open file"
    return NotReady(f"{name} does not hold plain arrays of numbers, and nothing else is read: make it again.")
