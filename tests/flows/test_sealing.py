"""When the digests of a release's files are written: with its manifest, and never again for other files."""

from pathlib import Path
from typing import ClassVar

import pytest

from catalog.errors import TamperedRelease
from flows import assembly
from flows.candidate import Candidate
from flows.milestones import Measured
from flows.opening import open_engine
from flows.releases import ReleaseStore
from search.contents import check_contents
from search.logic import SearchLogic
from search.release import ReleaseManifest
from tests.flows.test_standing import a_verdict
from tests.flows.test_standing import workspace as workspace
from tests.flows.worlds import a_release


class Evaluation:
    """What write_release reads of an evaluation."""

    metrics: ClassVar[dict[str, dict[str, float]]] = {}


def written(store: ReleaseStore, passed: bool) -> ReleaseManifest:
    """The manifest after the gates answered `passed`."""
    candidate = Candidate(release="r1", code="c", evidence="e")
    measured = Measured("5" * 12, "e" * 16, None, Evaluation())  # type: ignore[arg-type]
    return assembly.write_release(store, candidate, measured, a_verdict("r1", None, passed), "products_r1")


@pytest.fixture
def store(workspace: Path) -> ReleaseStore:
    """A release's folder before its manifest."""
    store = ReleaseStore(workspace / "home")
    folder = store.folder("r1")
    (folder / "encoder").mkdir(parents=True)
    (folder / "encoder" / "text.onnx").write_bytes(b"graph")
    SearchLogic().save(folder / "ranking")
    SearchLogic().save(workspace / "artifacts" / "ranking")
    return store


def test_a_new_manifest_has_digests_and_another_verdict_does_not_bless_a_changed_file(store: ReleaseStore) -> None:
    first = written(store, passed=False)
    assert first.files is not None and "encoder/text.onnx" in first.files
    check_contents(first, store.folder("r1"))
    (store.folder("r1") / "encoder" / "text.onnx").write_bytes(b"other")
    again = written(store, passed=True)
    assert (again.status, again.files) == ("challenger", first.files)
    with pytest.raises(TamperedRelease, match=r"encoder/text\.onnx was changed"):
        open_engine(store, "r1")


def test_a_release_of_an_earlier_version_is_sealed_once_by_who_promotes_it(store: ReleaseStore) -> None:
    a_release(store, "r1")
    with pytest.raises(TamperedRelease, match="has no digests"):
        open_engine(store, "r1")
    assert assembly.seal(store, "r1")
    check_contents(store.get("r1"), store.folder("r1"))
    (store.folder("r1") / "ranking" / "ranking.json").write_text("{}")
    assert not assembly.seal(store, "r1")
    with pytest.raises(TamperedRelease, match=r"ranking\.json was changed"):
        open_engine(store, "r1")
