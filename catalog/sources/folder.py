"""A folder with a table (CSV, TSV, JSON lines, parquet) and pictures, read through a mapping file."""

from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping as Cells
from pathlib import Path

from catalog.errors import InvalidMedia, InvalidSource, MediaTooLarge
from catalog.media import MAX_BYTES
from catalog.products import Interaction, Judgement, Term
from catalog.records import Record, clean
from catalog.sources.mapping import FILE_NAME, Mapping, load_mapping
from catalog.sources.protocol import SideTables
from catalog.sources.rows import Cell, Row, read_columns, read_rows


class FolderSource:
    """The catalogue in `folder`. Without a mapping, mapping.yaml in the folder is read.

    Nothing outside the folder is ever opened: neither by ../ nor by an absolute path nor through a link.
    """

    def __init__(self, folder: Path, mapping: Mapping | None = None) -> None:
        if not folder.is_dir():
            raise InvalidSource(f"{folder} is not a folder.")
        self._root = folder.resolve()
        if mapping is None:
            if not (folder / FILE_NAME).is_file():
                raise InvalidSource(f"{folder} has no {FILE_NAME}: add one, or name a mapping file.")
            mapping = load_mapping(folder / FILE_NAME)
        self.mapping = mapping
        self._media = self._inside(mapping.media)
        self._products = self._table(mapping.products, mapping.all_columns())

    @property
    def name(self) -> str:
        """Name of the folder, without where it lies."""
        return f"folder:{self._root.name}"

    def records(self) -> Iterator[Record]:
        """Every row of the products table."""
        for row in read_rows(self._products, self.mapping.encoding, self.mapping.delimiter):
            yield self._record(row)

    def media(self, reference: str) -> bytes:
        """Bytes of a picture file. Raises InvalidMedia when it is missing or lies outside the folder."""
        try:
            path = (self._media / reference).resolve()
        except (OSError, ValueError):
            raise InvalidMedia(f"'{reference[:80]}' is not a file name.") from None
        if not path.is_relative_to(self._root):
            raise InvalidMedia(f"'{reference[:80]}' lies outside the source folder.")
        try:
            if not path.is_file():
                raise InvalidMedia(f"'{reference[:80]}' is not a file in the source folder.")
            if path.stat().st_size > MAX_BYTES:
                raise MediaTooLarge(
                    f"'{reference[:80]}' has {path.stat().st_size:,} bytes; the limit is {MAX_BYTES:,}."
                )
            return path.read_bytes()
        except OSError as error:
            raise InvalidMedia(f"'{reference[:80]}' cannot be read: {error.strerror}.") from None

    def side_tables(self) -> SideTables:
        """Terms, judgements and interactions that the mapping names."""
        dropped: Counter[str] = Counter()
        return SideTables(
            tuple(self._terms(dropped)), tuple(self._judgements(dropped)), tuple(self._interactions(dropped)), dropped
        )

    def _terms(self, dropped: Counter[str]) -> Iterator[Term]:
        table = self.mapping.terms
        if table is None:
            return
        by_column = [table.language_column] if table.language_column else []
        for cells in self._side_rows("terms", table.file, [table.field, table.value, table.term, *by_column], dropped):
            field = table.fields.get(cells[table.field], cells[table.field])
            language = cells[table.language_column] if table.language_column else table.language or ""
            term = Term(field, cells[table.value], language, cells[table.term])
            if all((term.field, term.value, term.language, term.term)):
                yield term
            else:
                dropped["terms: an empty cell"] += 1

    def _judgements(self, dropped: Counter[str]) -> Iterator[Judgement]:
        table = self.mapping.judgements
        if table is None:
            return
        columns = [table.query, table.product_id, table.grade, *([table.language] if table.language else [])]
        for cells in self._side_rows("judgements", table.file, columns, dropped):
            query, product_id, grade = cells[table.query], cells[table.product_id], cells[table.grade]
            if not query or not product_id:
                dropped["judgements: an empty cell"] += 1
            elif not (grade.isascii() and grade.isdigit() and len(grade) < 4):
                dropped["judgements: a grade that is not a whole number from 0 to 999"] += 1
            else:
                yield Judgement(
                    query, product_id, int(grade), (cells[table.language] or None) if table.language else None
                )

    def _interactions(self, dropped: Counter[str]) -> Iterator[Interaction]:
        table = self.mapping.interactions
        if table is None:
            return
        columns = [table.user_id, table.product_id, table.action, table.at]
        for cells in self._side_rows(
            "interactions", table.file, [*columns, *([table.query] if table.query else [])], dropped
        ):
            user_id, product_id, action, at = (cells[column] for column in columns)
            if all((user_id, product_id, action, at)):
                yield Interaction(
                    user_id, product_id, action, at, (cells[table.query] or None) if table.query else None
                )
            else:
                dropped["interactions: an empty cell"] += 1

    def _side_rows(self, name: str, file: str, columns: list[str], dropped: Counter[str]) -> Iterator[dict[str, str]]:
        path = self._table(file, dict.fromkeys(columns, name))
        for row in read_rows(path, self.mapping.encoding, self.mapping.delimiter):
            if row.problem:
                dropped[f"{name}: an unreadable row"] += 1
            else:
                yield {column: clean(_one(row.cells.get(column, ""))) for column in columns}

    def _record(self, row: Row) -> Record:
        if row.problem:
            return Record(row.number, problem=row.problem)
        mapping, cells = self.mapping, row.cells
        values = {name: _one(cells.get(column, "")) for name, column in mapping.columns.single()}
        for name, value in mapping.defaults.model_dump(exclude_none=True).items():
            values[name] = values.get(name) or value
        levels = mapping.columns.category
        return Record(
            source_row=row.number,
            values=values,
            category=tuple(_many(cells, levels, mapping.category_separator if len(levels) == 1 else None)),
            attributes={name: _one(cells.get(column, "")) for name, column in mapping.attributes.items()},
            images=tuple(_many(cells, mapping.columns.images, mapping.list_separator)),
            reviews=tuple(_many(cells, mapping.columns.reviews, mapping.list_separator)),
        )

    def _table(self, file: str, columns: dict[str, str]) -> Path:
        """Path of a table that has all `columns` (name -> where the mapping names it)."""
        path = self._inside(file)
        if not path.is_file():
            raise InvalidSource(f"{self._root.name} has no file '{file}' that the mapping names.")
        present = read_columns(path, self.mapping.encoding, self.mapping.delimiter)
        missing = [f"'{column}' ({place})" for column, place in columns.items() if column not in present]
        if missing:
            raise InvalidSource(f"{file} has no column {', '.join(missing)}; its columns are: {', '.join(present)}.")
        if len(set(present)) < len(present):
            raise InvalidSource(f"{file} has two columns of one name; its columns are: {', '.join(present)}.")
        return path

    def _inside(self, name: str) -> Path:
        path = (self._root / name).resolve()
        if not path.is_relative_to(self._root):
            raise InvalidSource(f"The mapping names '{name}', which lies outside the source folder.")
        return path


def _one(cell: Cell) -> str:
    return cell if isinstance(cell, str) else ", ".join(cell)


def _many(cells: Cells[str, Cell], columns: tuple[str, ...], separator: str | None) -> Iterator[str]:
    for column in columns:
        cell = cells.get(column, "")
        parts = cell if isinstance(cell, tuple) else cell.split(separator) if separator else (cell,)
        yield from (part.strip() for part in parts if part.strip())
