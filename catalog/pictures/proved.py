"""What is known of pictures that were decoded once, kept for the next ingest: format, size and look, by media id.

The key is the content, so it does not matter where a picture comes from, or when: a picture of the same bytes needs no
second decoding, in an ingest that goes on after a kill as in one of another source. One file to which blocks are added,
each with its digest; of a block that a kill or a full disk cut short nothing is believed.
"""

import hashlib
import struct
from collections.abc import Set
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from catalog import media
from catalog.errors import EtalageError
from catalog.media import ImageHeader
from catalog.pictures import perceptual_hash
from catalog.pictures.perceptual_hash import Look

_RECORD = struct.Struct("<12s8sii32s48s?")  # media id, format, width, height, look
_BLOCK = struct.Struct("<I16s")  # records, digest of them
_AT_ONCE = 256  # records of a block: what a kill may lose
_SPARE = 10_000  # records that no ingest asked for, beside as many as the last one has


class Proved(NamedTuple):
    """What a picture is that was decoded without a complaint."""

    header: ImageHeader
    look: Look


class ProvedPictures:
    """Pictures by media id; with a `path`, those of earlier ingests too, as long as the code that proved them is this.

    Raises EtalageError where nothing can be kept. Several ingests may share the file; what one of them loses by that is
    decoded again.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._head = _code()
        self._headers: dict[ImageHeader, ImageHeader] = {}  # most pictures of a shop have one format and size
        self._kept: dict[bytes, bytes] = {}
        self._new: list[bytes] = []
        if path is not None:
            self._kept, whole = _read(path, self._head)
            if not whole:
                self._write(list(self._kept.values()))

    @property
    def known(self) -> int:
        """How many pictures need not be decoded."""
        return len(self._kept)

    def get(self, media_id: str) -> Proved | None:
        """What is known of a picture; None where it is to be decoded."""
        record = self._kept.get(bytes.fromhex(media_id))
        if record is None:
            return None
        _, kind, width, height, bits, colours, flat = _RECORD.unpack(record)
        header = ImageHeader(kind.rstrip(b"\0").decode(), width, height)
        return Proved(self._headers.setdefault(header, header), Look(bits, colours, flat))

    def add(self, media_id: str, proved: Proved) -> None:
        """Keep a picture that was decoded."""
        if self._path is None:
            return
        header, look = proved
        key = bytes.fromhex(media_id)
        record = _RECORD.pack(key, header.format.encode(), header.width, header.height, *look)
        self._kept[key] = record
        self._new.append(record)
        if len(self._new) == _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Put on disk what was added."""
        if self._path is None or not self._new:
            return
        try:
            with self._path.open("ab") as stream:
                stream.write(_block(self._new))
        except OSError as error:
            raise self._full(error) from None
        self._new = []

    def finish(self, used: Set[str]) -> None:
        """The ingest has ended; `used` are all its pictures. Others are forgotten when they are too many."""
        self.flush()
        if self._path is not None and len(self._kept) > 2 * len(used) + _SPARE:
            self._kept = {key: record for key, record in self._kept.items() if key.hex() in used}
            self._write(list(self._kept.values()))

    def _write(self, records: list[bytes]) -> None:
        """All of the file anew, whole or not at all."""
        assert self._path is not None
        half = self._path.with_name(self._path.name + ".half")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with half.open("wb") as stream:
                stream.write(self._head)
                for start in range(0, len(records), _AT_ONCE):
                    stream.write(_block(records[start : start + _AT_ONCE]))
            half.replace(self._path)
        except OSError as error:
            raise self._full(error) from None

    def _full(self, error: OSError) -> EtalageError:
        return EtalageError(f"What is known of pictures cannot be kept in {self._path}: {error.strerror}.")


def _code() -> bytes:
    """[16] digest of the code that proves a picture: ours, and the libraries that it asks."""
    told = hashlib.sha256(_RECORD.format.encode())
    for module in (media, perceptual_hash):
        told.update(Path(str(module.__file__)).read_bytes())
    for library in ("pillow", "numpy"):
        told.update(version(library).encode())
    return told.digest()[:16]


def _block(records: list[bytes]) -> bytes:
    whole = b"".join(records)
    return _BLOCK.pack(len(records), hashlib.sha256(whole).digest()[:16]) + whole


def _read(path: Path, head: bytes) -> tuple[dict[bytes, bytes], bool]:
    """Records by media id, and whether the file holds nothing else and can be added to."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}, False
    except OSError as error:
        raise EtalageError(f"{path} cannot be read: {error.strerror}.") from None
    if content[: len(head)] != head:
        return {}, False
    found: dict[bytes, bytes] = {}
    at = len(head)
    while at < len(content):
        start = at + _BLOCK.size
        if start > len(content):
            return found, False
        count, digest = _BLOCK.unpack_from(content, at)
        whole = content[start : start + count * _RECORD.size]
        if len(whole) < count * _RECORD.size or hashlib.sha256(whole).digest()[:16] != digest:
            return found, False
        found.update((record[:12], record) for record in _cut(whole))
        at = start + len(whole)
    return found, True


def _cut(whole: bytes) -> list[bytes]:
    return [whole[start : start + _RECORD.size] for start in range(0, len(whole), _RECORD.size)]
