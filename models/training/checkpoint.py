"""Training state on disk: written whole or not at all, and taken up again only by the run it belongs to.

checkpoint = Checkpoint(Path("artifacts/checkpoint"), RunKey(params=..., data=..., code=...), say)
state = checkpoint.load()           # None: start from the beginning
checkpoint.save(state)              # at any moment; a kill leaves the one before
checkpoint.finish()                 # the folder keeps the caches and a small marker
"""

import hashlib
import json
import os
import pickle
import random
import shutil
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

STATE, MARKER = "state.pt", "finished.json"
UNFINISHED = ".part"

State = dict[str, Any]


@dataclass(frozen=True)
class RunKey:
    """What a run is made of. A checkpoint of another run is of no use to it."""

    params: str
    data: str
    code: str

    def differences(self, other: Mapping[str, str]) -> list[str]:
        """Names of the parts in which `other` (as from asdict) differs."""
        return [field.name for field in fields(self) if getattr(self, field.name) != other.get(field.name)]


def digest_of_code(folders: Iterable[Path]) -> str:
    """12 hex digits of all Python files in `folders` and of torch's version."""
    digest = hashlib.sha256(torch.__version__.encode())
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


class Checkpoint:
    """The state of one training run in `folder`. `say` takes sentences for the user."""

    def __init__(self, folder: Path, key: RunKey, say: Callable[[str], None]) -> None:
        self.folder, self.key, self.say = folder, key, say
        folder.mkdir(parents=True, exist_ok=True)
        self._clear(UNFINISHED)

    def load(self) -> State | None:
        """The state last saved for this key, on the CPU; None when there is none, and it says why if there was one."""
        path = self.folder / STATE
        if not path.exists():
            return None
        try:
            saved = torch.load(path, map_location="cpu", weights_only=True)
        except (RuntimeError, pickle.UnpicklingError, EOFError, zipfile.BadZipFile) as error:
            self.say(f"The checkpoint in {path} cannot be read ({type(error).__name__}): training starts afresh.")
            return None
        different = self.key.differences(saved["key"])
        if different:
            self.say(f"The checkpoint in {path} is of other {' and '.join(different)}: training starts afresh.")
            return None
        state: State = saved["state"]
        return state

    def save(self, state: State) -> None:
        """Replace the saved state: written beside it, flushed, then renamed over it."""
        path = self.folder / STATE
        temporary = path.with_name(path.name + UNFINISHED)
        with temporary.open("wb") as stream:
            torch.save({"key": asdict(self.key), "state": state}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)

    def finish(self, keep: Iterable[Path] = ()) -> None:
        """Empty the folder but for `keep` (feature stores in use) and a marker that names the finished run."""
        kept = {path.resolve() for path in keep}
        for path in self.folder.iterdir():
            if path.resolve() not in kept:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        (self.folder / MARKER).write_text(json.dumps(asdict(self.key), indent=2) + "\n", encoding="utf-8")

    def _clear(self, ending: str) -> None:
        for path in self.folder.glob("*" + ending):
            path.unlink()


def random_state() -> State:
    """The state of every random generator training may draw from, as plain values and tensors."""
    name, numbers, position, has_gauss, gauss = np.random.get_state()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": [name, np.asarray(numbers).tolist(), int(position), int(has_gauss), float(gauss)],
        "python": random.getstate(),
    }


def restore_random_state(state: State) -> None:
    """The inverse of `random_state`."""
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
    name, numbers, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((name, np.asarray(numbers, dtype=np.uint32), position, has_gauss, gauss))
    version, internal, following = state["python"]
    random.setstate((version, tuple(internal), following))
