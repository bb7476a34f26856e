"""The end of a retrain: its page is written, linked on the run's page in Prefect, and told in the log."""

from pathlib import Path

from catalog.errors import EtalageError
from evaluation.run_page.page import render
from flows.errors import RefusedByGates
from flows.orchestration import say, show_link, warn
from flows.outcome import RetrainOutcome
from flows.releases import ReleaseStore
from flows.runs.gathering import page_of_run
from flows.runs.pages import leave, newest, page_of
from flows.runs.run import Run

KEY = "run-page"
TEXT = "What this run changed, measured and decided"


def leave_page(store: ReleaseStore, run: Run, ended: RetrainOutcome | EtalageError) -> None:
    """Write and link the page of `run`, which `ended` so. What the run came to stands, whatever becomes of its page."""
    release = ended.verdict.release if isinstance(ended, RefusedByGates) else getattr(ended, "release", None)
    try:
        path = leave(store, run.id, render(page_of_run(store, run, ended)), release)
        link(path)
    except Exception as error:  # noqa: BLE001 - a promotion that is done must not fail for the page that tells of it
        warn(f"The page of this run was not written: {type(error).__name__}: {error}")


def link_known(store: ReleaseStore, release: str | None) -> None:
    """Of a run that has nothing to do: link the page of the one that judged `release`, or the last one that is left."""
    if (path := page_of(store, release) or newest(store.home)) is not None:
        link(path)


def link(path: Path) -> None:
    """On the run's page in Prefect, and in its log."""
    show_link(KEY, path, TEXT)
    say(f"The page of this run: {path}")
