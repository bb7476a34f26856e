"""The snapshot id is a function of the content alone."""

import dataclasses
from pathlib import Path

import pytest

from catalog.errors import InvalidSnapshot
from catalog.snapshot import Snapshot, read_snapshot, snapshot_id, write_snapshot

RECORD = Snapshot("0123456789ab", "folder:shop", 5, 3, {"no_id": 2}, 3, 0, 2, 1, 0, 0, {})


def write(folder: Path, **files: str) -> Path:
    (folder / "media").mkdir(parents=True)
    for name, text in files.items():
        (folder / name.replace("__", "/")).write_text(text)
    return folder


def test_the_id_depends_on_content_and_names_and_not_on_the_place(tmp_path: Path) -> None:
    one = snapshot_id(write(tmp_path / "a", products="1", media__shard="2"))
    assert len(one) == 12
    assert one == snapshot_id(write(tmp_path / "elsewhere/b", products="1", media__shard="2"))
    assert one != snapshot_id(write(tmp_path / "c", products="1", media__shard="3"))
    assert one != snapshot_id(write(tmp_path / "d", products="1", media__other="2"))


def test_the_record_itself_and_hidden_files_do_not_change_the_id(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", products="1")
    before = snapshot_id(folder)
    write_snapshot(RECORD, folder / "snapshot.json")
    (folder / ".DS_Store").write_text("x")
    assert snapshot_id(folder) == before


def test_an_empty_or_missing_folder_has_no_id(tmp_path: Path) -> None:
    with pytest.raises(InvalidSnapshot, match="ingest"):
        snapshot_id(tmp_path)
    with pytest.raises(InvalidSnapshot, match="ingest"):
        snapshot_id(tmp_path / "none")


def test_the_record_comes_back_as_it_was(tmp_path: Path) -> None:
    write_snapshot(RECORD, tmp_path / "snapshot.json")
    assert read_snapshot(tmp_path / "snapshot.json") == RECORD


@pytest.mark.parametrize("text", ["{", "[]", '{"id": "x"}', '{"unknown": 1}'])
def test_a_record_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "snapshot.json").write_text(text)
    with pytest.raises(InvalidSnapshot, match=r"snapshot\.json"):
        read_snapshot(tmp_path / "snapshot.json")


def test_a_snapshot_counts_every_source_row() -> None:
    assert RECORD.products + sum(RECORD.quarantined.values()) == RECORD.source_rows
    assert {field.name for field in dataclasses.fields(Snapshot)} >= {"id", "source", "products", "quarantined"}
