"""The one door through which a source reads pictures: by path, by address, or as bytes that the row holds itself."""

from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from catalog.errors import InvalidMedia, MediaTooLarge
from catalog.fetching.urls import is_url
from catalog.media import MAX_BYTES
from catalog.records import Reference


class PictureAway(InvalidMedia):
    """A picture that the source has only an address of: catalog.pictures fetches it, or the product has none."""


class Pictures(Protocol):
    """Where a source's pictures are."""

    def read(self, reference: Reference) -> bytes:
        """Bytes of one picture.

        Raises InvalidMedia or MediaTooLarge when it is not there or too large, PictureAway for an address.
        """
        ...


class LocalPictures:
    """Pictures as bytes, by a path in the source's folder, or by an address whose last part names a file in `media`.

    Nothing outside the two folders is ever opened: neither by ../ nor by an absolute path nor through a link.
    """

    def __init__(self, root: Path | None = None, media: Path | None = None) -> None:
        """`root` is what paths must lie in; `media` is where they start, and `root` itself when none is given."""
        self._roots = tuple(folder.resolve() for folder in (root, media) if folder is not None)
        self._starts = tuple(folder.resolve() for folder in (media, root) if folder is not None)

    def read(self, reference: Reference) -> bytes:
        """See Pictures."""
        if isinstance(reference, bytes):
            return reference
        if is_url(reference):
            return self._address(reference)
        return self._file(reference)

    def _address(self, address: str) -> bytes:
        try:
            name = unquote(urlsplit(address).path).rsplit("/", 1)[-1]
        except ValueError:
            raise InvalidMedia(f"'{address[:80]}' is not an address.") from None
        for start in self._starts:
            if name and (path := _resolved(start / name)) and path.is_file():
                return self._bytes(path, name)
        raise PictureAway(f"'{address[:80]}' is an address, and no file of that name is in the media folder.")

    def _file(self, name: str) -> bytes:
        for start in self._starts:
            path = _resolved(start / name)
            if path is None:
                raise InvalidMedia(f"'{name[:80]}' is not a file name.")
            if not any(path.is_relative_to(root) for root in self._roots):
                raise InvalidMedia(f"'{name[:80]}' lies outside the source folder.")
            if _is_file(path, name):
                return self._bytes(path, name)
        raise InvalidMedia(f"'{name[:80]}' is not a file in the source folder.")

    def _bytes(self, path: Path, name: str) -> bytes:
        if not any(path.is_relative_to(root) for root in self._roots):
            raise InvalidMedia(f"'{name[:80]}' lies outside the source folder.")
        try:
            size = path.stat().st_size
            if size > MAX_BYTES:
                raise MediaTooLarge(f"'{name[:80]}' has {size:,} bytes; the limit is {MAX_BYTES:,}.")
            return path.read_bytes()
        except OSError as error:
            raise InvalidMedia(f"'{name[:80]}' cannot be read: {error.strerror}.") from None


def _resolved(path: Path) -> Path | None:
    try:
        return path.resolve()
    except (OSError, ValueError):
        return None


def _is_file(path: Path, name: str) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise InvalidMedia(f"'{name[:80]}' cannot be read: {error.strerror}.") from None
