"""`etalage why`, `interactions`, `diff`, `gc`, `rebuild`: where releases and answers come from, and which stay."""

import json
from pathlib import Path
from typing import Annotated

import typer

from flows.environment import home_folder
from flows.login import login
from flows.retention.keeping import KEEP, SPARE

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout instead of tables.")]
AnyRelease = Annotated[str, typer.Argument(metavar="RELEASE", help="A release's id, or the start of it.")]


@app.command()
def why(
    release: Annotated[
        str | None,
        typer.Argument(help="A release's id, or the start of it; a retired one too. The champion by default."),
    ] = None,
    answer: Annotated[
        str | None, typer.Option(metavar="REQUEST_ID", help="The X-Request-Id of an answer instead of a release.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a release was made of, how it scored, what the gates said, and who promoted, forced or rolled it back.

    With --answer: which release gave that answer, when, to what kind of query, with which hits, and what users did
    with them as far as that was reported; then that release.

    [dim]etalage why r3f[/dim]

    [dim]etalage why --answer 9f2c61d0a4b7e835[/dim]
    """
    if release is not None and answer is not None:
        raise typer.BadParameter("a release, or --answer and the id of a request: not both.", param_hint="RELEASE")
    from flows.lineage.origins import lineage_of
    from flows.releases import ReleaseStore

    store = ReleaseStore(home_folder())
    if answer is None:
        from flows.lineage import tables

        lineage = lineage_of(store, release or store.champion_manifest().release)
        if as_json:
            typer.echo(lineage.model_dump_json(indent=2))
        else:
            tables.show_lineage(lineage)
        return
    _why_answer(answer, as_json)


def _why_answer(request: str, as_json: bool) -> None:
    from bento.journals.line import as_line
    from catalog.errors import ReleaseNotFound
    from flows.lineage import tables
    from flows.lineage.answers import find_answers, find_reported
    from flows.lineage.origins import lineage_of
    from flows.releases import ReleaseStore

    store = ReleaseStore(home_folder())
    answers, reported = find_answers(store.home, request), find_reported(store.home, request)
    lineages, unknown = [], []
    for release in dict.fromkeys(line.release for line in answers if line.release):
        try:
            lineages.append(lineage_of(store, release))
        except ReleaseNotFound as error:
            unknown.append(str(error))
    if as_json:
        told = {
            "answers": [json.loads(as_line(line)) for line in answers],
            "reported": [json.loads(as_line(line)) for line in reported],
            "releases": [lineage.model_dump(mode="json") for lineage in lineages],
        }
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        if len(answers) > 1:
            typer.echo(f"{len(answers)} requests had this id:")
        tables.show_answers(answers)
        tables.show_reported(reported)
        for lineage in lineages:
            tables.show_lineage(lineage)
    for sentence in unknown:
        typer.echo(sentence, err=True)


@app.command()
def interactions(
    file: Annotated[Path, typer.Argument(help="A CSV file, made or added to, which the mapping of the shop names.")],
) -> None:
    """Add what was reported to POST /feedback to a table of interactions, for `etalage ingest` to read.

    Words of queries are in it as far as the journal has them (ETALAGE_SERVICE_LOG_QUERIES=plain). Run it again, and
    only what is new is added.

    [dim]etalage interactions ../shop/interactions.csv[/dim]
    """
    from flows.lineage.answers import folder_of
    from flows.lineage.interactions import add_to, interactions_in

    found = interactions_in(folder_of(home_folder()))
    added, rows = add_to(file, found)
    wordless = sum(row.query is None for row in found)
    typer.echo(f"{added:,} new rows, {rows:,} in {file}. Of {len(found):,} in the journal, {wordless:,} have no words.")


@app.command()
def diff(before: AnyRelease, after: AnyRelease, as_json: AsJson = False) -> None:
    """Two releases side by side: data, code, params key by key, encoder, scores with intervals, gates.

    Products are counted where DVC's cache has both snapshots.

    [dim]etalage diff r3f r81[/dim]
    """
    from flows.lineage import tables
    from flows.lineage.differences import differences
    from flows.lineage.origins import lineage_of
    from flows.lineage.snapshots import product_changes
    from flows.releases import ReleaseStore

    store = ReleaseStore(home_folder())
    old, new = lineage_of(store, before), lineage_of(store, after)
    told = differences(old, new, *product_changes(old, new))
    if as_json:
        typer.echo(told.model_dump_json(indent=2))
    else:
        tables.show_diff(told)


@app.command()
def gc(
    keep: Annotated[
        int, typer.Option(min=0, help="Releases to keep beside the champion and the one before it, the latest first.")
    ] = KEEP,
    cache_mib: Annotated[
        int, typer.Option(min=0, help="MiB of the embedding cache that products that are gone may keep, by encoder.")
    ] = SPARE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, and remove nothing.")] = False,
    by: Annotated[str, typer.Option(help="Who, for the record; your login name by default.")] = "",
) -> None:
    """Remove releases that nobody needs: collection, Bento and folder; what killed runs left behind; and of the
    embedding cache that `etalage refresh` fills, what was encoded by encoders that no release has any more.

    The champion, the one that rollback returns to, and whatever is being served stay. The manifests of removed
    releases are kept: `etalage why` goes on explaining the answers that they gave.

    [dim]etalage gc --dry-run[/dim]

    [dim]etalage gc --keep 5[/dim]
    """
    from flows.lineage import tables

    if dry_run:
        from flows.opening import milvus
        from flows.releases import ReleaseStore
        from flows.retention.belongings import gather
        from flows.retention.keeping import fates

        collections = milvus()
        decided = fates(gather(ReleaseStore(home_folder()), collections), keep, cache_mib)
        collections.close()
    else:
        from flows.gc import gc as gc_flow

        decided = gc_flow(keep=keep, by=by or login(), spare=cache_mib)
    tables.show_fates(decided, dry_run)


@app.command()
def rebuild(release: AnyRelease, as_json: AsJson = False) -> None:
    """Make a release's encoder and embeddings once more from what its manifest names, and compare them bit by bit.

    Code from git, data from DVC's cache, params from the manifest; in a workspace of its own below ETALAGE_HOME, on the
    CPU, with nothing taken from a cache: it takes as long as the training did. A retired release too.

    [dim]etalage rebuild r3f[/dim]
    """
    from flows.errors import NotRebuilt
    from flows.lineage import tables
    from flows.lineage.rebuild import rebuild as rebuild_release
    from flows.releases import ReleaseStore

    told = rebuild_release(ReleaseStore(home_folder()), release)
    if as_json:
        typer.echo(told.model_dump_json(indent=2))
    else:
        tables.show_rebuilt(told)
    if not told.same:
        differ = ", ".join(row.name for row in told.compared if not row.same)
        raise NotRebuilt(f"Release {told.release} did not come out as it was: {differ}.")
