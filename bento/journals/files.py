"""The files of a journal: each is of one process, whole lines only, and together they are no more than they may be.

A process holds a lock on the file that it writes, so whoever begins a new one may remove the old ones of all.
"""

import contextlib
import fcntl
import os
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

from catalog.syncing import sync

SUFFIX = ".jsonl"
PARTS = 8
"""A file is closed at this part of what all may hold: whole files are what is removed."""
DAY = 86400.0


class JournalFiles:
    """The files of one process, and the removal of old ones of any. Every method may raise OSError."""

    def __init__(self, folder: Path, most_bytes: int, most_days: float, durable: bool) -> None:
        """`durable`: what was appended is on the disk, and not only given to the system."""
        self._folder, self._most_bytes, self._most_days, self._durable = folder, most_bytes, most_days, durable
        self._path = folder
        self._descriptor: int | None = None
        self._size = 0
        self._since = 0.0

    def append(self, lines: bytes) -> None:
        """Add whole lines, to a new file where this one is full or a day old: all of them or, where it fails, none."""
        if self._descriptor is not None and time.time() - self._since > DAY:
            self.close()
        if not lines:
            self._remove_old()
            return
        if self._descriptor is not None and self._size + len(lines) > self._most_bytes // PARTS:
            self.close()
        if self._descriptor is None or not self._path.exists():
            self.close()
            self._begin()
        assert self._descriptor is not None
        written = 0
        try:
            while written < len(lines):
                written += os.write(self._descriptor, lines[written:])
            if self._durable:
                os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self._size)  # no half line, and no line that is counted as lost
            raise
        self._size += written

    def close(self) -> None:
        """Leave the file to whoever removes old ones."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _begin(self) -> None:
        for folder in (*reversed(self._folder.parents), self._folder):
            folder.mkdir(mode=0o700, exist_ok=True)
        self._remove_old()
        now = datetime.now(UTC)
        self._path = self._folder / f"{now:%Y%m%dT%H%M%S.%f}-{os.getpid()}-{secrets.token_hex(2)}{SUFFIX}"
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)  # as long as it is written, nobody removes it
        self._size, self._since = 0, time.time()
        if self._durable:
            sync(self._folder)

    def _remove_old(self) -> None:
        """Remove closed files, the oldest first: those out of date, and what is too much with one more beside them."""
        found = []
        for path in self._folder.glob(f"*{SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):  # another process was first, here as below
                about = path.stat()
                found.append((about.st_mtime, about.st_size, path))
        held = sum(size for _, size, _ in found)
        for changed, size, path in sorted(found):
            too_much = held > self._most_bytes - self._most_bytes // PARTS
            if too_much or time.time() - changed > self._most_days * DAY:
                with contextlib.suppress(FileNotFoundError):
                    if _is_closed(path):
                        path.unlink()
                        held -= size


def _is_closed(path: Path) -> bool:
    """Whether no process writes it: a lock goes with its process, however that ends."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
