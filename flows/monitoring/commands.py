"""`etalage monitor`: drift of queries, answers, clicks and catalogue, with alarms."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from flows.environment import home_folder


def monitor(
    since: Annotated[str, typer.Option(help="What is now: 7d, 12h, or from a date on.")] = "7d",
    reference: Annotated[
        str,
        typer.Option(
            help="What was usual: 'release' (the champion's first days), '2026-11-01..2026-11-08', 'evaluation' (the "
            "questions it was measured on); 'auto': release, and evaluation without alarms where there was no traffic."
        ),
    ] = "auto",
    retrain: Annotated[bool, typer.Option("--retrain", help="Retrain on an alarm that a retrain may mend.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout instead of tables.")] = False,
) -> None:
    """Say what moved away from what the champion was made for: queries, answers, clicks, catalogue.

    Limits are in the section `monitor` of params.yaml. An alarm ends with exit code 6; the report is
    monitor/monitor.html in ETALAGE_HOME. Too little traffic is no alarm, and is said.

    [dim]etalage monitor --since 24h[/dim]

    [dim]etalage monitor --reference 2026-11-01..2026-11-08 --retrain[/dim]
    """
    from flows.errors import DriftAlarm
    from flows.monitoring.results import FOLDER, PAGE
    from flows.monitoring.spans import check_spans
    from flows.monitoring.tables import show_report
    from flows.releases import ReleaseStore

    home = home_folder()
    ReleaseStore(home).champion_manifest()
    check_spans(since, reference, datetime.now(UTC))
    from flows.monitoring.flow import monitor as monitor_flow  # Prefect takes seconds: not for a wrong question

    report = monitor_flow(since=since, reference=reference, retrain=retrain)
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        show_report(report, home / FOLDER / PAGE)
    if report.alarms:
        raise DriftAlarm(report.sentence())
