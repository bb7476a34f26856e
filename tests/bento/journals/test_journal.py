"""The journal of answers: what a line says, how much is kept, and that no disk can hold up or break an answer."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bento.journals import journal
from bento.journals.answered import Answered, answered
from bento.journals.journal import Journal, journal_folder
from bento.journals.line import as_line
from bento.settings import ServiceSettings
from bento.telling.logs import Notes
from tests.bento.world import ready_client

ALWAYS = {"time", "request", "release", "kind", "status", "ms"}
OF_AN_ANSWER = {"k", "hits", "ids", "top", "low_confidence", "zero_result"}


def lines_of(folder: Path) -> list[dict[str, Any]]:
    """Every whole line in `folder`, in the order of the files' names."""
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_bytes().splitlines()]


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def a_line(request: str = "a-request", **changes: Any) -> Answered:
    return Answered(datetime(2026, 11, 21, tzinfo=UTC), request, "r1", "text", 200, 1.5, **changes)


class Counted:
    """What a journal tells of its lines."""

    def __init__(self) -> None:
        self.lines = {"written": 0, "lost": 0}

    def __call__(self, outcome: str, lines: int) -> None:
        self.lines[outcome] += lines


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """Asks a service with these settings these requests, and gives the lines of its journal."""

    def ask(*requests: dict[str, Any], **settings: Any) -> list[dict[str, Any]]:
        with ready_client(ServiceSettings(journal_folder=tmp_path / "kept", **settings)) as client:
            for request in requests:
                client.request(**{"method": "POST", "url": "/search", **request})
        return lines_of(tmp_path / "kept")

    yield ask


def test_a_query_leaves_one_line_with_its_hits_and_what_drift_is_measured_by(kept: Any) -> None:
    asked = {"text": "red dress 红色", "k": 3, "filters": {"price": {"lt": 50}, "colour": "Red"}}
    (line,) = kept({"json": asked, "headers": {"X-Request-Id": "order-66"}})
    assert set(line) == ALWAYS | OF_AN_ANSWER | {"language", "filters"}
    told = {name: line[name] for name in ("request", "release", "kind", "language", "status", "k", "hits", "filters")}
    assert told == {
        "request": "order-66", "release": "r1", "kind": "text", "language": "mixed", "status": 200, "k": 3, "hits": 3,
        "filters": ["price", "colour"],
    }  # fmt: skip
    assert (line["low_confidence"], line["zero_result"], len(line["ids"])) == (False, False, 3)
    assert datetime.fromisoformat(line["time"]).tzinfo == UTC


def test_the_line_has_the_ids_of_the_answer_in_its_order_and_its_best_score(tmp_path: Path) -> None:
    with ready_client(ServiceSettings(journal_folder=tmp_path, journal_hits=2)) as client:
        hits = client.post("/search", json={"text": "red dress", "k": 5}).json()["hits"]
    (line,) = lines_of(tmp_path)
    assert line["ids"] == [hit["id"] for hit in hits[:2]]
    assert (line["hits"], line["top"]) == (5, round(hits[0]["score"], 6))


def test_refusals_and_empty_answers_are_told_apart_and_nothing_else_is_a_query(kept: Any) -> None:
    refused, empty, similar = kept(
        {"json": {"text": "red", "k": 100_000}},
        {"json": {"text": "red", "filters": {"price": {"gt": 1e9}}}},
        {"url": "/similar", "json": {"id": "p0", "k": 1}},
        {"method": "GET", "url": "/products/p0"},
        {"method": "GET", "url": "/nothing"},
    )
    assert set(refused) == ALWAYS | {"language", "reason"}
    assert (refused["status"], refused["reason"]) == (400, "invalid_query")
    assert (empty["hits"], empty["ids"], empty["zero_result"], empty["low_confidence"]) == (0, [], True, False)
    assert "top" not in empty
    assert (similar["kind"], similar["hits"]) == ("product", 1) and "language" not in similar


def test_a_repeated_request_id_is_two_lines(kept: Any) -> None:
    same = {"json": {"text": "red", "k": 1}, "headers": {"X-Request-Id": "again"}}
    assert [line["request"] for line in kept(same, same)] == ["again", "again"]


@pytest.mark.parametrize(("how", "field"), [("none", None), ("hash", "query_hash"), ("plain", "query")])
def test_of_the_query_it_tells_what_the_log_may_tell_and_of_filters_no_value(kept: Any, how: str, field: str) -> None:
    (line,) = kept({"json": {"text": "secret words", "filters": {"colour": "Red"}}}, log_queries=how)
    assert set(line) & {"query", "query_hash"} == ({field} if field else set())
    assert ("secret words" in json.dumps(line)) == (how == "plain")
    assert "Red" not in json.dumps(line)


def test_half_a_character_does_not_end_the_journal(kept: Any) -> None:
    bad = {"content": b'{"text": "\\ud800 red"}', "headers": {"content-type": "application/json"}}
    lines = kept(bad, {"json": {"text": "red"}}, log_queries="plain")
    assert [line["status"] for line in lines][-1] == 200
    whole = as_line(a_line(query={"text": "XYZ"}))
    assert as_line(a_line(query={"text": "\ud800"})) == whole.replace(b"XYZ", b"\\ud800")


def test_switched_off_or_without_a_home_there_is_none(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert journal_folder(home, ServiceSettings()) is None
    home.mkdir()
    assert journal_folder(home, ServiceSettings()) == home / "journal"
    assert journal_folder(home, ServiceSettings(journal=False)) is None
    assert journal_folder(home, ServiceSettings(journal_folder=tmp_path / "x")) == tmp_path / "x"
    with ready_client(ServiceSettings(journal=False, journal_folder=tmp_path / "x")) as client:
        assert client.post("/search", json={"text": "red"}).status_code == 200
    assert not (tmp_path / "x").exists()


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    kept = Journal(Counted())
    kept.open(tmp_path / "j", 2**20, 30)
    kept.note(a_line())
    kept.close()
    (path,) = (tmp_path / "j").iterdir()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_it_holds_no_more_bytes_than_it_may_and_keeps_the_newest(tmp_path: Path) -> None:
    counted, most = Counted(), 2**16
    kept = Journal(counted)
    kept.open(tmp_path, most, 30)
    for batch in range(60):
        for number in range(100):
            kept.note(a_line(f"n-{batch * 100 + number}"))
        wanted = 100 * (batch + 1)
        until(lambda: counted.lines["written"] >= wanted)  # noqa: B023 (called at once)
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= most
    kept.close()
    assert counted.lines == {"written": 6000, "lost": 0}
    found = [line["request"] for line in lines_of(tmp_path)]
    assert found == [f"n-{number}" for number in range(6000 - len(found), 6000)]
    assert len(found) * len(as_line(a_line("n-5999"))) > most // 2


def test_files_out_of_date_go_unless_another_process_writes_them(tmp_path: Path) -> None:
    old = time.time() - 40 * 86400
    closed, written = tmp_path / "20200101-1.jsonl", tmp_path / "20200101-2.jsonl"
    closed.write_text("{}\n")
    holder = Journal(Counted())
    holder.open(tmp_path, 2**20, 30)
    holder.note(a_line())
    until(lambda: len(list(tmp_path.iterdir())) == 2)
    (own,) = set(tmp_path.iterdir()) - {closed}
    own.rename(written)
    for path in (closed, written):
        os.utime(path, (old, old))
    other = Journal(Counted())
    other.open(tmp_path, 2**20, 30)
    other.note(a_line())
    other.close()
    assert not closed.exists() and written.exists()
    holder.close()


FULL = """
import signal, sys, threading, time, resource
from pathlib import Path
from tests.bento.journals.test_journal import Counted, a_line
from bento.journals.journal import Journal

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
counted = Counted()
kept = Journal(counted)
kept.open(Path(sys.argv[1]), 2**20, 30)
for number in range(4):
    before = sum(counted.lines.values())
    if number == 1:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1500, resource.RLIM_INFINITY))
    if number == 3:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for line in range(10):
        kept.note(a_line(f"{number}-{line}"))
    while sum(counted.lines.values()) < before + 10:
        time.sleep(0.01)
kept.close()
print(counted.lines)
"""


def test_a_full_disk_costs_lines_is_said_once_and_leaves_no_half_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import logging; logging.basicConfig(level=logging.INFO)\n" + FULL, str(tmp_path)],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": "."},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "{'written': 20, 'lost': 20}\n"
    assert [line["request"][0] for line in lines_of(tmp_path)] == ["0"] * 10 + ["3"] * 10
    assert done.stderr.count("answers are not journalled, and answers are given as before") == 1
    assert done.stderr.count("journalled again; 20 lines were lost") == 1


def test_a_service_whose_journal_cannot_be_written_answers_and_counts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.INFO, "etalage"):
        settings = ServiceSettings(journal_folder=tmp_path / "file" / "journal")
        with ready_client(settings) as client:
            for _ in range(3):
                assert len(client.post("/search", json={"text": "red dress"}).json()["hits"]) == 10
            until(lambda: 'etalage_journal_lines_total{outcome="lost"} 3.0' in client.get("/metrics").text)
    assert caplog.text.count("answers are not journalled, and answers are given as before") == 1


def test_lines_beyond_those_that_may_wait_are_lost_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST_WAITING", 5)
    monkeypatch.setattr(journal, "FLUSH", 3600.0)
    counted = Counted()
    kept = Journal(counted)
    kept.open(tmp_path, 2**20, 30)
    kept.note(a_line("first"))
    until(lambda: kept._waiting.qsize() == 0)  # the thread has it, and gathers
    for number in range(8):
        kept.note(a_line(str(number)))
    assert counted.lines["lost"] == 3
    kept.close()
    assert [line["request"] for line in lines_of(tmp_path)] == ["first", "0", "1", "2", "3", "4"]


def test_killed_it_leaves_whole_lines_that_the_next_process_does_not_touch(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from tests.bento.journals.test_journal import *\n"
        "kept = Journal(Counted()); kept.open(Path(sys.argv[1]), 2**20, 30); kept.note(a_line('before'))\n"
        "until(lambda: lines_of(Path(sys.argv[1]))); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env={**os.environ, "PYTHONPATH": "."})
    assert done.returncode == -signal.SIGKILL
    kept = Journal(Counted())
    kept.open(tmp_path, 2**20, 30)
    kept.note(a_line("after"))
    kept.close()
    assert [line["request"] for line in lines_of(tmp_path)] == ["before", "after"]


def test_a_line_with_ten_hits_is_small() -> None:
    notes = Notes(kind="text", language="en", k=10)
    assert len(as_line(answered("0123456789abcdef", "r0123456789", notes, 429, 0.001, 10))) < 200
    ids = [f"product-{number:06d}" for number in range(10)]
    full = a_line("0123456789abcdef", language="en", k=10, hits=10, ids=ids, top=0.031746, filters=["price"])
    assert len(as_line(full)) < 450
