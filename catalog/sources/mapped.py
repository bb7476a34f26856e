"""A table and a mapping: what every source that has rows and columns is made of."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as Cells
from pathlib import Path
from typing import NamedTuple

from catalog.errors import InvalidSource
from catalog.rows.records import Record, Reference
from catalog.rows.wording import measure
from catalog.sources.inputs import Inputs
from catalog.sources.mapping import Mapping
from catalog.sources.opening import Opening
from catalog.sources.pictures import Pictures
from catalog.sources.protocol import SideTables
from catalog.sources.rows import Cell, Nested, Row
from catalog.sources.side_files import SideFiles, inside

Reads = Callable[[], tuple[Sequence[Path], Sequence[str]]]
"""Files that are read whole, and names of files whose being there makes rows."""


class TableSource:
    """Rows read through a mapping. `rows` starts again from the first at every call."""

    def __init__(
        self,
        name: str,
        rows: Callable[[], Iterable[Row]],
        mapping: Mapping,
        pictures: Pictures,
        root: Path | None = None,
        columns: Sequence[str] = (),
        reads: Reads | None = None,
    ) -> None:
        """`root` is the folder of the side tables that the mapping names; `columns` are all that rows may have. `reads`
        names what the rows are made of, where that is files."""
        self._name, self._rows, self._pictures = name, rows, pictures
        self.mapping, self.columns, self._reads, self._root = mapping, tuple(columns), reads, root
        if root is None and (mapping.terms or mapping.judgements or mapping.interactions):
            raise InvalidSource(f"{name} has no folder beside it: tables of terms or judgements need one.")
        self._side = None if root is None else SideFiles(root, mapping)

    @property
    def name(self) -> str:
        """Kind and name, without where it lies."""
        return self._name

    def records(self) -> Iterator[Record]:
        """Every row."""
        reading = Reading.of(self.mapping)
        for row in self._rows():
            yield record_of(row, reading)

    def media(self, reference: Reference) -> bytes:
        """Bytes of a picture. Raises as Pictures.read does."""
        return self._pictures.read(reference)

    def side_tables(self) -> SideTables:
        """Terms, judgements and interactions that the mapping names."""
        return SideTables() if self._side is None else self._side.read()

    def is_away(self, reference: Reference) -> bool:
        """Whether it is an address that no file stands for."""
        return self._pictures.is_away(reference)

    def inputs(self) -> Inputs | None:
        """Its mapping, its tables and its folders of pictures; None where rows come from no file."""
        if self._reads is None:
            return None
        files, names = self._reads()
        mapping, root = self.mapping, self._root
        beside = [table.file for table in (mapping.terms, mapping.judgements, mapping.interactions) if table]
        said = {
            "source": self._name,
            "mapping": mapping.model_dump(mode="json"),
            "columns": self.columns,
            "folders": self._pictures.folders(),
        }
        sides = (inside(root, file) for file in beside) if root is not None else ()
        return Inputs(said, (*files, *sides), tuple(names), self._pictures.watch)


def settled(
    name: str,
    rows: Callable[[], Iterable[Row]],
    columns: Sequence[str],
    guess: Mapping,
    opening: Opening,
    root: Path | None = None,
    reads: Reads | None = None,
) -> TableSource:
    """`rows` through `guess`, with what the person who opens it says instead. Raises InvalidSource or InvalidParams."""
    return TableSource(name, rows, opening.settle(guess, columns), opening.pictures(root), root, columns, reads)


def only(path: Path) -> Reads:
    """Rows that are made of the file at `path` alone."""
    return lambda: ((path.resolve(),), ())


class Reading(NamedTuple):
    """What a mapping says, as each row needs it."""

    mapping: Mapping
    columns: tuple[str, ...]
    pictures: frozenset[str]
    single: tuple[tuple[str, str], ...]
    defaults: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, mapping: Mapping) -> "Reading":
        """From the mapping."""
        return cls(
            mapping,
            tuple(mapping.all_columns()),
            frozenset(mapping.columns.images),
            tuple(mapping.columns.single()),
            tuple(mapping.defaults.model_dump(exclude_none=True).items()),
        )


def record_of(row: Row, reading: Reading) -> Record:
    """One row through a mapping."""
    mapping = reading.mapping
    if row.problem or row.left_out:
        empty = dict.fromkeys(mapping.attributes, "")  # what a person may fill in
        known = mapping.defaults.model_dump(exclude_none=True)
        return Record(
            row.number, known, attributes=empty, problem=row.problem, left_out=row.left_out, decimal=mapping.decimal
        )
    cells = row.cells
    for column in reading.columns:
        cell = cells.get(column, "")
        if isinstance(cell, Nested) or (isinstance(cell, bytes) and column not in reading.pictures):
            kind = cell.kind if isinstance(cell, Nested) else "bytes"
            return Record(row.number, problem=f"Column '{column}' holds {kind}; text, numbers and lists are read.")
    values = {name: _one(cells.get(column, "")) for name, column in reading.single}
    for name, value in reading.defaults:
        values[name] = values.get(name) or value
    _add_languages(values, cells, mapping)
    levels = mapping.columns.category
    path = _many(cells, levels, mapping.category_separator if len(levels) == 1 else None)
    return Record(
        source_row=row.number,
        values=values,
        category=tuple(level for level in path if isinstance(level, str)),
        attributes={name: measure(_one(cells.get(column, "")), column) for name, column in mapping.attributes.items()},
        images=tuple(_many(cells, mapping.columns.images, mapping.list_separator)),
        reviews=tuple(r for r in _many(cells, mapping.columns.reviews, mapping.list_separator) if isinstance(r, str)),
        decimal=mapping.decimal,
    )


def _add_languages(values: dict[str, str], cells: Cells[str, Cell], mapping: Mapping) -> None:
    """Words in further languages go behind the description, where text search finds them; a title that is missing in
    the first language is taken from the next that has one."""
    further = []
    for language, wording in mapping.languages.items():
        title = _one(cells.get(wording.title, "")) if wording.title else ""
        text = _one(cells.get(wording.description, "")) if wording.description else ""
        if title and not values.get("title"):
            values.update(title=title, language=language)
            title = ""
        further += [
            part for part in (title, text) if part and part not in (values.get("title"), values.get("description"))
        ]
    if further:
        values["description"] = "\n".join(part for part in (values.get("description", ""), *further) if part)


def _one(cell: Cell) -> str:
    parts = cell if isinstance(cell, tuple) else (cell,)
    return ", ".join(part for part in parts if isinstance(part, str))


def _many(cells: Cells[str, Cell], columns: tuple[str, ...], separator: str | None) -> Iterator[Reference]:
    for column in columns:
        cell = cells.get(column, "")
        if isinstance(cell, str):
            parts: tuple[Reference, ...] = tuple(cell.split(separator)) if separator else (cell,)
        else:
            parts = cell if isinstance(cell, tuple) else (cell,) if isinstance(cell, bytes) else ()
        for part in parts:
            if reference := part.strip() if isinstance(part, str) else part:
                yield reference
