"""Sources: adapters that turn a catalogue somewhere into records. A new one is a file here and a line in SOURCES."""

from collections.abc import Callable, Mapping
from pathlib import Path

from catalog.errors import InvalidSource
from catalog.sources.choosing import Choice, choose
from catalog.sources.folder import FolderSource
from catalog.sources.huggingface import open_huggingface
from catalog.sources.mapping import load_mapping
from catalog.sources.merchant import open_merchant
from catalog.sources.opening import Opening
from catalog.sources.parquet_folder import open_parquet
from catalog.sources.picture_folder import open_pictures
from catalog.sources.protocol import SideTables, Source
from catalog.sources.sample import SampleSource
from catalog.sources.shopify import open_shopify
from catalog.sources.table_file import open_table
from catalog.sources.woocommerce import open_woocommerce

__all__ = ["SOURCES", "Choice", "Opening", "SideTables", "Source", "choose_source", "open_source"]


def open_source(
    where: str | Path,
    mapping: str | Path | None = None,
    kind: str | None = None,
    media: Path | None = None,
    query: str | None = None,
) -> Source:
    """The source that `where` names, chosen by what it is unless `kind` forces a name of SOURCES.

    `mapping` is a mapping file or the name of a built-in one; where a mapping is guessed, it says what is otherwise.
    `media` is a folder of pictures, `query` what a database is asked.
    Raises InvalidSource or InvalidParams with one sentence.
    """
    return open_choice(choose_source(Opening(str(where), mapping, media, query), kind))


def choose_source(opening: Opening, kind: str | None = None) -> Choice:
    """Which source reads `opening`, and why: `kind` where one is named. Raises InvalidSource."""
    if kind is not None and kind not in SOURCES:
        raise InvalidSource(f"There is no source '{kind}'; known are: {', '.join(SOURCES)}.")
    if kind is not None:
        return Choice(kind, opening, f"{kind}, as was asked.")
    if opening.where in BUILT_IN and not opening.path.exists():
        return Choice(opening.where, opening, f"'{opening.where}' is built in.")
    return choose(opening)


def open_choice(choice: Choice) -> Source:
    """Open what was chosen. Raises InvalidSource or InvalidParams with one sentence."""
    if choice.opening.query is not None and choice.kind != "sql":
        raise InvalidSource(f"A query is asked of a database, and {choice.kind} is none.")
    return SOURCES[choice.kind](choice.opening)


def _open_sample(opening: Opening) -> Source:
    if opening.mapping is not None:
        raise InvalidSource("The source 'sample' takes no mapping file.")
    return SampleSource()


def _open_folder(opening: Opening) -> Source:
    mapping = None if opening.mapping is None else load_mapping(opening.mapping)
    return FolderSource(opening.path, mapping, opening.media)


def _open_sql(opening: Opening) -> Source:
    from catalog.sources.sql import open_sql  # SQLAlchemy takes longer than an ingest of nothing new

    return open_sql(opening)


BUILT_IN = ("sample",)

SOURCES: Mapping[str, Callable[[Opening], Source]] = {
    "sample": _open_sample,
    "folder": _open_folder,
    "table": open_table,
    "shopify": open_shopify,
    "merchant": open_merchant,
    "woocommerce": open_woocommerce,
    "sql": _open_sql,
    "parquet": open_parquet,
    "huggingface": open_huggingface,
    "pictures": open_pictures,
}
