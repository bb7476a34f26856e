"""The end of a retrain in a real Prefect: its page is linked there, and what the run came to stands without it."""

from pathlib import Path

import pytest

from catalog.errors import InvalidSnapshot
from flows.orchestration import flow, flow_run
from flows.releases import ReleaseStore
from flows.runs.closing import KEY, leave_page, link_known
from flows.runs.pages import left
from flows.runs.run import Run
from tests.flows.workspaces import ROOT

from prefect.artifacts import Artifact  # isort: skip

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect")]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReleaseStore:
    monkeypatch.chdir(tmp_path)
    return ReleaseStore(tmp_path / ".etalage")


@flow(name="retrain")
def refused(store: ReleaseStore) -> str:
    leave_page(store, Run.begin(store, flow_run()), InvalidSnapshot("Titles are empty."))
    return "refused"


@flow(name="retrain")
def settled(store: ReleaseStore) -> None:
    link_known(store, None)


def linked() -> str:
    """Where the newest artifact leads."""
    found = Artifact.get(KEY)
    return "" if found is None else str(found.data)


def test_a_run_links_its_page_and_one_with_nothing_to_do_links_it_again(store: ReleaseStore) -> None:
    for name in ("params.yaml", "dvc.yaml"):
        Path(name).write_bytes((ROOT / name).read_bytes())
    refused(store)
    (page,) = left(store.home)
    assert "Titles are empty." in page.read_text()
    assert page.as_uri() in linked()
    settled(store)
    assert left(store.home) == [page]
    assert page.as_uri() in linked()


def test_a_page_that_cannot_be_drawn_is_warned_of_and_the_run_is_what_it_was(store: ReleaseStore) -> None:
    before = linked()
    assert refused(store) == "refused"  # there is no params.yaml to read
    assert (left(store.home), linked()) == ([], before)
