"""The flow `monitor`: compare two windows, write the page, tell of alarms, and retrain where that is asked for.

etalage monitor
etalage monitor --since 24h --reference 2026-11-01..2026-11-08 --retrain
"""

from datetime import UTC, datetime

from catalog.params import load_section
from flows.durable import write_durably
from flows.environment import home_folder
from flows.monitoring.observing import observe as look
from flows.monitoring.page import render
from flows.monitoring.params import MonitorParams
from flows.monitoring.results import FOLDER, PAGE, REPORT, MonitorReport
from flows.orchestration import RETRIED, flow, say, show_link, show_table, task
from flows.releases import ReleaseStore
from flows.retrain import retrain as retrain_flow
from flows.scheduling.events import DRIFT_ALARM, emit, has_server

PRIVATE = 0o600  # queries stand in them


@task(name="observe")
def observe(since: str, reference: str) -> MonitorReport:
    """Compare, and write monitor.json and monitor.html in ETALAGE_HOME/monitor."""
    params = load_section("monitor", MonitorParams)
    store = ReleaseStore(home_folder())
    report = look(store, params, since, reference, datetime.now(UTC))
    folder = store.home / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_durably(folder / REPORT, report.model_dump_json(indent=2) + "\n", mode=PRIVATE)
    write_durably(folder / PAGE, render(report), mode=PRIVATE)
    return report


@task(name="announce", **RETRIED)
def announce(report: MonitorReport) -> None:
    """Tell a Prefect server of the alarm: the deployment of `retrain` waits for that."""
    emit(DRIFT_ALARM, about="traffic", facts={check.name: check.effect for check in report.to_retrain})


@flow(name="monitor")
def monitor(since: str = "7d", reference: str = "auto", retrain: bool = False) -> MonitorReport:
    """What moved. An alarm is no failure of this flow: it has done what it is for.

    With `retrain`, an alarm that training may mend starts the flow `retrain` in this one; its refusals are raised. Else
    it is sent to the Prefect server, where one is named, as an event that the deployment of `retrain` waits for.
    """
    report = observe(since, reference)
    show_table("drift", report.rows(), report.sentence())
    show_link("monitor", home_folder() / FOLDER / PAGE, "What moved: checks, topics in vain, slices, days")
    say(report.sentence())
    if retrain and report.to_retrain:
        retrain_flow(by="etalage monitor", reason=report.sentence())
    elif report.to_retrain and has_server():
        announce(report)
    return report
