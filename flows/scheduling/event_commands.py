"""`etalage event`: tell the Prefect server by hand what `etalage ingest` and `etalage monitor` tell it."""

from typing import Annotated, Literal

import typer

About = Annotated[str, typer.Option(help="What it is about: a snapshot's id, queries, catalogue, an SLO.")]
Note = Annotated[str, typer.Option(help="Goes into the event, for who reads it later.")]


def event(
    kind: Annotated[
        Literal["snapshot", "drift", "error-budget"], typer.Argument(help="A new snapshot, an alarm, a spent budget.")
    ],
    about: About = "by-hand",
    note: Note = "",
) -> None:
    """Emit one of the events that start a retrain on a Prefect server (see `etalage deploy`).

    `etalage ingest` emits the first by itself. Several within a short time start one retrain.

    [dim]etalage event drift --about queries --note "seen in last week's log"[/dim]
    """
    from flows import console
    from flows.scheduling.events import DRIFT_ALARM, ERROR_BUDGET_SPENT, NEW_SNAPSHOT, emit

    name = {"snapshot": NEW_SNAPSHOT, "drift": DRIFT_ALARM, "error-budget": ERROR_BUDGET_SPENT}[kind]
    emit(name, about, {"note": note})
    console.say(f"Event {name} about {about} was sent.")
