"""What a person said about a source, and a guessed mapping settled with it."""

from collections.abc import Mapping as Named
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from catalog.errors import InvalidSource
from catalog.sources.mapping import Mapping, mapping_document, overridden
from catalog.sources.pictures import LocalPictures
from catalog.sources.rows import demand_columns
from catalog.sources.side_files import inside


@dataclass(frozen=True)
class Opening:
    """Where a source is, and what was said about it: a mapping file, a folder of pictures, a query."""

    where: str
    mapping: str | Path | None = None
    media: Path | None = None
    query: str | None = None

    @property
    def path(self) -> Path:
        """`where` as a path."""
        return Path(self.where)

    @cached_property
    def overrides(self) -> tuple[str, dict[str, Any]]:
        """Name and content of the mapping file; empty when none was named. Raises InvalidSource or InvalidParams."""
        return ("", {}) if self.mapping is None else mapping_document(self.mapping)

    def said(self, key: str) -> str | None:
        """What the mapping file says under `key`, where that is text."""
        value = self.overrides[1].get(key)
        return value if isinstance(value, str) else None

    def settle(self, guess: Mapping, columns: Sequence[str]) -> Mapping:
        """`guess` with what the mapping file says instead. Raises InvalidSource for a column that is not there."""
        name, document = self.overrides
        mapping = overridden(guess, document, name) if document else guess
        demand_columns(mapping.products, columns, mapping.all_columns())
        return mapping

    def pictures(self, root: Path | None = None) -> LocalPictures:
        """Pictures in `root`, and in the media folder that was named, or that the mapping file names in `root`.

        Raises InvalidSource when what was named is no folder.
        """
        if self.media is not None and not self.media.is_dir():
            raise InvalidSource(f"The media folder {self.media} is not a folder.")
        said = self.said("media")
        media = inside(root, said) if self.media is None and root and said else self.media
        return LocalPictures(root, media)


def first_of(cells: Named[str, Any], *columns: str) -> str:
    """The first cell of `columns` that says something, as text."""
    return next((cell.strip() for name in columns if isinstance(cell := cells.get(name, ""), str) and cell.strip()), "")
