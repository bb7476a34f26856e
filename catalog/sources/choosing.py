"""Which source reads what a person named: found by what it is, and said with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from catalog.errors import InvalidSource
from catalog.sources import huggingface, merchant, parquet_folder, shopify, woocommerce_columns
from catalog.sources.mapping import FILE_NAME
from catalog.sources.opening import Opening
from catalog.sources.picture_folder import pictures_in
from catalog.sources.table_file import TableFile

_FEEDS = (".xml", ".rss", ".atom")
_TABLES = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".parquet", *_FEEDS)
_DATABASES = (".db", ".sqlite", ".sqlite3")
_LOOKS = {"shopify": shopify.SIGNATURES, "woocommerce": woocommerce_columns.SIGNATURES, "merchant": merchant.SIGNATURES}
_CALLED = {
    "shopify": "Shopify's product export",
    "woocommerce": "WooCommerce's export",
    "merchant": "a Merchant Center feed",
}


@dataclass(frozen=True)
class Choice:
    """The name of a source, what it is to open, and one sentence that says why."""

    kind: str
    opening: Opening
    why: str


def choose(opening: Opening) -> Choice:
    """The source for what `opening` names. Raises InvalidSource with what could have been meant."""
    where, path = opening.where, opening.path
    if where.startswith(huggingface.PREFIX):
        return Choice("huggingface", opening, f"'{where}' is read as a data set of Hugging Face.")
    if "://" in where and _is_database(where):
        return Choice("sql", opening, "The address is one of a database.")
    if path.is_dir():
        return _of_folder(opening)
    if path.is_file():
        return _of_file(opening)
    if "://" in where:
        raise InvalidSource(
            f"'{where}' is not a file of this machine: download it first, or name a database or hf:// id."
        )
    raise InvalidSource(f"'{where}' is neither a file, a folder, an address nor a built-in source such as 'sample'.")


def _is_database(address: str) -> bool:
    from catalog.sources.sql import is_address  # SQLAlchemy: not for a source that is no address

    return is_address(address)


def _of_file(opening: Opening) -> Choice:
    path = opening.path
    ending = path.suffix.lower()
    if ending in _DATABASES:
        return Choice("sql", opening, f"{path.name} is a sqlite database by its name.")
    if ending not in _TABLES:
        raise InvalidSource(
            f"{path.name}: unknown kind of file; known endings are {', '.join((*_TABLES, *_DATABASES))}."
        )
    if ending in _FEEDS:
        columns: Sequence[str] = merchant.first_columns(opening)
        if "id" not in columns:
            raise InvalidSource(f"{path.name} holds no items with an id, as a Merchant Center feed has them.")
        return Choice("merchant", opening, f"{path.name} looks like a Merchant Center feed: it has items with an id.")
    columns = TableFile.look(opening).columns()
    for kind, signatures in _LOOKS.items():
        spoken = woocommerce_columns.in_english if kind == "woocommerce" else str
        names = {_bare(spoken(column)): column for column in columns}
        for signature in signatures:
            if names.keys() >= {_bare(name) for name in signature}:
                own = ", ".join(names[_bare(name)] for name in signature)
                return Choice(kind, opening, f"{path.name} looks like {_CALLED[kind]}: it has the columns {own}.")
    return Choice("table", opening, f"{path.name} is read as a table: its mapping is guessed from its columns.")


def _of_folder(opening: Opening) -> Choice:
    folder = opening.path
    if (folder / FILE_NAME).is_file() or "products" in opening.overrides[1]:
        return Choice("folder", opening, f"{folder.name} is read as its mapping file says.")
    if huggingface.is_saved(folder):
        return Choice("huggingface", opening, f"{folder.name} is a data set that save_to_disk wrote.")
    if (folder / parquet_folder.LOG).is_dir():
        return Choice("parquet", opening, f"{folder.name} is a Delta table.")
    tables = sorted(path for path in folder.iterdir() if path.suffix.lower() in _TABLES and path.is_file())
    texts = [path for path in tables if path.suffix.lower() != ".parquet"]
    if named := [path for path in tables if path.stem.lower().startswith("products")]:
        texts = named
    if len(texts) == 1:
        inner = _of_file(replace(opening, where=str(texts[0]), media=opening.media or _media_folder(folder)))
        return replace(inner, why=f"In {folder.name}: {inner.why}")
    if texts:
        raise InvalidSource(
            f"{folder.name} holds several tables ({', '.join(p.name for p in texts)}): name one of them."
        )
    if next(folder.rglob("*.parquet"), None):
        return Choice("parquet", opening, f"{folder.name} holds parquet files.")
    if pictures_in(folder):
        return Choice("pictures", opening, f"{folder.name} holds pictures and no table: each picture is a product.")
    raise InvalidSource(f"{folder.name} has no {FILE_NAME}, no table ({', '.join(_TABLES)}) and no pictures.")


def _media_folder(folder: Path) -> Path | None:
    """The folder in `folder` that holds its pictures, where there is one."""
    holding = [inner for inner in sorted(folder.iterdir()) if inner.is_dir() and pictures_in(inner)]
    return holding[0] if len(holding) == 1 else None


def _bare(column: str) -> str:
    return column.casefold().removeprefix("g:").replace(" ", "_")
