"""What Prefect is told of this workspace, as events: `etalage deploy` lets them start a retrain.

etalage.snapshot.new          `etalage ingest` took a snapshot that is another one than before
etalage.drift.alarm           what is asked or sold has moved away from what was trained on
etalage.error_budget.spent    the service failed or was slow more often than is allowed

    emit("etalage.drift.alarm", about="queries", facts={"mmd": 0.31, "limit": 0.2})

Sent by one call of the server's API that answers, and not by Prefect's own emit_event: that one sends from a thread and
only logs what was lost, and a retrain that nobody started is missed by nobody.
"""

from collections.abc import Mapping
from typing import Literal, get_args

import httpx

from catalog.errors import InvalidQuery, NotReady
from flows import orchestration  # noqa: F401 - makes the folders that Prefect wants before it is imported

from prefect.client.orchestration import get_client  # isort: skip
from prefect.events.schemas.events import Event, Resource  # isort: skip
from prefect.settings import PREFECT_API_URL  # isort: skip

EventName = Literal["etalage.snapshot.new", "etalage.drift.alarm", "etalage.error_budget.spent"]
NEW_SNAPSHOT: EventName = "etalage.snapshot.new"
DRIFT_ALARM: EventName = "etalage.drift.alarm"
ERROR_BUDGET_SPENT: EventName = "etalage.error_budget.spent"
EVENTS: tuple[EventName, ...] = get_args(EventName)

Fact = str | int | float | bool | None


def has_server() -> bool:
    """Whether a Prefect server is named. Without one there are no deployments that an event could start."""
    return bool(PREFECT_API_URL.value())


def emit(name: EventName, about: str, facts: Mapping[str, Fact] | None = None) -> None:
    """Send one event to the Prefect server; back once the server has it.

    `about` names what it is about (a snapshot's id, "queries", an SLO): it becomes the resource `name.about`.
    Raises NotReady without a server, or where it does not take the event.
    """
    if name not in EVENTS:
        raise InvalidQuery(f"'{name}' is no event of Etalage; those are {', '.join(EVENTS)}.")
    if not has_server():
        raise NotReady(f"Event {name} was not sent: PREFECT_API_URL names no Prefect server.")
    resource = Resource({"prefect.resource.id": f"{name}.{about}", "prefect.resource.name": about})
    event = Event(event=name, resource=resource, payload=dict(facts or {}))
    try:
        with get_client(sync_client=True) as client:
            client.request("POST", "/events", json=[event.model_dump(mode="json")])
    except httpx.HTTPError as error:
        raise NotReady(f"Event {name} was not sent: {PREFECT_API_URL.value()} did not take it ({error}).") from error
