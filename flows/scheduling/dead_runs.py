"""A run whose machine or process died keeps the one place of its work pool for ever: Prefect only knows that it runs.

So an automation of the server calls a run of the pool Crashed that began and then fell silent: no heartbeat, no end.
Should it live on after all, the lock of its workspace still keeps others out.
"""

from datetime import timedelta
from typing import Any

from flows import orchestration  # noqa: F401 - makes the folders that Prefect wants before it is imported

from prefect.automations import Automation, EventTrigger, Posture  # isort: skip
from prefect.client.orchestration import get_client  # isort: skip
from prefect.client.schemas.objects import StateType  # isort: skip
from prefect.events.actions import ChangeFlowRunState  # isort: skip
from prefect.events.schemas.events import ResourceSpecification  # isort: skip

EVERY_S = 30  # Prefect takes no less
SILENCE = timedelta(seconds=180)
SIGNS = {f"prefect.flow-run.{sign}" for sign in ("Pending", "Running", "heartbeat")}
ENDS = {f"prefect.flow-run.{end}" for end in ("Completed", "Failed", "Cancelled", "Crashed")}

HEARTBEATS: dict[str, Any] = {"env": {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(EVERY_S)}}
"""Job variables of a deployment whose runs are watched."""


def watch(pool: str) -> None:
    """Put the automation for the runs of `pool` on the server, in the place of the one that is there."""
    wanted = Automation(
        name=f"{pool}: a run that fell silent has crashed",
        trigger=EventTrigger(
            after=SIGNS,
            expect=SIGNS | ENDS,
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            match_related=ResourceSpecification(
                {"prefect.resource.role": ["work-pool"], "prefect.resource.name": [pool]}
            ),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=SILENCE,
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED, name="Crashed", message="It fell silent before it ended.", force=False
            )
        ],
    )
    with get_client(sync_client=True) as client:
        before = client.read_automations_by_name(wanted.name)
    wanted.create()
    for automation in before:
        Automation(**automation.model_dump()).delete()
