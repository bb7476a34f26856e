"""`etalage deploy`: the flows as deployments of a Prefect server, `retrain` with a cron schedule.

A worker on this machine (`prefect worker start --pool etalage`) then runs them in this workspace.
"""

from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from catalog.errors import InvalidQuery, NotReady
from flows.orchestration import flow

from prefect.client.orchestration import get_client  # isort: skip
from prefect.client.schemas.actions import WorkPoolCreate  # isort: skip
from prefect.exceptions import ObjectAlreadyExists  # isort: skip
from prefect.schedules import Cron, Schedule  # isort: skip
from prefect.settings import PREFECT_API_URL  # isort: skip

NAME = "etalage"
ENTRYPOINTS = {
    "ingest": "flows/ingest.py:ingest",
    "retrain": "flows/retrain.py:retrain",
    "promote": "flows/promote.py:promote",
    "rollback": "flows/rollback.py:rollback",
}
SCHEDULED = "retrain"


def deploy(cron: str, timezone: str, pool: str, workspace: Path | None = None) -> list[str]:
    """Register every flow of ENTRYPOINTS; doing it again updates them. Returns sentences on what is there now.

    Raises NotReady without a server, InvalidQuery for a schedule that cron does not know.
    """
    schedule = _schedule(cron, timezone)
    url = _server()
    _ensure_pool(pool)
    root = (workspace or Path()).absolute()
    sentences = []
    for name, entrypoint in ENTRYPOINTS.items():
        remote = flow.from_source(source=str(root), entrypoint=entrypoint)
        deployment = remote.to_deployment(  # type: ignore[union-attr]
            name=NAME, work_pool_name=pool, schedule=schedule if name == SCHEDULED else None
        )
        deployment.apply()  # type: ignore[union-attr]
        when = f", runs at '{cron}' ({timezone})" if name == SCHEDULED else ""
        sentences.append(f"{name}/{NAME} is on {url}{when}.")
    sentences.append(
        f"Runs wait for a worker in this workspace: PREFECT_API_URL={url} prefect worker start --pool {pool}"
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


def _ensure_pool(pool: str) -> None:
    with get_client(sync_client=True) as client:
        try:
            client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
        except ObjectAlreadyExists:
            return
