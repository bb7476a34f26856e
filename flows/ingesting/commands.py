"""`etalage ingest`: a catalogue becomes the snapshot in data/, or, with --dry-run, is only looked at."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flows.ingesting.preview import Preview


def ingest(
    source: Annotated[
        str | None,
        typer.Argument(
            help="A file, a folder, an address of a database, hf://owner/name, or the built-in 'sample', which is the "
            "default; with --quarantine, what the present snapshot was read from."
        ),
    ] = None,
    mapping: Annotated[
        str | None, typer.Option(help="Which column is what: a YAML file, or the name of a built-in mapping.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--source", help="Read it as this: shopify, merchant, woocommerce, table, sql, ...")
    ] = None,
    media: Annotated[
        Path | None, typer.Option(help="Folder of pictures, for addresses too: by the last part of their path.")
    ] = None,
    query: Annotated[str | None, typer.Option(help="What a database is asked: a SELECT, or a table's name.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the mapping, counts, bad rows and ten products; take no snapshot.")
    ] = False,
    page: Annotated[Path, typer.Option(help="Where --dry-run writes its page.")] = Path("reports/ingest.html"),
    anew: Annotated[
        bool, typer.Option("--anew", help="Read and decode all again, though nothing of it changed.")
    ] = False,
    push: Annotated[bool, typer.Option("--push", help="Also send the snapshot to the DVC remote.")] = False,
    quarantine: Annotated[
        Path | None, typer.Option(help="Rows that `etalage quarantine FILE` wrote and that were mended since.")
    ] = None,
    keep_corrections: Annotated[
        bool, typer.Option("--keep-corrections/--forget-corrections", help="Whether rows mended before stay so.")
    ] = True,
) -> None:
    """Turn a catalogue into the snapshot in data/ and version it with DVC.

    What it is, is found by looking, and said. A bad row goes to quarantine with its reason and is counted; it stops
    nothing. docs/sources.md tells what each kind of source gives.

    [dim]etalage ingest sample[/dim]

    [dim]etalage ingest products_export.csv --media pictures --dry-run[/dim]

    [dim]etalage ingest ../shop --mapping shop.yaml[/dim]

    [dim]etalage ingest sqlite:///shop.db --query "SELECT * FROM products ORDER BY id"[/dim]

    [dim]etalage quarantine rows.csv   (mend it in a spreadsheet)   etalage ingest --quarantine rows.csv[/dim]
    """
    from catalog.sources import Opening, choose_source, open_choice
    from flows import console
    from flows.environment import home_folder
    from flows.ingesting.quarantine import told_of

    if quarantine is not None and source is None:
        from flows.ingesting.origin import origin

        known = origin(home_folder())
        source, mapping, kind, query = known.source, mapping or known.mapping, kind or known.kind, query or known.query
        media = media or (Path(known.media) if known.media else None)
    source = source or "sample"
    choice = choose_source(Opening(source, mapping, media, query), kind)
    console.say(choice.why)
    opened = open_choice(choice)  # what cannot be read is told before Prefect starts
    if dry_run:
        from catalog.ingesting.ingest import corrected_source
        from catalog.workspace import DATA
        from flows.ingesting.page import render
        from flows.ingesting.preview import preview

        corrected = corrected_source(opened, DATA, quarantine, keep_corrections)
        found = preview(opened, choice, corrected)
        show_preview(found)
        for sentence in told_of(corrected.found):
            console.say(sentence)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(render(found), encoding="utf-8")
        console.say(f"{page} shows {len(found.samples)} of them. No snapshot was taken.")
        return
    from flows.ingest import ingest as ingest_flow

    given = str(quarantine) if quarantine else None
    pictures = str(media) if media else None
    told = ingest_flow(source, mapping, push, kind, pictures, query, given, keep_corrections, anew)
    console.show_snapshot(told)
    for sentence in told_of(told.corrected, told.quarantined):
        console.say(sentence)


def show_preview(found: "Preview") -> None:
    """Mapping, counts and what would be rejected, as tables; then the notes."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    out = Console()
    if found.mapping:
        table = Table("field", "column", "in the first row", box=None)
        for name, column, value in found.mapping:
            table.add_row(escape(name), escape(column), escape(value if len(value) < 60 else value[:57] + "..."))
        out.print(table)
        out.print(escape("; ".join(f"{name} {value}" for name, value in found.settings.items())), style="dim")
        if found.unread:
            out.print(escape(f"Columns that no field takes: {', '.join(found.unread)}."), style="dim")
    counts = Table("what", "count", "for example", box=None)
    counts.columns[1].justify = "right"
    counts.add_row("rows of the source", f"{found.rows:,}")
    counts.add_row("products", f"{found.products:,}", f"in {found.groups:,} product groups")
    for reason, (count, examples) in found.rejected.items():
        first = examples[0]
        sentence = f"Row {first.source_row}: {first.detail}"
        counts.add_row(f"would be quarantined: {escape(reason)}", f"{count:,}", escape(sentence), style="yellow")
    for reason, count in found.left_out.items():
        counts.add_row(f"left out: {escape(reason)}", f"{count:,}", style="yellow")
    counts.add_row("pictures", f"{found.pictures:,}")
    counts.add_row("without a picture", f"{found.without_picture:,}")
    out.print(counts)
    for note in found.notes:
        out.print(escape(note), soft_wrap=True)
