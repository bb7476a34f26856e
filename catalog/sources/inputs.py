"""What a source reads, and what was seen of its files: by that an unchanged source is known again without being read.

A table is known by its bytes. Of pictures, too many to be read for nothing, it is where they are and what the file
system says of them: device, inode, size and the times of their last change, as git knows the files of its index.
"""

import os
import time
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from catalog.media import media_id

COARSEST = 2_000_000_000
"""Nanoseconds that the clocks of file systems count in, at most (FAT). A file that was changed so shortly before it was
read may change once more and look the same; it is then known by its bytes alone."""
_SIGNED = 2**63 - 1  # some file systems number beyond


class Stamp(NamedTuple):
    """What the file system says of a file."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Stamp":
        """From os.stat."""
        return cls(status.st_dev, status.st_ino & _SIGNED, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


NO_STAMP = Stamp(0, 0, 0, 0, 0)
"""Of a file that its bytes alone tell."""


def stamp_of(status: os.stat_result) -> Stamp:
    """What a file that is about to be read can be known by later: NO_STAMP where it is too young for that."""
    young = max(status.st_mtime_ns, status.st_ctime_ns) > time.time_ns() - COARSEST
    return NO_STAMP if young else Stamp.of(status)


class Witness:
    """Every file of a picture that was looked for: `paths`, with five numbers of `stamps` and an id of `ids` each
    ("" where it was not read), and the `absent`.

    `away`: there was an address that no file stands for. `untold`: something that cannot be told again was met.
    """

    def __init__(self) -> None:
        self.paths: dict[str, None] = {}
        self.stamps = array("q")
        self.ids: list[str] = []
        self.absent: dict[str, None] = {}
        self.away = False
        self.untold = False

    def found(self, path: str, status: os.stat_result, data: bytes | None) -> None:
        """A file as it was opened, before it was read; `data` is what it held, None where that was not read."""
        if path in self.paths:
            return
        self.paths[path] = None
        self.stamps.extend(stamp_of(status))
        self.ids.append("" if data is None else media_id(data))

    def missed(self, path: str) -> None:
        """There is no such file."""
        self.absent[path] = None


def _not_watched(_: Witness) -> None:
    pass


@dataclass(frozen=True)
class Inputs:
    """What the records and pictures of a source follow from."""

    said: Mapping[str, Any] = field(default_factory=dict)
    """Plain values: what it was told and has found out."""
    files: tuple[Path, ...] = ()
    """Files that are read whole: tables."""
    names: tuple[str, ...] = ()
    """Files whose being there makes rows."""
    watch: Callable[[Witness], None] = _not_watched
    """Who is to be told of every picture from now on."""
