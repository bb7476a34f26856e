"""Sources: adapters that turn a catalogue somewhere into records. A new one is a file here and a line in SOURCES."""

from collections.abc import Callable, Mapping
from pathlib import Path

from catalog.errors import InvalidSource
from catalog.sources.folder import FolderSource
from catalog.sources.mapping import load_mapping
from catalog.sources.protocol import SideTables, Source
from catalog.sources.sample import SampleSource

__all__ = ["SOURCES", "SideTables", "Source", "open_source"]


def open_source(where: str | Path, mapping: str | Path | None = None) -> Source:
    """The source that `where` names: a name in SOURCES ("sample"), or a folder read through `mapping`.

    `mapping` is a mapping file or the name of a built-in one; without it the folder's own mapping.yaml is read.
    Raises InvalidSource or InvalidParams with one sentence.
    """
    name = str(where)
    if name in SOURCES and not Path(name).is_dir():
        if mapping is not None:
            raise InvalidSource(f"The source '{name}' takes no mapping file.")
        return SOURCES[name]()
    if not Path(where).is_dir():
        raise InvalidSource(f"'{name}' is neither a folder nor a built-in source; built-in are: {', '.join(SOURCES)}.")
    return FolderSource(Path(where), None if mapping is None else load_mapping(mapping))


SOURCES: Mapping[str, Callable[[], Source]] = {"sample": SampleSource}
