"""The pictures of a source's records: read or downloaded, decoded once to prove that it can be done, and looked at.

A source knows its own files; what it has only an address of (PictureAway) comes through a fetcher, or not at all.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Protocol

from catalog.errors import InvalidMedia, InvalidQuery, MediaTooLarge, UrlFailed, UrlRefused
from catalog.media import media_id, read_picture
from catalog.pictures.perceptual_hash import look_of
from catalog.pictures.proved import Proved, ProvedPictures
from catalog.products import MissingPicture
from catalog.rows.records import BadRow, Record, Reference
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
    they are missing. What `kept` knows already is not decoded. `proved` (by media id) are all that were read.
    """

    def __init__(self, source: Source, fetcher: Fetcher | None = None, kept: ProvedPictures | None = None) -> None:
        self.proved: dict[str, Proved] = {}
        self._source = source
        self._fetcher = fetcher
        self._kept = ProvedPictures() if kept is None else kept

    def ahead(self, records: Iterable[Record]) -> Iterator[Record]:
        """The same records in the same order; the downloads of the next AHEAD have begun."""
        waiting: deque[Record] = deque()
        for record in records:
            for reference in record.images:
                if self._fetcher is not None and self._source.is_away(reference):
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
                identity, data = self._read(reference)
            except _Missing as gone:
                product = record.values.get("id", "")
                missing.append(
                    MissingPicture(record.source_row, product, str(reference), _reason(gone.why), str(gone.why))
                )
                continue
            except (InvalidMedia, MediaTooLarge) as error:
                name = f"'{reference[:80]}'" if isinstance(reference, str) else "in the row itself"
                raise BadRow("broken_picture", f"Picture {name}: {error}") from None
            found[identity] = data
        return found, missing

    def _read(self, reference: Reference) -> tuple[str, bytes]:
        """Media id and bytes, which are a picture's.

        Raises _Missing for an address, InvalidMedia or MediaTooLarge for a file.
        """
        try:
            data = self._source.media(reference)
        except PictureAway:
            try:
                data = self._fetched(str(reference))
                return self._proved(data), data
            except (UrlRefused, UrlFailed, InvalidQuery) as error:
                raise _Missing(error) from None
        return self._proved(data), data

    def _proved(self, data: bytes) -> str:
        """The id of a picture that can be decoded. Raises InvalidMedia or MediaTooLarge."""
        identity = media_id(data)
        if identity not in self.proved:
            known = self._kept.get(identity)
            if known is None:
                header, image = read_picture(data)
                known = Proved(header, look_of(image))
                self._kept.add(identity, known)
            self.proved[identity] = known
        return identity

    def _fetched(self, url: str) -> bytes:
        if self._fetcher is None:
            raise UrlRefused("Pictures are not downloaded.", why=NOT_DOWNLOADED)
        return self._fetcher.fetch(url)


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
