"""The tables beside the products (terms, judgements, interactions), as files that a mapping names in one folder."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from catalog.errors import InvalidSource
from catalog.products import Interaction, Judgement, Term
from catalog.rows.records import clean
from catalog.sources.mapping import Mapping
from catalog.sources.protocol import SideTables
from catalog.sources.rows import demand_columns, read_columns, read_rows


class SideFiles:
    """Reads the side tables of `mapping` in `root`. Nothing outside `root` is opened."""

    def __init__(self, root: Path, mapping: Mapping) -> None:
        self._root, self._mapping = root, mapping

    def read(self) -> SideTables:
        """All of them, with a count of the rows that could not be used. Raises InvalidSource for a missing table."""
        dropped: Counter[str] = Counter()
        return SideTables(
            tuple(self._terms(dropped)), tuple(self._judgements(dropped)), tuple(self._interactions(dropped)), dropped
        )

    def _terms(self, dropped: Counter[str]) -> Iterator[Term]:
        table = self._mapping.terms
        if table is None:
            return
        by_column = [table.language_column] if table.language_column else []
        for cells in self._rows("terms", table.file, [table.field, table.value, table.term, *by_column], dropped):
            field = table.fields.get(cells[table.field], cells[table.field])
            language = cells[table.language_column] if table.language_column else table.language or ""
            term = Term(field, cells[table.value], language, cells[table.term])
            if all((term.field, term.value, term.language, term.term)):
                yield term
            else:
                dropped["terms: an empty cell"] += 1

    def _judgements(self, dropped: Counter[str]) -> Iterator[Judgement]:
        table = self._mapping.judgements
        if table is None:
            return
        columns = [table.query, table.product_id, table.grade, *([table.language] if table.language else [])]
        for cells in self._rows("judgements", table.file, columns, dropped):
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
        table = self._mapping.interactions
        if table is None:
            return
        columns = [table.user_id, table.product_id, table.action, table.at]
        for cells in self._rows(
            "interactions", table.file, [*columns, *([table.query] if table.query else [])], dropped
        ):
            user_id, product_id, action, at = (cells[column] for column in columns)
            if all((user_id, product_id, action, at)):
                yield Interaction(
                    user_id, product_id, action, at, (cells[table.query] or None) if table.query else None
                )
            else:
                dropped["interactions: an empty cell"] += 1

    def _rows(self, name: str, file: str, columns: list[str], dropped: Counter[str]) -> Iterator[dict[str, str]]:
        path = table_path(self._root, file, self._mapping, dict.fromkeys(columns, name))
        for row in read_rows(path, self._mapping.encoding, self._mapping.delimiter):
            if row.problem:
                dropped[f"{name}: an unreadable row"] += 1
            else:
                found = {column: row.cells.get(column, "") for column in columns}
                yield {column: clean(cell if isinstance(cell, str) else "") for column, cell in found.items()}


def table_path(root: Path, file: str, mapping: Mapping, columns: dict[str, str]) -> Path:
    """Path of a table in `root` that has all `columns` (name -> where the mapping names it)."""
    path = inside(root, file)
    if not path.is_file():
        raise InvalidSource(f"{root.name} has no file '{file}' that the mapping names.")
    demand_columns(file, read_columns(path, mapping.encoding, mapping.delimiter), columns)
    return path


def inside(root: Path, name: str) -> Path:
    """`name` in `root`. Raises InvalidSource when it lies outside."""
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise InvalidSource(f"The mapping names '{name}', which lies outside the source folder.")
    return path
