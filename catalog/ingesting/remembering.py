"""What an ingest remembers for the next, in one folder: the pictures that were decoded, and all that it read."""

from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

from catalog.ingesting.last_ingest import Known, key_of, recall, remember
from catalog.pictures.proved import ProvedPictures
from catalog.sources.inputs import Witness
from catalog.sources.protocol import Source

PICTURES = "pictures"
LAST = "last.parquet"


class Remembering:
    """The memory of one ingest of `source` in `folder`; without a folder nothing is known and nothing kept.

    `settings` are what changes a snapshot beside the source. With `anew` nothing is believed, and all kept.
    """

    def __init__(self, source: Source, folder: Path | None, settings: Mapping[str, Any], anew: bool = False) -> None:
        self._source, self._folder, self._settings, self._anew = source, folder, settings, anew
        self._key = None if folder is None else self._now()
        self._witness = Witness()
        if folder is not None and anew:
            (folder / PICTURES).unlink(missing_ok=True)
        self.proved = ProvedPictures(None if folder is None else folder / PICTURES)
        """Pictures that need not be decoded."""

    def recall(self, into: Path, *, downloads: bool) -> Known | None:
        """What `into` holds, if this ingest would make the same of it; else every file is watched from now on."""
        if self._folder is None or self._key is None:
            return None
        known = None if self._anew else recall(self._folder / LAST, self._key, downloads=downloads, into=into)
        inputs = self._source.inputs()
        if known is None and inputs is not None:
            inputs.watch(self._witness)
        return known

    def remember(self, pictures: Set[str], known: Known, *, downloads: bool) -> None:
        """The ingest has ended with `known`, which shows `pictures`. What changed meanwhile is not remembered."""
        self.proved.finish(pictures)
        if self._folder is None or self._witness.untold or (self._witness.away and downloads):
            return
        if self._key is not None and self._key == self._now():
            remember(self._folder / LAST, self._key, self._witness, known)

    def _now(self) -> str | None:
        inputs = self._source.inputs()
        return None if inputs is None else key_of(inputs, self._settings)
