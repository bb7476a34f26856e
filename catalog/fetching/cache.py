"""Pictures that were downloaded, on disk: one file for each URL, with what its server said of its version.

A file is written beside its place and moved there, so there is never half of one. Its time of change is when its server
was last asked, so an ingest that was killed goes on: what it had asked for is not asked for again.
"""

import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import EtalageError

UNFINISHED = "unfinished"
"""The file that says when the ingest began that has not ended yet."""
DAY = 86_400.0
_LONGEST_HEADER = 16_384


@dataclass(frozen=True)
class Entry:
    """What is known of a kept picture. `asked_ns`: when its server was last asked, in nanoseconds of the epoch."""

    etag: str
    modified: str
    asked_ns: int


class PictureCache:
    """The folder of kept pictures. Safe for several writers: the last one wins, whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, resume_seconds: float) -> int:
        """When the ingest began that goes on now, in nanoseconds: this one, or one that was killed not long ago.

        Raises EtalageError where nothing can be kept.
        """
        mark, now = self.folder / UNFINISHED, time.time_ns()
        try:
            began = int(mark.read_text(encoding="ascii"))
        except (OSError, ValueError):
            began = 0
        if 0 <= now - began <= resume_seconds * 1e9:
            return began
        self._put(mark, str(now).encode())
        return now

    def finish(self, keep_seconds: float) -> None:
        """The ingest has ended: the next one asks again. What was not asked for in `keep_seconds` is deleted."""
        (self.folder / UNFINISHED).unlink(missing_ok=True)
        oldest = time.time() - keep_seconds
        for path in self.folder.glob("??/*"):
            if path.stat().st_mtime < (oldest if path.suffix == ".picture" else time.time() - DAY):
                path.unlink(missing_ok=True)

    def entry(self, url: str) -> Entry | None:
        """What is kept of `url`; None where nothing is, or something else than was written."""
        path = self._path(url)
        try:
            with path.open("rb") as stream:
                header = stream.readline(_LONGEST_HEADER)
                stat = os.fstat(stream.fileno())
            told = json.loads(header)
            if told["url"] != url or len(header) + told["size"] != stat.st_size:
                return None
            return Entry(told["etag"], told["modified"], stat.st_mtime_ns)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def read(self, url: str) -> bytes | None:
        """The bytes that are kept of `url`; None where there are none, or others than were written."""
        try:
            header, _, data = self._path(url).read_bytes().partition(b"\n")
            told = json.loads(header)
            whole = told["url"] == url and told["sha256"] == hashlib.sha256(data).hexdigest()
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return data if whole else None

    def write(self, url: str, data: bytes, etag: str, modified: str) -> None:
        """Keep `data`. Raises EtalageError where the disk takes no more."""
        told = {
            "url": url,
            "etag": etag,
            "modified": modified,
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        self._put(self._path(url), json.dumps(told).encode() + b"\n" + data)
        self.confirm(url)

    def confirm(self, url: str) -> None:
        """What is kept of `url` was asked for now."""
        now = time.time_ns()
        os.utime(self._path(url), ns=(now, now))

    def forget(self, url: str) -> None:
        """Keep nothing of `url`."""
        self._path(url).unlink(missing_ok=True)

    def _put(self, path: Path, content: bytes) -> None:
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(content)
            part.replace(path)
        except OSError as error:
            raise EtalageError(f"Downloaded pictures cannot be kept in {self.folder}: {error.strerror}.") from None

    def _path(self, url: str) -> Path:
        name = hashlib.sha256(url.encode()).hexdigest()
        return self.folder / name[:2] / f"{name}.picture"
