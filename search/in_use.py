"""Which releases are served from a home: whoever serves one shares a lock, and who removes it has the lock alone.

    HOME/serving/<release>

The kernel frees a lock when its process ends, however it ends: what crashed serves nothing. A service that does not
have the home's folder (a container with a Milvus server alone) cannot be seen here.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from catalog.errors import NotReady

FOLDER = "serving"


def hold(home: Path, release: str) -> BinaryIO:
    """Share `release` until what is given is closed, in every process that has it open. Raises NotReady, OSError."""
    file = _locked(home, release, fcntl.LOCK_SH)
    if file is None:
        raise NotReady(f"Release {release} is being removed by `etalage gc`.")
    return file


def is_served(home: Path, release: str) -> bool:
    """Whether somebody holds `release` now."""
    if not path_of(home, release).exists():
        return False
    file = _locked(home, release, fcntl.LOCK_EX)
    if file is None:
        return True
    file.close()
    return False


@contextmanager
def alone(home: Path, release: str) -> Iterator[bool]:
    """Let nobody serve `release` while the block runs, and forget it then; False where somebody serves it."""
    file = _locked(home, release, fcntl.LOCK_EX)
    if file is None:
        yield False
        return
    with file:
        yield True
        path_of(home, release).unlink(missing_ok=True)


def path_of(home: Path, release: str) -> Path:
    """The file that is locked."""
    return home / FOLDER / release


def _locked(home: Path, release: str, how: int) -> BinaryIO | None:
    path = path_of(home, release)
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = path.open("ab")
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        except BlockingIOError:
            file.close()
            return None
        except FileNotFoundError:
            pass
        file.close()  # it was removed while it was waited for: another one is there, or is made
