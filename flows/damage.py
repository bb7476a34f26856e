"""DVC copies out of its cache without looking at it: is what it took what dvc.lock and data.dvc name?

An object that is not its name any more (a disk that fails, a hand) is taken away with what was copied from it, so that
DVC makes it again, or fetches it from a remote.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

FOLDER = ".dir"


def remove_damaged(outputs: Mapping[str, str], cache: Path) -> list[str]:
    """Remove what is not as `outputs` (path -> md5 by DVC) say, in the workspace and in the folder `cache` of objects.

    Returns the paths that were damaged; nothing is touched that is whole. What is missing is not damaged.
    """
    found = []
    for name, md5 in outputs.items():
        path, stored = Path(name), _stored(cache, md5)
        if not md5.endswith(FOLDER):
            found += _remove_file(path, stored, md5)
        elif stored.is_file() and md5_of(stored) + FOLDER != md5:  # the list of what is in it
            stored.unlink()
            shutil.rmtree(path, ignore_errors=True)
            found.append(name)
        elif stored.is_file():
            for file in json.loads(stored.read_bytes()):
                found += _remove_file(path / file["relpath"], _stored(cache, file["md5"]), file["md5"])
    return found


def md5_of(path: Path) -> str:
    """Of a file, as DVC names its content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _stored(cache: Path, md5: str) -> Path:
    return cache / md5[:2] / md5[2:]


def _remove_file(path: Path, stored: Path, md5: str) -> list[str]:
    if not path.is_file() or md5_of(path) == md5:
        return []
    path.unlink()
    if stored.is_file() and md5_of(stored) != md5:
        stored.unlink()
    return [path.as_posix()]
