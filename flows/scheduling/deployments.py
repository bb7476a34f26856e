"""`etalage deploy`: the flows as deployments of a Prefect server; `retrain` runs by cron and by events.

A worker on this machine (`prefect worker start --pool etalage`) then runs them in this workspace, one after the other:
a workspace has one writer, so the limit is the work pool's and spans all deployments. A deployment's own limit would
let a retrain and an ingest meet, and the second of them fail.
"""

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from catalog.errors import InvalidQuery, NotReady
from flows.orchestration import flow
from flows.scheduling.dead_runs import HEARTBEATS, watch
from flows.scheduling.events import EVENTS

from prefect.client.orchestration import get_client  # isort: skip
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate  # isort: skip
from prefect.events import DeploymentEventTrigger  # isort: skip
from prefect.exceptions import ObjectAlreadyExists  # isort: skip
from prefect.schedules import Cron, Schedule  # isort: skip
from prefect.settings import PREFECT_API_URL  # isort: skip

NAME = "etalage"
ENTRYPOINTS = {
    "ingest": "flows/ingest.py:ingest",
    "retrain": "flows/retrain.py:retrain",
    "refresh": "flows/refresh.py:refresh",
    "promote": "flows/promote.py:promote",
    "rollback": "flows/rollback.py:rollback",
    "monitor": "flows/monitoring/flow.py:monitor",
}
SCHEDULED = "retrain"
ONE_AT_A_TIME = 1


def deploy(cron: str, timezone: str, pool: str, gather_s: int, workspace: Path | None = None) -> list[str]:
    """Register every flow of ENTRYPOINTS; doing it again updates them. Returns sentences on what is there now.

    `gather_s`: an event starts a retrain so many seconds later, and what comes in between starts no other.
    Raises NotReady without a server, InvalidQuery for a schedule that cron does not know.
    """
    schedule = _schedule(cron, timezone) if cron else None
    url = _server()
    _ensure_pool(pool)
    watch(pool)
    root = (workspace or Path()).absolute()
    sentences = []
    for name, entrypoint in ENTRYPOINTS.items():
        remote = flow.from_source(source=str(root), entrypoint=entrypoint)
        deployment = remote.to_deployment(  # type: ignore[union-attr]
            name=NAME,
            work_pool_name=pool,
            schedule=schedule if name == SCHEDULED else None,
            job_variables=HEARTBEATS,
            triggers=[_trigger(gather_s)] if name == SCHEDULED else None,
        )
        deployment.apply()  # type: ignore[union-attr]
        sentences.append(f"{name}/{NAME} is on {url}{_when(cron, timezone) if name == SCHEDULED else ''}.")
    sentences.append(f"Events: {', '.join(EVENTS)}; a retrain starts {gather_s} s after the first of several.")
    sentences.append(
        f"Runs wait for each other, and for a worker in this workspace: PREFECT_API_URL={url} "
        f"prefect worker start --pool {pool}"
    )
    return sentences


def _schedule(cron: str, timezone: str) -> Schedule:
    try:
        ZoneInfo(timezone)
        return Cron(cron, timezone=timezone)
    except ZoneInfoNotFoundError:
        raise InvalidQuery(f"'{timezone}' is not a time zone: write it as in Europe/Paris.") from None
    except ValueError:
        raise InvalidQuery(f"'{cron}' is not a cron schedule: write it as in '0 3 * * *'.") from None


def _server() -> str:
    """URL of the server, which answers. A deployment on the embedded API would be gone with this process."""
    start = "Start one with `prefect server start`, and name it: PREFECT_API_URL=http://127.0.0.1:4200/api"
    url = PREFECT_API_URL.value()
    if not url:
        raise NotReady(f"Deployments need a Prefect server, and PREFECT_API_URL names none. {start}")
    with get_client(sync_client=True) as client:
        if client.api_healthcheck() is not None:
            raise NotReady(f"The Prefect server at {url} does not answer. {start}")
    return str(url)


def _when(cron: str, timezone: str) -> str:
    return f", runs at '{cron}' ({timezone}) and after events" if cron else ", runs after events"


def _trigger(gather_s: int) -> DeploymentEventTrigger:
    """Fires at the first event of `gather_s` seconds; its run starts at their end, so that it sees what all brought."""
    gather = timedelta(seconds=gather_s)
    return DeploymentEventTrigger(
        name=f"{SCHEDULED} after events", expect=set(EVENTS), threshold=1, within=gather, schedule_after=gather
    )


def _ensure_pool(pool: str) -> None:
    """The work pool, with its limit: also where it was made without one."""
    with get_client(sync_client=True) as client:
        try:
            client.create_work_pool(WorkPoolCreate(name=pool, type="process", concurrency_limit=ONE_AT_A_TIME))
        except ObjectAlreadyExists:
            client.update_work_pool(pool, WorkPoolUpdate(concurrency_limit=ONE_AT_A_TIME))
