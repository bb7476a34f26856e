"""The pictures of a source's records: read or downloaded, decoded once to prove that it can be done, and looked at.

A source knows its own files; what it has only an address of (PictureAway) comes through a fetcher, or not at all.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Protocol

from PIL import Image

from catalog.errors import InvalidMedia, InvalidQuery, MediaTooLarge, UrlFailed, UrlRefused
from catalog.fetching.urls import is_url
from catalog.media import decode_image, media_id
from catalog.picture_hash import Look, look_of
from catalog.products import MissingPicture
from catalog.records import BadRow, Record, Reference
from catalog.sources.pictures import PictureAway
from catalog.sources.protocol import Source

AHEAD = 128
"""Records whose downloads begin before they are wanted."""


class Fetcher(Protocol):
    """What gets pictures by URL: catalog.fetching.downloads.Downloads."""

    def ask(self, url: str) -> None:
        """Begin to fetch; raises nothing of it."""
        ...

    def fetch(self, url: str) -> bytes:
        """The bytes. Raises UrlRefused, UrlFailed or InvalidQuery (InvalidMedia, MediaTooLarge), each one sentence."""
        ...


class PictureReader:
    """Reads the pictures of `source`; those that it only has an address of come through `fetcher`, and without one
    they are missing. `looks` (by media id) are of every picture that was read.
    """

    def __init__(self, source: Source, fetcher: Fetcher | None = None) -> None:
        self.looks: dict[str, Look] = {}
        self._source = source
        self._fetcher = fetcher

    def ahead(self, records: Iterable[Record]) -> Iterator[Record]:
        """The same records in the same order; the downloads of the next AHEAD have begun."""
        waiting: deque[Record] = deque()
        for record in records:
            for reference in record.images:
                if self._fetcher is not None and self._is_away(reference):
                    self._fetcher.ask(str(reference))
            waiting.append(record)
            if len(waiting) > AHEAD:
                yield waiting.popleft()
        yield from waiting

    def read(self, record: Record) -> tuple[dict[str, bytes], list[MissingPicture]]:
        """Media id -> bytes of the record's pictures, and those that could not be had by their URL.

        Raises BadRow for a picture of the source's own that is not there or broken.
        """
        found: dict[str, bytes] = {}
        missing = []
        for reference in record.images:
            try:
                data, image = self._read(reference)
            except _Missing as gone:
                identity = record.values.get("id", "")
                missing.append(
                    MissingPicture(record.source_row, identity, str(reference), _reason(gone.why), str(gone.why))
                )
                continue
            except (InvalidMedia, MediaTooLarge) as error:
                name = f"'{reference[:80]}'" if isinstance(reference, str) else "in the row itself"
                raise BadRow("broken_picture", f"Picture {name}: {error}") from None
            identity = media_id(data)
            found[identity] = data
            if identity not in self.looks:
                self.looks[identity] = look_of(image)
        return found, missing

    def _read(self, reference: Reference) -> tuple[bytes, Image.Image]:
        """Bytes and pixels. Raises _Missing for an address, InvalidMedia or MediaTooLarge for a file."""
        try:
            data = self._source.media(reference)
        except PictureAway:
            try:
                data = self._fetched(str(reference))
                return data, decode_image(data)
            except (UrlRefused, UrlFailed, InvalidQuery) as error:
                raise _Missing(error) from None
        return data, decode_image(data)

    def _fetched(self, url: str) -> bytes:
        if self._fetcher is None:
            raise UrlRefused("Pictures are not downloaded.", why=NOT_DOWNLOADED)
        return self._fetcher.fetch(url)

    def _is_away(self, reference: Reference) -> bool:
        if not isinstance(reference, str) or not is_url(reference):
            return False
        try:
            self._source.media(reference)
        except PictureAway:
            return True
        except (InvalidMedia, MediaTooLarge):
            pass  # its reading will say so
        return False


class _Missing(Exception):
    """A picture that cannot be had by its address: never leaves this file."""

    def __init__(self, why: UrlRefused | UrlFailed | InvalidQuery) -> None:
        super().__init__(str(why))
        self.why = why


NOT_DOWNLOADED = "an address that no file stands for and that was not fetched"
AWAY = f"pictures: {NOT_DOWNLOADED}"


def _reason(error: UrlRefused | UrlFailed | InvalidQuery) -> str:
    """A short word for the counts."""
    if isinstance(error, UrlFailed):
        if error.status is not None:
            return f"status {error.status}"
        return "no answer" if error.again else "wrong answer"
    if isinstance(error, MediaTooLarge):
        return "too large"
    if isinstance(error, InvalidMedia):
        return "not a picture"
    return NOT_DOWNLOADED if isinstance(error, UrlRefused) and error.why == NOT_DOWNLOADED else "URL refused"
