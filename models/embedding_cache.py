"""What was encoded once and may be asked for again, by content: one SQLite file for one encoder.

    cache = EmbeddingCache(folder, encoder.fingerprint)
    cache.add({content_key(product, pictures): arrays})
    cache.get([...])  -> those that are there and whole
    cache.remove([...])  -> and the file is smaller

Every entry carries a digest of its own bytes. One that does not fit is as good as missing, and so is a broken file: it
is made anew, for encoding again is all that it costs. Legend: D width of the space.
"""

import hashlib
import io
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import numpy as np

from catalog.arrays import read_arrays
from catalog.errors import NotReady
from catalog.products import Product
from catalog.words.text import product_text

Arrays = Mapping[str, np.ndarray]
Outcome = TypeVar("Outcome")

SUFFIX = ".sqlite"
_TABLE = "CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, digest BLOB NOT NULL, content BLOB NOT NULL)"
_AT_ONCE = 500
_WAIT = 30.0  # seconds for another process that writes
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def content_key(product: Product, pictures: int) -> str:
    """Names all that the encoder sees of `product`: its text and its first `pictures` pictures. 32 hex digits."""
    return _digest(json.dumps([pictures, product_text(product), product.images[:pictures]]).encode()).hex()


def picture_key(picture: str, made_by: str) -> str:
    """Names what `made_by`, a digest of heads, makes of a picture for late interaction."""
    return f"late {made_by} {picture}"


def picture_of(key: str) -> str | None:
    """The picture of a `picture_key`; None of another key."""
    return key.split(" ", 2)[2] if key.startswith("late ") else None


class EmbeddingCache:
    """Arrays by key, for one encoder. One process writes at a time."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        """The file is `folder`/<fingerprint>.sqlite; it need not be there yet."""
        self.path = folder / f"{fingerprint}{SUFFIX}"

    def get(self, keys: Sequence[str]) -> dict[str, dict[str, np.ndarray]]:
        """Key -> arrays, for those of `keys` that are there and whole. Raises NotReady for a file it cannot use."""
        if not self.path.is_file():
            return {}
        return self._used(lambda base: _found(base, keys))

    def add(self, entries: Mapping[str, Arrays]) -> None:
        """Keep `entries`, all or none; on the disk when this returns. Raises NotReady as `get` does."""
        if not entries:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        rows = []
        for key, arrays in entries.items():
            stream = io.BytesIO()
            np.savez(stream, **arrays)  # type: ignore[arg-type]
            rows.append((key, _sealed(key, stream.getvalue()), stream.getvalue()))
        self._used(lambda base: base.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", rows))

    def sizes(self) -> dict[str, int]:
        """Key -> bytes of every entry, those written first before others. A broken file holds none, and stays as it is.

        Raises NotReady as `get` does.
        """
        if not self.path.is_file():
            return {}
        try:
            with closing(sqlite3.connect(self.path.absolute().as_uri() + "?mode=rw", timeout=_WAIT, uri=True)) as base:
                return dict(base.execute("SELECT key, length(content) FROM entries ORDER BY rowid"))
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode in (*_BROKEN, sqlite3.SQLITE_ERROR):  # the last: it has no table
                return {}
            raise NotReady(f"The embedding cache {self.path} cannot be used: {error}.") from None

    def remove(self, keys: Sequence[str]) -> None:
        """Forget `keys`, all or none, and give their room back. Raises NotReady as `get` does."""
        if not keys or not self.path.is_file():
            return
        self._used(lambda base: base.executemany("DELETE FROM entries WHERE key = ?", [(key,) for key in keys]))
        self._used(lambda base: base.execute("VACUUM"))

    def _used(self, work: Callable[[sqlite3.Connection], Outcome]) -> Outcome:
        """What `work` makes of the open file; a broken one is thrown away, and `work` has an empty one."""
        try:
            return self._once(work)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode not in _BROKEN:  # a full disk, a lock: no reason to throw anything away
                raise NotReady(f"The embedding cache {self.path} cannot be used: {error}.") from None
        self.path.unlink()
        return self._once(work)

    def _once(self, work: Callable[[sqlite3.Connection], Outcome]) -> Outcome:
        with closing(sqlite3.connect(self.path, timeout=_WAIT)) as base, base:
            base.execute(_TABLE)
            return work(base)


def _found(base: sqlite3.Connection, keys: Sequence[str]) -> dict[str, dict[str, np.ndarray]]:
    found: dict[str, dict[str, np.ndarray]] = {}
    for start in range(0, len(keys), _AT_ONCE):
        part = keys[start : start + _AT_ONCE]
        query = f"SELECT key, digest, content FROM entries WHERE key IN ({','.join('?' * len(part))})"
        for key, digest, content in base.execute(query, part):
            if digest == _sealed(key, content):
                found[key] = read_arrays(io.BytesIO(content))
    return found


def _sealed(key: str, content: bytes) -> bytes:
    return _digest(key.encode() + b"\0" + content)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
