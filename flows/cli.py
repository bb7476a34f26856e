"""The command line: `etalage --help`, or `python -m flows`.

Every command imports what it needs when it runs: the help must come at once, and Prefect or Milvus take seconds.
"""

import errno
import sys
from pathlib import Path
from typing import Annotated

import typer

from catalog.errors import EtalageError, InvalidQuery
from flows.admin.command import admin
from flows.environment import home_folder
from flows.errors import BUSY, RefusedByGates, exit_code
from flows.ingesting.commands import ingest
from flows.ingesting.quarantine import quarantine
from flows.key_commands import app as key_commands
from flows.lineage.commands import app as lineage_commands
from flows.login import login as _login
from flows.monitoring.commands import monitor
from flows.scheduling.event_commands import event

EXIT_CODES_HELP = """
[bold]Exit codes[/bold]: 0 done; 1 refused by validation or gates; 2 wrong usage or bad input;
3 something is missing (a release, the data); 4 a store or workspace is busy or unreachable; 5 a step broke;
6 an alarm of `etalage monitor`: nothing failed, and something moved.
"""

app = typer.Typer(
    name="etalage",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="""
    From a shop's catalogue to a search service that is promoted only behind gates.

    [bold]The whole loop on the built-in sample[/bold]

        etalage ingest sample          a catalogue becomes the snapshot in data/

        etalage retrain                validate, train, embed, measure, decide, package, promote

        etalage refresh                a changed catalogue into the index that answers, without retraining

        etalage search "red dress"     ask the release that answers now

        etalage serve                  the same over HTTP, on http://127.0.0.1:3000

        etalage admin                  releases side by side in a browser, and the way back, on http://127.0.0.1:3010

    Run it from the root of a workspace: the folder with params.yaml and dvc.yaml.
    Releases and the embedded Milvus lie in .etalage/, or in ETALAGE_HOME.
    A Milvus server is named by ETALAGE_MILVUS_URI, a Prefect server by PREFECT_API_URL.
    """,
    epilog=EXIT_CODES_HELP,
)

app.command("ingest")(ingest)
app.command("quarantine")(quarantine)
app.add_typer(key_commands)
app.add_typer(lineage_commands)
app.command("event")(event)
app.command("monitor")(monitor)
app.command("admin")(admin)

Reason = Annotated[str, typer.Option(help="Why, for the record.")]
By = Annotated[str, typer.Option(help="Who, for the record; your login name by default.")]
ReleaseId = Annotated[str, typer.Argument(help="A release's id, or the start of it.")]


@app.command()
def retrain(
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change params.yaml first; checked, and it stays."),
    ] = None,
    promote: Annotated[bool, typer.Option("--promote/--no-promote", help="Promote when the gates pass.")] = True,
    force: Annotated[bool, typer.Option("--force", help="Promote although refused; needs --reason.")] = False,
    reason: Reason = "",
    by: By = "",
    push: Annotated[bool, typer.Option("--push", help="Also send artifacts to the DVC remote.")] = False,
) -> None:
    """Bring everything up to date with data/ and params.yaml, decide, and promote if the gates pass.

    What did not change is not computed again; killed half-way, run it again and it goes on.

    [dim]etalage retrain[/dim]

    [dim]etalage retrain --set train.epochs=20 --no-promote[/dim]

    [dim]etalage retrain --force --reason "campaign starts, image recall is known to be low" --by "A. Person"[/dim]
    """
    from flows import console
    from flows.durable import one_writer
    from flows.outcome import settled
    from flows.parameters import change_params
    from flows.releases import ReleaseStore
    from flows.standing import stand

    _demand_reason(force, reason)
    if settings:
        with one_writer(home_folder()):  # a run that is under way reads the params that it began with
            changed = change_params(settings)
        for sentence in changed:
            console.say(f"params.yaml: {sentence}")
    store = ReleaseStore(home_folder())
    standing = stand(store)
    from flows.runs.pages import newest, page_of

    if standing.is_settled(promote=promote, force=force):
        try:
            console.show_outcome(settled(standing), store)
        finally:  # a refusal that is known has its page, too
            console.show_page(page_of(store, standing.release))
        return
    from flows.retrain import retrain as retrain_flow

    before = newest(store.home)
    try:
        outcome = retrain_flow(promote=promote, force=force, reason=reason, by=by or _login(), push_artifacts=push)
        console.show_outcome(outcome, store)
    finally:  # a refusal leaves a page too
        after = newest(store.home)
        console.show_page(None if after == before else after)


@app.command()
def compare(
    names: Annotated[
        list[str] | None, typer.Argument(help="Configurations or families; all when none is named.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="Another file of configurations than the built-in one.")] = None,
    only_table: Annotated[bool, typer.Option("--table", help="Train nothing: a table of what is finished.")] = False,
) -> None:
    """Train and score named configurations on the snapshot in data/, and write reports/compare.json and compare.md.

    All have the same split and are asked the same questions. What is finished is not done again; killed, run it again.

    [dim]etalage compare fusion learning[/dim]

    [dim]etalage compare --file mine.yaml[/dim]
    """
    from flows.comparison import compare as compare_configurations

    compare_configurations(names or [], file, only_table)


@app.command()
def tune(
    trials: Annotated[
        int | None,
        typer.Option(min=1, help="Trials to have in all; params.yaml says how many."),
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0.0, help="Begin no trial after so many.")] = None,
) -> None:
    """Search the params that the section `sweep` of params.yaml names, on the validation split, with Optuna.

    Each trial is trained beside this workspace and kept as a DVC experiment: `dvc exp show` lists them, `dvc exp apply`
    takes one over. Run it again and it goes on; what has ended is never repeated. reports/sweep.html shows the front of
    quality against latency.

    [dim]etalage tune --trials 20[/dim]

    [dim]etalage tune --minutes 90[/dim]
    """
    from flows import console
    from flows.sweep import sweep

    console.show_sweep(sweep(trials, minutes))


@app.command()
def search(
    text: Annotated[str | None, typer.Argument(help="What to look for, in English or Chinese.")] = None,
    image: Annotated[list[Path] | None, typer.Option(help="A photo, alone or with TEXT; may be repeated.")] = None,
    more: Annotated[list[str] | None, typer.Option(help="Words that pull the answer towards them.")] = None,
    less: Annotated[list[str] | None, typer.Option(help="Words that push the answer away.")] = None,
    k: Annotated[int, typer.Option("--k", "-k", help="How many hits.")] = 10,
    filters: Annotated[
        list[str] | None, typer.Option("--filter", metavar="FIELD=VALUE", help="Repeat a field for 'any of'.")
    ] = None,
    legs: Annotated[
        list[str] | None, typer.Option("--leg", help="Use only this leg: dense, image, text, lexical, attributes.")
    ] = None,
    understand: Annotated[bool, typer.Option(help="Read attributes, negations and prices in TEXT.")] = True,
    explain: Annotated[bool, typer.Option("--explain", help="Say why each of the first hits was found.")] = False,
    release: Annotated[str | None, typer.Option(help="Another release than the champion.")] = None,
) -> None:
    """Ask the release that answers now, in this process.

    [dim]etalage search "red summer dress" --filter price=..50 --filter in_stock=true[/dim]

    [dim]etalage search 红色连衣裙[/dim]

    [dim]etalage search "in blue" --image photo.jpg[/dim]

    [dim]etalage search --image a.jpg --image b.jpg --more wool --less black[/dim]

    [dim]etalage search "red summer dress" -k 3 --explain[/dim]
    """
    from flows import console
    from flows.asking import ask

    for path in image or []:
        if not path.is_file():
            raise InvalidQuery(f"{path} is not a file.")
    photos = [path.read_bytes() for path in image or []]
    words = (more or [], less or [])
    answer = ask(home_folder(), text, photos, *words, k, filters or [], legs or [], release, understand, explain)
    console.show_answer(answer)
    if explain:
        from flows.explaining import show_reasons

        show_reasons(answer)


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="TCP port.", min=1, max=65535)] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all, with API keys only.")] = "127.0.0.1",
    release: Annotated[str | None, typer.Option(help="Another release than the champion.")] = None,
    workers: Annotated[int, typer.Option(help="Processes that answer, each with the release in memory.", min=1)] = 1,
) -> None:
    """Serve the champion over HTTP until it is stopped; after a promotion or a rollback, the new one.

    No request is lost then: the new release answers before the old one ends. With --release it stays at that one.

    [dim]etalage serve --port 8080[/dim]

    [dim]curl -s 127.0.0.1:3000/search -H 'content-type: application/json' -d '{"text": "red dress", "k": 3}'[/dim]
    """
    from flows.serving.serve import serve as serve_release

    sys.exit(serve_release(home_folder(), host, port, release, workers))


@app.command()
def refresh(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and write nothing.")] = False,
) -> None:
    """Bring the catalogue in data/ into the index that answers now, without retraining.

    Only new and changed products are encoded, by the champion's own encoder; deleted ones disappear; of a new price or
    stock nothing is encoded. A snapshot that validation refuses changes nothing. A service that runs follows.

    [dim]etalage refresh --dry-run[/dim]

    [dim]etalage refresh[/dim]
    """
    from flows import console
    from flows.milestones import ensure_data
    from flows.opening import milvus
    from flows.packaging import demand_follower
    from flows.promotion import INTENT
    from flows.refreshing.steps import Refresh
    from flows.releases import ReleaseStore

    store = ReleaseStore(home_folder())
    store.champion_manifest()  # without one there is nothing to refresh, and nothing to wait for
    look = Refresh(store, milvus(), ensure_data())
    if dry_run or (look.is_settled and not (store.home / INTENT).exists()):
        console.show_refresh(look.forecast(), dry_run=dry_run)
        return
    demand_follower(look.manifest.release, store.home)
    from flows.refresh import refresh as refresh_flow

    console.show_refresh(refresh_flow())


@app.command()
def releases() -> None:
    """List all releases, oldest first: what they were made of, their scores, what the gates said."""
    from flows import console
    from flows.releases import ReleaseStore

    console.show_releases(ReleaseStore(home_folder()))


@app.command()
def promote(
    release: ReleaseId,
    force: Annotated[bool, typer.Option("--force", help="Although the gates refused it; needs --reason.")] = False,
    reason: Reason = "",
    by: By = "",
) -> None:
    """Let a release answer that passed the gates: one left by --no-promote, or one that was rolled back.

    [dim]etalage promote r3f[/dim]
    """
    from flows.releases import ReleaseStore

    _demand_reason(force, reason)
    known = ReleaseStore(home_folder()).get(release).release
    from flows import console
    from flows.promote import promote as promote_flow

    store = ReleaseStore(home_folder())
    console.show_champion(promote_flow(known, force=force, reason=reason, by=by or _login()), store)


@app.command()
def rollback(
    reason: Reason = "",
    by: By = "",
    instead_of: Annotated[
        str, typer.Option(metavar="RELEASE", help="Only if this one is the champion still: nobody was faster.")
    ] = "",
) -> None:
    """Return to the champion before this one: alias, record and Bento together.

    Retrain will not promote the release that was rolled back by itself; `etalage promote` can.

    [dim]etalage rollback --reason "hits for shoes look wrong"[/dim]
    """
    from flows.releases import ReleaseStore

    ReleaseStore(home_folder()).require_previous()
    from flows import console
    from flows.rollback import rollback as rollback_flow

    champion = rollback_flow(reason=reason, by=by or _login(), instead_of=instead_of)
    console.show_champion(champion, ReleaseStore(home_folder()))


@app.command()
def status() -> None:
    """Say which release answers, what it was made of, and whether a retrain has something to do."""
    from flows import console
    from flows.releases import ReleaseStore
    from flows.standing import stand

    store = ReleaseStore(home_folder())
    console.show_status(store)
    console.say(stand(store).sentence)


@app.command()
def deploy(
    cron: Annotated[str, typer.Option(help="When to retrain; '' for no schedule.")] = "0 3 * * *",
    timezone: Annotated[str, typer.Option(help="Of the schedule.")] = "UTC",
    pool: Annotated[
        str, typer.Option(help="Prefect work pool, made when it is missing; one run at a time.")
    ] = "etalage",
    gather: Annotated[
        int, typer.Option(min=1, help="Seconds after an event in which others join it, before one retrain starts.")
    ] = 60,
) -> None:
    """Register ingest, retrain, refresh, promote and rollback on a Prefect server; retrain runs by cron and by events.

    A new snapshot, a drift alarm and a spent error budget start it too; runs of all of them wait for each other.

    [dim]prefect server start[/dim]

    [dim]PREFECT_API_URL=http://127.0.0.1:4200/api etalage deploy --cron "0 3 * * *"[/dim]

    [dim]PREFECT_API_URL=http://127.0.0.1:4200/api prefect worker start --pool etalage[/dim]
    """
    from flows import console
    from flows.scheduling.deployments import deploy as register

    for sentence in register(cron, timezone, pool, gather):
        console.say(sentence)


def _demand_reason(force: bool, reason: str) -> None:
    if force and not reason.strip():
        raise typer.BadParameter(
            "--force needs --reason: who forces a refused release says why.", param_hint="--reason"
        )


def main() -> None:
    """Run a command; whatever Etalage refuses is one sentence on stderr and an exit code."""
    try:
        app(prog_name="etalage")
    except EtalageError as error:
        if isinstance(error, RefusedByGates):
            from flows import console

            console.show_verdict(error.verdict)
        typer.echo(str(error), err=True)
        sys.exit(exit_code(error))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        where = error.filename2 or error.filename or "no file named"  # of a copy the second is written
        typer.echo(f"The disk is full ({where}): make room and run it again.", err=True)
        sys.exit(BUSY)


if __name__ == "__main__":
    main()
