"""`etalage quarantine`: the rows that did not become products, shown, or as a table to be mended and given back."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from catalog.ingesting.corrections import Corrected
    from catalog.products import Quarantined

SHOWN = 20
"""Rows, or cells, that are told one by one."""
_WIDEST = 40  # characters of a value


def quarantine(
    to: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Where to write them: .csv, or .tsv for tabs.")
    ] = None,
) -> None:
    """Show the rows that the last ingest could not take, each with its reason, or write them to FILE to be mended.

    Correct cells of FILE in a spreadsheet and give it back: the rows become products as if the source had said so, and
    the next ingest of the same source says so too. The column `row` names the row: leave it as it is.

    [dim]etalage quarantine rows.csv[/dim]

    [dim]etalage ingest --quarantine rows.csv[/dim]
    """
    from catalog.ingesting.quarantine_file import write_quarantine_file
    from catalog.snapshot import read_snapshot
    from catalog.tables import read_quarantine
    from flows import console

    snapshot, rows = read_snapshot(), read_quarantine()
    if not rows:
        console.say(f"No row of {snapshot.source} is in quarantine.")
    elif to is None:
        show_rows(rows)
        console.say("`etalage quarantine rows.csv` writes them as a table to be mended.")
    else:
        write_quarantine_file(rows, to)
        console.say(f"{to} holds {_counted(len(rows))}. Mend cells, and give it back: etalage ingest --quarantine {to}")


def told_of(found: "Corrected", quarantined: Mapping[str, int] | None = None) -> Iterator[str]:
    """What became of corrections, and what to do about the rows that are `quarantined` (reason -> rows): sentences."""
    if found.applied:
        yield f"Corrected by hand in {_counted(found.rows)}; --forget-corrections takes the source as it is:"
        for each in found.applied[:SHOWN]:
            yield f"  {each.key}, {each.field}: '{_short(each.before)}' became '{_short(each.after)}'"
        if len(found.applied) > SHOWN:
            yield f"  and {len(found.applied) - SHOWN:,} more cells"
    if found.outdated:
        named = ", ".join(f"{each.key} {each.field}" for each in found.outdated[:SHOWN])
        more = f" and {len(found.outdated) - SHOWN:,} more" if len(found.outdated) > SHOWN else ""
        yield f"Corrections fell away, since the source has other words there now or no such row: {named}{more}."
    yield from found.refused
    if count := sum((quarantined or {}).values()):
        yield (
            f"In quarantine: {_counted(count)}. `etalage quarantine rows.csv` writes a table to be mended, "
            "`etalage ingest --quarantine rows.csv` takes it back."
        )


def show_rows(rows: "Sequence[Quarantined]") -> None:
    """The first rows as a table, and how many more there are."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("source row", "id", "reason", "what is wrong", box=None)
    for row in rows[:SHOWN]:
        table.add_row(f"{row.source_row:,}", escape(_short(row.id)), escape(row.reason), escape(row.detail))
    Console().print(table)
    if len(rows) > SHOWN:
        Console().print(f"and {len(rows) - SHOWN:,} more")


def _counted(rows: int) -> str:
    return f"{rows:,} row" if rows == 1 else f"{rows:,} rows"


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
