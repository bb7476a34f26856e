"""A folder of parquet files, or a Delta table: rows in the order of the files, pictures as bytes in a column.

`colour=Red/` in a path is a column, as Hive and Delta write it. Of a Delta table its log says which files count;
one that needs a newer reader (deletion vectors, renamed columns) is refused: its files alone would show deleted rows.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import InvalidSource
from catalog.sources.guessing import SAMPLE_ROWS, guess_mapping
from catalog.sources.mapped import TableSource, settled
from catalog.sources.opening import Opening
from catalog.sources.rows import Row, in_words, typed_row

LOG = "_delta_log"
_BATCH = 64  # rows in memory at once: each may hold pictures
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


class ParquetRows:
    """All rows of the files of a folder."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise InvalidSource(f"'{folder}' is not a folder.")
        root = folder.resolve()
        names = (
            _files_of_log(root)
            if (root / LOG).is_dir()
            else [str(p.relative_to(root)) for p in root.rglob("*.parquet")]
        )
        self._root, self._files = root, sorted(name for name in names if not Path(name).name.startswith((".", "_")))
        if not self._files:
            raise InvalidSource(f"{folder.name} has no parquet files.")

    def columns(self) -> tuple[str, ...]:
        """Names of the columns of any file, those of the paths last."""
        inner, outer = dict[str, None](), dict[str, None]()
        for name in self._files:
            inner.update(dict.fromkeys(self._open(name).schema_arrow.names))
            outer.update(dict.fromkeys(_of_path(name)))
        return tuple(inner | outer)

    def rows(self) -> Iterator[Row]:
        """Every row. Raises InvalidSource for a file that cannot be read."""
        number = 0
        for name in self._files:
            fixed = _of_path(name)
            try:
                for batch in self._open(name).iter_batches(batch_size=_BATCH, use_threads=False):
                    for values in batch.to_pylist():
                        number += 1
                        yield typed_row(number, {**fixed, **values})
            except (OSError, pa.ArrowException) as error:
                raise InvalidSource(f"{name} cannot be read: {in_words(error)}.") from None

    def files(self) -> tuple[Path, ...]:
        """Where they are."""
        return tuple(self._root / name for name in self._files)

    def _open(self, name: str) -> pq.ParquetFile:
        path = (self._root / name).resolve()
        if not path.is_relative_to(self._root):
            raise InvalidSource(f"The log names '{name}', which lies outside the folder.")
        try:
            return pq.ParquetFile(path)
        except (OSError, pa.ArrowException) as error:
            raise InvalidSource(f"{name} cannot be read: {in_words(error)}.") from None


def open_parquet(opening: Opening) -> TableSource:
    """The folder at `opening`; pictures as bytes in a column, by path in the folder, or by address."""
    rows = ParquetRows(opening.path)
    columns = rows.columns()
    root = opening.path.resolve()
    guess = guess_mapping(root.name, columns, islice(rows.rows(), SAMPLE_ROWS))
    return settled(f"parquet:{root.name}", rows.rows, columns, guess, opening, root, lambda: (rows.files(), ()))


def _of_path(name: str) -> dict[str, str]:
    pairs = [part.split("=", 1) for part in Path(name).parts[:-1] if "=" in part]
    return {unquote(key): "" if value == _NO_VALUE else unquote(value) for key, value in pairs}


def _files_of_log(root: Path) -> list[str]:
    """Names of the files that the log of a Delta table leaves: its last checkpoint, and the commits after it."""
    files: dict[str, None] = {}
    checkpoints = sorted((root / LOG).glob("*.checkpoint*.parquet"))
    since = -1
    if checkpoints:
        since = int(checkpoints[-1].name[:20])
        for part in (path for path in checkpoints if int(path.name[:20]) == since):
            for action in pq.read_table(part).to_pylist():
                _apply(action, files, root.name)
    for commit in sorted((root / LOG).glob("*.json")):
        if commit.stem.isdigit() and int(commit.stem) > since:
            try:
                actions = [json.loads(line) for line in commit.read_text(encoding="utf-8").splitlines() if line.strip()]
            except ValueError as error:
                raise InvalidSource(f"{LOG}/{commit.name} cannot be read: {in_words(error)}.") from None
            for action in actions:
                _apply(action, files, root.name)
    return list(files)


def _apply(action: Mapping[str, Any], files: dict[str, None], name: str) -> None:
    if (needs := action.get("protocol")) and needs["minReaderVersion"] > 1:
        raise InvalidSource(
            f"{name} is a Delta table for readers of version {needs['minReaderVersion']}; version 1 is read here: "
            "write it anew without deletion vectors and column mapping."
        )
    if added := action.get("add"):
        files[unquote(added["path"])] = None
    if removed := action.get("remove"):
        files.pop(unquote(removed["path"]), None)
