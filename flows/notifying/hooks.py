"""Who is told what a retrain, a promotion or a rollback came to: the log, and the blocks that ETALAGE_NOTIFY names.

    ETALAGE_NOTIFY=custom-webhook/shop,etalage-mail/team

They are Prefect's notification blocks, saved on its server under these names. A run that found nothing to do is logged
and sent to nobody. A message that does not arrive is an error in the log; the run is what it was.
"""

from logging import Logger, LoggerAdapter
from typing import Any

from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.environment import home_folder
from flows.notifying.message import Message, message_of
from flows.releases import ChampionRecord, ReleaseStore
from flows.verdict import verdict_of

from flows.notifying import mail  # noqa: F401  # isort: skip - makes its block known to Prefect
from prefect import Flow  # isort: skip
from prefect.blocks.abstract import NotificationBlock  # isort: skip
from prefect.blocks.core import Block  # isort: skip
from prefect.client.schemas.objects import FlowRun, State  # isort: skip
from prefect.logging.loggers import flow_run_logger  # isort: skip

Log = Logger | LoggerAdapter[Any]


class NotificationSettings(BaseSettings):
    """From the environment: ETALAGE_NOTIFY, names of blocks with commas between them."""

    model_config = SettingsConfigDict(env_prefix="ETALAGE_", frozen=True)

    notify: str = ""

    @property
    def blocks(self) -> tuple[str, ...]:
        """TYPE/NAME of each, in order, once."""
        return tuple(dict.fromkeys(name.strip() for name in self.notify.split(",") if name.strip()))


def tell(flow: Flow[..., Any], run: FlowRun, state: State[Any]) -> None:
    """The hook of the flows: whatever a run came to, it is told."""
    result = state.result(raise_on_failure=False)
    verdict = None
    if isinstance(result, ChampionRecord):
        verdict = verdict_of(ReleaseStore(home_folder()).get(result.release))
    message = message_of(flow.name, result, verdict)
    log = flow_run_logger(run, flow)
    log.info("%s. %s", message.subject, message.text.split("\n", 1)[0])
    if message.news:
        send(message, NotificationSettings().blocks, log)


def send(message: Message, blocks: tuple[str, ...], log: Log) -> None:
    """Give `message` to every block; what one of them cannot do is logged, and the next has its turn."""
    for name in blocks:
        try:
            block = Block.load(name)
            if not isinstance(block, NotificationBlock):
                raise TypeError("it is no block that notifies")
            notify: Any = block.notify  # declared async; called from a plain function, as here, it waits
            notify(message.text, message.subject)
        except Exception as error:  # noqa: BLE001 - any library may be behind a block, and no failure of one may fail the run
            log.error("Nobody was told by %s: %s: %s", name, type(error).__name__, error)
        else:
            log.info("Told by %s.", name)


TOLD: dict[str, Any] = {"on_completion": [tell], "on_failure": [tell], "on_crashed": [tell]}
"""For flows whose end people want to know of."""
