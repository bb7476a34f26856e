"""One table file that nobody described: its encoding, delimiter and columns are found by looking.

The source `table` reads any such file through a mapping that is guessed from its columns.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from catalog.errors import InvalidSource
from catalog.sources.guessing import SAMPLE_ROWS, guess_mapping
from catalog.sources.mapped import TableSource, only, settled
from catalog.sources.opening import Opening
from catalog.sources.rows import Row, format_of, read_columns, read_rows
from catalog.sources.sniffing import guess_delimiter, guess_encoding, guess_quoted


@dataclass(frozen=True)
class TableFile:
    """A table file and how it is written."""

    path: Path
    encoding: str
    delimiter: str | None
    quoted: bool = True

    @classmethod
    def look(cls, opening: Opening) -> "TableFile":
        """The file at `opening`, as its mapping file says it is written or as it looks. Raises InvalidSource."""
        path = opening.path
        if not path.is_file():
            raise InvalidSource(f"'{opening.where}' is not a file.")
        if format_of(path) == "parquet":
            return cls(path, "utf-8-sig", None)
        encoding = opening.said("encoding") or guess_encoding(path)
        if format_of(path) == "jsonl":
            return cls(path, encoding, None)
        delimiter = opening.said("delimiter") or guess_delimiter(path, encoding)
        return cls(path, encoding, delimiter, guess_quoted(path, encoding, delimiter))

    def columns(self) -> tuple[str, ...]:
        """Names of the columns, without spaces around them."""
        return tuple(name.strip() for name in read_columns(self.path, self.encoding, self.delimiter, self.quoted))

    def rows(self) -> Iterator[Row]:
        """Every row, by those names."""
        for row in read_rows(self.path, self.encoding, self.delimiter, self.quoted):
            yield Row(row.number, {name.strip(): cell for name, cell in row.cells.items()}, row.problem)

    def rows_as(self, names: Mapping[str, str]) -> Iterator[Row]:
        """Every row, by other names: column of the file -> name."""
        for row in self.rows():
            yield Row(row.number, {names[name]: cell for name, cell in row.cells.items()}, row.problem)

    def sample(self) -> list[Row]:
        """The first rows, which a guess is made from."""
        return list(islice(self.rows(), SAMPLE_ROWS))


def open_table(opening: Opening) -> TableSource:
    """A CSV, TSV, JSON lines or parquet file; pictures lie beside it or in the media folder."""
    table = TableFile.look(opening)
    columns = table.columns()
    guess = guess_mapping(table.path.name, columns, table.sample(), encoding=table.encoding, delimiter=table.delimiter)
    root = table.path.parent.resolve()
    return settled(f"table:{table.path.name}", table.rows, columns, guess, opening, root, only(table.path))
