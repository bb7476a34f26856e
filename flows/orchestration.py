"""The one door to Prefect: `flow` and `task` with this project's retries, logs without tracebacks for refusals.

Flows run with no server (Prefect starts its API inside this process) and with one (PREFECT_API_URL).
"""

import logging
from pathlib import Path
from typing import Any

from catalog.errors import EtalageError, NotReady
from flows.environment import make_folders

make_folders()  # Prefect creates its home on import, but not the folders above it

from prefect import flow, get_run_logger, runtime, task  # noqa: E402
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact  # noqa: E402
from prefect.client.schemas.objects import State, TaskRun  # noqa: E402
from prefect.tasks import Task  # noqa: E402


class _WithoutTraceback(logging.Filter):
    """A refusal or a missing thing is one sentence; only what nobody foresaw keeps its traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], EtalageError):
            record.exc_info = None
            record.exc_text = None
        return True


# Prefect shows what every logger says; these two speak of their own insides.
logging.getLogger("bm25s").setLevel(logging.WARNING)
logging.getLogger("grpc._server").setLevel(logging.CRITICAL)  # Milvus Lite logs each call it does not have

for _name in ("prefect.flow_runs", "prefect.task_runs"):
    logging.getLogger(_name).addFilter(_WithoutTraceback())


def only_when_not_ready(task: Task[Any, Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether trying again can help: a store or network that does not answer yet. A refusal is an answer."""
    outcome = state.result(raise_on_failure=False)
    return isinstance(outcome, NotReady)


RETRIED: dict[str, Any] = {"retries": 3, "retry_delay_seconds": [2, 5, 10], "retry_condition_fn": only_when_not_ready}
"""For tasks that talk to Milvus, BentoML or a DVC remote."""

WAITING: dict[str, Any] = {**RETRIED, "retry_delay_seconds": [5, 15, 30]}
"""For DVC stages: what a killed run left running holds their outputs until its next word finds nobody listening."""


def show_table(key: str, rows: list[dict[str, Any]], description: str) -> None:
    """A table on the run's page in Prefect."""
    create_table_artifact(table=rows, key=key, description=description)


def show_text(key: str, markdown: str, description: str) -> None:
    """A text on the run's page in Prefect."""
    create_markdown_artifact(markdown=markdown, key=key, description=description)


def show_link(key: str, path: Path, text: str) -> None:
    """A link to a file on the machine of the run."""
    create_link_artifact(link=path.absolute().as_uri(), key=key, link_text=text)


def flow_run() -> str:
    """The id of the flow run that goes on."""
    return str(runtime.flow_run.get_id())


def say(sentence: str) -> None:
    """One line in the run's log."""
    get_run_logger().info(sentence)


def warn(sentence: str) -> None:
    """One line in the run's log that somebody should see to."""
    get_run_logger().warning(sentence)


__all__ = [
    "RETRIED", "WAITING", "flow", "flow_run", "only_when_not_ready", "say", "show_link", "show_table", "show_text",
    "task", "warn",
]  # fmt: skip
