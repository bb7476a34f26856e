"""Outputs of frozen layers, kept on disk and found by content, so that no layer that does not learn runs twice.

    store = FeatureStore.open(Path("artifacts/checkpoint/features-1a2b..."), "float16")
    fill(store, keys, compute)          # computes what is missing, a chunk at a time
    store.rows(keys)                    # [B, ...]

A store is a folder: `rows.bin`, one row of numbers after the other; `keys.txt`, the key of each row, a line each;
`shape.json`. Rows are written before their keys, so whatever a kill leaves behind is cut off at the next opening.
The folder's name says which layers computed it, the key says from what: a media id, or the hash of a text.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.towers.tower import Tower

ROWS, KEYS, SHAPE = "rows.bin", "keys.txt", "shape.json"

Features = NDArray[Any]


class FeatureStore:
    """Rows of one shape on disk, found by key. One process writes at a time."""

    def __init__(self, folder: Path, dtype: np.dtype[Any], shape: tuple[int, ...] | None, keys: Iterable[str]) -> None:
        self.folder = folder
        self.dtype = dtype
        self.shape = shape  # of one row; None while the store is empty
        known = list(keys)
        self._place = {key: number for number, key in enumerate(known)}
        self._count = len(known)  # of rows; a key that was written twice has two
        self._map: Features | None = None

    @classmethod
    def open(cls, folder: Path, dtype: str = "float16") -> "FeatureStore":
        """The store in `folder`, made if need be. What a killed writer left half-done is cut off."""
        folder.mkdir(parents=True, exist_ok=True)
        known = np.dtype(dtype)
        shape_path = folder / SHAPE
        if not shape_path.exists():
            for name in (ROWS, KEYS):
                (folder / name).unlink(missing_ok=True)
            return cls(folder, known, None, ())
        shape = tuple(json.loads(shape_path.read_text(encoding="utf-8"))["shape"])
        row_bytes = known.itemsize * int(np.prod(shape))
        whole = (folder / KEYS).read_bytes() if (folder / KEYS).exists() else b""
        keys = whole[: whole.rfind(b"\n") + 1].decode().splitlines()
        written = (folder / ROWS).stat().st_size if (folder / ROWS).exists() else 0
        keys = keys[: written // row_bytes]
        _cut(folder / ROWS, len(keys) * row_bytes)
        _cut(folder / KEYS, sum(len(key.encode()) + 1 for key in keys))
        return cls(folder, known, shape, keys)

    def __len__(self) -> int:
        return len(self._place)

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Keys without a row, each once, in their order."""
        return [key for key in dict.fromkeys(keys) if key not in self._place]

    def append(self, keys: Sequence[str], rows: Features) -> None:
        """Add rows [N, ...] under N new keys; both are in the operating system's hands on return.

        Raises ValueError when a row's shape differs from the others' or a number does not fit the dtype, and
        RuntimeError when another process has written here since the store was opened: rows would lose their keys.
        """
        if len(keys) != len(rows):
            raise ValueError(f"{len(keys)} keys for {len(rows)} rows")
        with np.errstate(over="ignore"):
            values = np.ascontiguousarray(rows, dtype=self.dtype)
        if not np.isfinite(values).all():
            raise ValueError(f"features are not finite numbers of {self.dtype}")
        if self.shape is None:
            self.shape = tuple(values.shape[1:])
            temporary = self.folder / (SHAPE + ".part")
            temporary.write_text(json.dumps({"shape": self.shape}), encoding="utf-8")
            temporary.replace(self.folder / SHAPE)
        if tuple(values.shape[1:]) != self.shape:
            raise ValueError(f"rows of shape {values.shape[1:]} in a store of {self.shape}")
        before = self._count * self.dtype.itemsize * int(np.prod(self.shape))
        if (size := (self.folder / ROWS).stat().st_size if (self.folder / ROWS).exists() else 0) != before:
            raise RuntimeError(f"another process writes to {self.folder}: it has {size} bytes where {before} were left")
        for name, data in ((ROWS, values.tobytes()), (KEYS, "".join(key + "\n" for key in keys).encode())):
            with (self.folder / name).open("ab") as stream:
                stream.write(data)
        for number, key in enumerate(keys, start=self._count):
            self._place[key] = number
        self._count += len(keys)
        self._map = None

    def rows(self, keys: Sequence[str]) -> Features:
        """Rows [B, ...] of `keys`, copied, in their order. Raises KeyError for an unknown one."""
        places = [self._place[key] for key in keys]
        if self.shape is None:
            raise KeyError("the store is empty")
        if self._map is None:
            self._map = np.memmap(self.folder / ROWS, self.dtype, "r", shape=(self._count, *self.shape))
        return np.asarray(self._map[places])


def fill(
    store: FeatureStore, keys: Iterable[str], compute: Callable[[list[str]], Features], chunk: int
) -> Iterator[int]:
    """Compute the missing rows, `chunk` keys at a time, and yield how many were added after each chunk.

    Chunks start at the first missing key, and a killed run leaves whole chunks, so the chunks of the run that goes
    on are the same as if nothing had happened.
    """
    missing = store.missing(keys)
    for start in range(0, len(missing), chunk):
        part = missing[start : start + chunk]
        store.append(part, compute(part))
        yield len(part)


def text_key(text: str) -> str:
    """The key of a text: 32 hex digits of its sha256."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def fingerprint(module: nn.Module, *notes: object) -> str:
    """16 hex digits that name a module's frozen part: its tensors that do not train, and `notes` that say how it is
    used (preprocessing). Taken before training: buffers count as frozen.
    """
    digest = hashlib.sha256(repr((type(module).__qualname__, notes)).encode())
    learning = {name for name, parameter in module.named_parameters() if parameter.requires_grad}
    for name, tensor in sorted(module.state_dict().items()):
        if name not in learning:
            digest.update(bytes_of(name, tensor))
    return digest.hexdigest()[:16]


def untrained(tower: Tower, *notes: object) -> str:
    """16 hex digits that name what a tower gives before any training: all its tensors but the head's, and `notes`."""
    digest = hashlib.sha256(repr((type(tower).__qualname__, tower.describe(), notes)).encode())
    for name, tensor in sorted(tower.state_dict().items()):
        if not name.startswith("head."):
            digest.update(bytes_of(name, tensor))
    return digest.hexdigest()[:16]


def bytes_of(name: str, tensor: Tensor) -> bytes:
    """A named tensor for a digest."""
    about = f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode()
    return about + tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()


def _cut(path: Path, size: int) -> None:
    if path.exists() and path.stat().st_size > size:
        with path.open("r+b") as stream:
            stream.truncate(size)
