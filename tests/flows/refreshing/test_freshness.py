"""What a release holds by now, told from its records alone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.refreshing.freshness import behind, cut_short, held_snapshot, release_of, served_as
from flows.releases import ReleaseStore
from search.refreshes import RECORD, Changes, RefreshRecord, refresh_folder
from tests.flows.worlds import a_store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReleaseStore:
    """The release r1 in a workspace whose data.dvc names "now"."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.dvc").write_text("outs: [{md5: now, path: data}]")
    return a_store(tmp_path / "home", "r1")[0]


def record(store: ReleaseStore, number: int, status: str, data_md5: str | None) -> None:
    """A refresh of r1."""
    folder = refresh_folder(store.folder("r1"), number)
    folder.mkdir(parents=True, exist_ok=True)
    made = RefreshRecord.model_validate({
        "number": number, "release": "r1", "status": status, "at": datetime(2026, 11, 21, tzinfo=UTC),
        "snapshot": f"s{number}", "data_md5": data_md5, "before": "5" * 12, "encoder": "e", "collection": "c",
        "products": 1, "changes": Changes(), "encoded": 0, "files": {},
    })  # fmt: skip
    (folder / RECORD).write_text(made.model_dump_json())


def test_each_refresh_that_ended_is_served_by_another_name(store: ReleaseStore) -> None:
    assert (served_as(store, "r1"), held_snapshot(store, "r1")) == ("r1", "5" * 12)
    record(store, 1, "done", "then")
    record(store, 2, "begun", "now")
    assert (served_as(store, "r1"), held_snapshot(store, "r1")) == ("r1+1", "s1")
    assert (release_of("r1+1"), release_of("r1")) == ("r1", "r1")


def test_a_release_says_when_it_is_behind_and_when_a_refresh_was_cut_short(store: ReleaseStore) -> None:
    assert behind(store, "r1") is None  # nobody knows what it was made of
    record(store, 1, "done", "then")
    assert "holds snapshot s1, and data.dvc names another" in str(behind(store, "r1"))
    assert cut_short(store, "r1") is None
    record(store, 2, "begun", "now")
    assert "was cut short: `etalage refresh` ends it" in str(cut_short(store, "r1"))
    record(store, 2, "done", "now")
    assert (behind(store, "r1"), cut_short(store, "r1")) == (None, None)
