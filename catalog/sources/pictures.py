"""The one door through which a source reads pictures: by path, by address, or as bytes that the row holds itself."""

import errno
import os
import stat
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from catalog.errors import InvalidMedia, MediaTooLarge
from catalog.fetching.urls import is_url
from catalog.media import MAX_BYTES
from catalog.rows.records import Reference
from catalog.sources.inputs import Witness

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EBADF})
_FOLDERS = 4096  # whose real paths are remembered


class PictureAway(InvalidMedia):
    """A picture that the source has only an address of: catalog.pictures.reading fetches it or the product has none."""


class Pictures(Protocol):
    """Where a source's pictures are."""

    def read(self, reference: Reference) -> bytes:
        """Bytes of one picture.

        Raises InvalidMedia or MediaTooLarge when it is not there or too large, PictureAway for an address.
        """
        ...

    def is_away(self, reference: Reference) -> bool:
        """Whether it would raise PictureAway. Nothing is read."""
        ...

    def watch(self, witness: Witness) -> None:
        """Tell `witness` of every file from now on."""
        ...

    def folders(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What all files lie in, and where the paths of references start."""
        ...


class _Found(NamedTuple):
    """A regular file: as it was named, and where it really is."""

    named: str
    real: str


class LocalPictures:
    """Pictures as bytes, by a path in the source's folder, or by an address whose last part names a file in `media`.

    Nothing outside the two folders is ever opened: neither by ../ nor by an absolute path nor through a link.
    """

    def __init__(self, root: Path | None = None, media: Path | None = None) -> None:
        """`root` is what paths must lie in; `media` is where they start, and `root` itself when none is given."""
        self._roots = tuple(str(folder.resolve()) for folder in (root, media) if folder is not None)
        self._starts = tuple(str(folder.resolve()) for folder in (media, root) if folder is not None)
        self._inside = tuple(root.rstrip(os.sep) + os.sep for root in self._roots)
        self._real_folder = lru_cache(_FOLDERS)(os.path.realpath)
        self._witness: Witness | None = None

    def read(self, reference: Reference) -> bytes:
        """See Pictures."""
        if isinstance(reference, bytes):
            return reference
        if is_url(reference):
            found, name = self._address(reference)
        else:
            found, name = self._file(reference), reference
        return self._bytes(found, name)

    def is_away(self, reference: Reference) -> bool:
        """See Pictures."""
        if isinstance(reference, bytes) or not is_url(reference):
            return False
        try:
            self._address(reference)
        except PictureAway:
            return True
        except InvalidMedia:
            pass  # its reading will say so
        return False

    def watch(self, witness: Witness) -> None:
        """See Pictures."""
        self._witness = witness

    def folders(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """See Pictures."""
        return self._roots, self._starts

    def _address(self, address: str) -> tuple[_Found, str]:
        try:
            name = unquote(urlsplit(address).path).rsplit("/", 1)[-1]
        except ValueError:
            raise InvalidMedia(f"'{address[:80]}' is not an address.") from None
        for start in self._starts if name else ():
            try:
                found = self._found(_join(start, name))
            except OSError as error:
                if error.errno != errno.ENAMETOOLONG:  # the name of no file
                    raise self._unreadable(name, error) from None
                continue
            except ValueError:
                continue
            if found is not None:
                return self._checked(found, name), name
        if self._witness is not None:
            self._witness.away = True
        raise PictureAway(f"'{address[:80]}' is an address, and no file of that name is in the media folder.")

    def _file(self, name: str) -> _Found:
        for start in self._starts:
            try:
                found = self._found(_join(start, name), demand_inside=name)
            except OSError as error:
                raise self._unreadable(name, error) from None
            except ValueError:
                raise InvalidMedia(f"'{name[:80]}' is not a file name.") from None
            if found is not None:
                return found
        raise InvalidMedia(f"'{name[:80]}' is not a file in the source folder.")

    def _found(self, named: str, demand_inside: str | None = None) -> _Found | None:
        """The regular file at `named`. With `demand_inside`, its name, one that lies outside is refused even if it is
        not there. Raises ValueError for what can be no path, OSError for what cannot be looked at."""
        folder, last = os.path.split(named)
        plain = last not in ("", os.curdir, os.pardir)
        real = _join(self._real_folder(folder), last) if plain else os.path.realpath(named)
        try:
            status = os.lstat(real)
            if stat.S_ISLNK(status.st_mode):
                real = os.path.realpath(real)
                status = os.stat(real)  # noqa: PTH116 - paths are text here: a third of the time of Path's
        except OSError as error:
            if demand_inside is not None:
                self._checked(_Found(named, os.path.realpath(real)), demand_inside)
            if error.errno not in _ABSENT:
                raise
            status = None
        else:
            if demand_inside is not None:
                self._checked(_Found(named, real), demand_inside)
        if status is not None and stat.S_ISREG(status.st_mode):
            return _Found(named, real)
        if self._witness is not None:
            self._witness.missed(named)
        return None

    def _checked(self, found: _Found, name: str) -> _Found:
        if found.real in self._roots or found.real.startswith(self._inside):
            return found
        self._not_to_be_told()  # what lies between may change, and a link lead elsewhere
        raise InvalidMedia(f"'{name[:80]}' lies outside the source folder.")

    def _bytes(self, found: _Found, name: str) -> bytes:
        try:
            with open(found.real, "rb", buffering=0, opener=_opener) as stream:
                status = os.fstat(stream.fileno())
                data = stream.read() if status.st_size <= MAX_BYTES else None
        except OSError as error:
            raise self._unreadable(name, error) from None
        if self._witness is not None:
            self._witness.found(found.named, status, data)
        if data is None:
            raise MediaTooLarge(f"'{name[:80]}' has {status.st_size:,} bytes; the limit is {MAX_BYTES:,}.")
        return data

    def _unreadable(self, name: str, error: OSError) -> InvalidMedia:
        self._not_to_be_told()
        return InvalidMedia(f"'{name[:80]}' cannot be read: {error.strerror}.")

    def _not_to_be_told(self) -> None:
        if self._witness is not None:
            self._witness.untold = True


def _join(start: str, name: str) -> str:
    return os.path.join(start, name)  # noqa: PTH118 - as above


def _opener(path: str, flags: int) -> int:
    """Through no link, since the path is real, and never waiting for a pipe that took the file's place."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
