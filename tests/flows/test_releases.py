"""The release store: what lies there, and what a kill cannot break."""

import subprocess
import sys
from pathlib import Path

import pytest

from catalog.errors import ReleaseNotFound
from flows.durable import append_line_durably, one_writer, write_durably
from flows.errors import WorkspaceBusy
from flows.releases import HistoryEntry, ReleaseStore
from tests.flows.worlds import a_release, a_store


def an_entry(release: str) -> HistoryEntry:
    return HistoryEntry(move="promote", release=release, instead_of=None, at="2026-01-01T00:00:00+00:00", by="a test")


def test_releases_are_listed_oldest_first_and_unfinished_ones_are_not_releases(tmp_path: Path) -> None:
    store = ReleaseStore(tmp_path)
    a_release(store, "rb", number=1)
    a_release(store, "ra", number=2)
    store.folder("rc").mkdir()

    assert store.ids() == ["rb", "ra"]
    with pytest.raises(ReleaseNotFound, match=r"no release 'rc' \(known: rb, ra\)"):
        store.get("rc")


def test_a_release_is_found_by_the_start_of_its_id_when_only_one_fits(tmp_path: Path) -> None:
    store, _ = a_store(tmp_path, "r1a", "r1b", "r2")

    assert store.get("r2").release == "r2"
    assert store.get("r1a").release == "r1a"
    with pytest.raises(ReleaseNotFound, match="several releases: r1a, r1b"):
        store.get("r1")


def test_before_the_first_promotion_the_champion_is_a_plain_sentence(tmp_path: Path) -> None:
    with pytest.raises(ReleaseNotFound, match="No release has been promoted yet"):
        ReleaseStore(tmp_path).champion_manifest()


def test_a_history_line_cut_short_by_a_kill_is_dropped_and_the_rest_kept(tmp_path: Path) -> None:
    store = ReleaseStore(tmp_path)
    store.record(an_entry("r1"))
    with store.history_path.open("a") as file:
        file.write('{"move": "prom')

    assert [entry.release for entry in store.history()] == ["r1"]
    store.record(an_entry("r2"))
    assert [entry.release for entry in store.history()] == ["r1", "r2"]


def test_recording_the_last_move_again_adds_nothing(tmp_path: Path) -> None:
    store = ReleaseStore(tmp_path)
    store.record(an_entry("r1"))
    store.record(an_entry("r1"))

    assert len(store.history()) == 1


def test_a_durable_write_replaces_the_whole_file_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "champion.json"
    write_durably(path, "a long first text")
    write_durably(path, "short")

    assert path.read_text() == "short"
    assert [found.name for found in tmp_path.iterdir()] == ["champion.json"]


def test_lines_are_kept_whole(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    append_line_durably(path, "红色连衣裙")
    append_line_durably(path, "two")

    assert path.read_text(encoding="utf-8") == "红色连衣裙\ntwo\n"


def test_a_second_writer_is_told_who_is_writing_and_a_dead_writer_holds_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from flows.durable import one_writer\n"
        "with one_writer(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"

    with pytest.raises(WorkspaceBusy, match=f"process {holder.pid}"), one_writer(tmp_path):
        pass
    holder.kill()
    holder.wait()
    with one_writer(tmp_path):
        pass
