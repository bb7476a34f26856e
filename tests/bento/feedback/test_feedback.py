"""POST /feedback: what is answered is on the disk, no user is told of without leave, and no search waits for it."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from bento.app import create_app
from bento.feedback import endpoint as feedback
from bento.feedback.endpoint import Recent
from bento.feedback.schemas import MOST_EVENTS
from bento.journals import files as journal_files
from bento.journals.journal import Journal, feedback_folder
from bento.journals.line import as_line
from bento.journals.reported import Reported
from bento.settings import ServiceSettings
from catalog.errors import NotReady
from search.engine import SearchEngine
from tests.bento.journals.test_journal import lines_of, until
from tests.bento.world import ready_client

CLICK = {"request_id": "9f2c61d0a4b7e835", "product_id": "p0", "action": "click"}


def event(**changes: Any) -> dict[str, Any]:
    return {**CLICK, **changes}


def report(client: TestClient, *events: dict[str, Any]) -> Any:
    return client.post("/feedback", json={"events": list(events)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    with ready_client(ServiceSettings(journal_folder=folder)) as started:
        yield started


def counted(client: TestClient, outcome: str, action: str = "click") -> float:
    series = f'etalage_feedback_events_total{{action="{action}",outcome="{outcome}"}} '
    (line,) = [line for line in client.get("/metrics").text.splitlines() if line.startswith(series)]
    return float(line.split()[-1])


def test_what_is_answered_is_in_the_journal_already_beside_the_answers_and_for_its_owner_alone(
    client: TestClient, folder: Path
) -> None:
    at = "2026-11-21T10:00:00.5+08:00"
    reply = report(client, event(rank=3, at=at), event(action="buy"))
    assert (reply.status_code, reply.json()) == (200, {"kept": 2, "repeated": 0})
    first, second = lines_of(folder / "feedback")
    assert datetime.fromisoformat(first.pop("time")) - datetime.now(UTC) < timedelta(minutes=1)
    assert first == event(rank=3, at=at)
    assert {name: second[name] for name in CLICK} == event(action="buy") and set(second) == {"time", *CLICK}
    (path,) = (folder / "feedback").iterdir()
    modes = [place.stat().st_mode & 0o777 for place in (path, path.parent, folder)]
    assert modes == [0o600, 0o700, 0o700]
    assert list(folder.glob("*.jsonl")) == []  # it is no answer


def test_what_is_sent_again_is_kept_once_and_said_to_be_repeated(client: TestClient, folder: Path) -> None:
    assert report(client, event(), event(), event(rank=2)).json() == {"kept": 1, "repeated": 2}
    other = event(action="cart")
    assert report(client, event(), other).json() == {"kept": 1, "repeated": 1}
    assert [line["action"] for line in lines_of(folder / "feedback")] == ["click", "cart"]
    assert (counted(client, "kept"), counted(client, "repeated")) == (1, 3)
    assert (counted(client, "kept", "cart"), counted(client, "kept", "view")) == (1, 0)


def test_only_the_events_of_late_are_remembered() -> None:
    lines = [Reported(datetime.now(UTC), f"q{number}", "p", "click") for number in range(4)]
    recent = Recent(3)
    for line in lines:
        recent.add([line])
    assert recent.told_apart(lines) == (lines[:1], lines[1:])


@pytest.mark.parametrize("how", ["none", "hash", "plain"])
def test_of_the_user_it_keeps_what_the_log_may_tell_of_queries(folder: Path, how: str) -> None:
    with ready_client(ServiceSettings(journal_folder=folder, log_queries=how, log_key="k")) as client:
        report(client, event(user_id="jane@shop"), event(user_id="jane@shop", action="buy"), event(product_id="p1"))
    lines = lines_of(folder / "feedback")
    known = [{name: line[name] for name in line if name.startswith("user")} for line in lines]
    assert known[2] == {}
    assert known[0] == known[1]
    assert set(known[0]) == {"none": set(), "hash": {"user_hash"}, "plain": {"user_id"}}[how]
    assert ("jane" in json.dumps(lines)) == (how == "plain")


def test_the_log_tells_how_many_events_came_and_nothing_of_them(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "etalage.access"):
        report(client, event(user_id="jane@shop"), event(product_id="secret-product"))
    (record,) = [record for record in caplog.records if record.name == "etalage.access"]
    told = record.fields  # type: ignore[attr-defined]
    assert (told["route"], told["events"], told["kind"]) == ("/feedback", 2, None)
    assert "jane" not in repr(told) and "secret-product" not in repr(told) and CLICK["request_id"] not in repr(told)


def test_a_batch_is_bounded_and_kept_whole_or_not_at_all(client: TestClient, folder: Path) -> None:
    many = [event(product_id=f"p{number}") for number in range(MOST_EVENTS)]
    assert report(client, *many).json() == {"kept": MOST_EVENTS, "repeated": 0}
    assert report(client, *many, event(product_id="one more")).status_code == 422
    assert report(client).status_code == 422
    refused = report(client, event(product_id="new"), event(action="stare"))
    assert (refused.status_code, refused.json()["kind"]) == (422, "wrong_shape")
    assert refused.json()["error"].startswith("'events.1.action' is wrong: ")
    assert len(lines_of(folder / "feedback")) == MOST_EVENTS


@pytest.mark.parametrize(
    "wrong",
    [
        {"request_id": ""}, {"request_id": "a b"}, {"request_id": "x" * 65}, {"request_id": None}, {"product_id": ""},
        {"product_id": "p" * 129}, {"product_id": 7}, {"action": "purchase"}, {"action": "Click"}, {"rank": 0},
        {"rank": 201}, {"rank": 1.5}, {"rank": True}, {"user_id": ""}, {"user_id": "u" * 129}, {"text": "red"},
        {"at": "yesterday"}, {"at": "2026-11-21T10:00:00"}, {"at": "2026-13-21T10:00:00Z"}, {"at": 1763719200},
        {"at": "9999-12-31T23:59:59Z"}, {"at": "2026-11-21T10:00+99:99"}, {"at": "٢٠٢٦-11-21T10:00Z"},
    ],
    ids=str,
)  # fmt: skip
def test_an_event_that_is_none_is_a_422_that_names_the_field(client: TestClient, wrong: dict[str, Any]) -> None:
    reply = report(client, event(**wrong))
    assert (reply.status_code, reply.json()["kind"]) == (422, "wrong_shape")
    assert f"'events.0.{next(iter(wrong))}" in reply.json()["error"]


@pytest.mark.parametrize("at", ["0001-01-01T00:00+23:59", "2026-11-21T10:00:00-11:30", "2026-11-21T10:00Z"])
def test_any_time_that_has_been_is_one(client: TestClient, at: str) -> None:
    assert report(client, event(at=at)).json() == {"kept": 1, "repeated": 0}


def test_a_body_that_is_larger_than_words_need_be_is_a_413_before_it_is_read(client: TestClient) -> None:
    padded = json.dumps({"events": [event()]}).encode() + b" " * 2**18
    reply = client.post("/feedback", content=padded, headers={"content-type": "application/json"})
    assert (reply.status_code, reply.json()["kind"]) == (413, "too_large")
    assert "256 KB" in reply.json()["error"]


def test_without_a_journal_feedback_is_refused_and_nothing_is_promised(folder: Path) -> None:
    with ready_client(ServiceSettings(journal=False, journal_folder=folder)) as client:
        reply = report(client, event())
    assert (reply.status_code, reply.json()["kind"]) == (503, "no_journal")
    assert "Retry-After" not in reply.headers
    assert not folder.exists()


def test_feedback_is_taken_while_no_release_is_open(folder: Path) -> None:
    def load() -> SearchEngine:
        raise NotReady("The store is away.")

    app = create_app(load, release=lambda: "r1", settings=ServiceSettings(journal_folder=folder))
    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.post("/search", json={"text": "red"}).status_code == 503
        assert report(client, event()).json() == {"kept": 1, "repeated": 0}


def test_what_the_disk_does_not_take_is_a_503_and_can_be_sent_again(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (folder / "feedback").write_text("in the way")
    with ready_client(ServiceSettings(journal_folder=folder)) as client:
        lost = report(client, event())
        assert (lost.status_code, lost.json()["kind"], lost.headers["Retry-After"]) == (503, "not_kept", "5")
        assert str(tmp_path) not in lost.text
        assert counted(client, "lost") == 1
        assert client.post("/search", json={"text": "red"}).status_code == 200
        (folder / "feedback").unlink()
        assert report(client, event()).json() == {"kept": 1, "repeated": 0}
    assert len(lines_of(folder / "feedback")) == 1


def test_while_the_disk_is_stuck_searches_are_answered_and_only_so_much_feedback_waits(
    client: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback, "PATIENCE", 0.05)
    monkeypatch.setattr(feedback, "MOST_AT_ONCE", 3)
    unstuck = threading.Event()
    monkeypatch.setattr(journal_files.os, "fsync", lambda _: unstuck.wait(20))
    events = [event(product_id=f"p{number}") for number in range(4)]
    assert [report(client, each).json()["kind"] for each in events] == ["not_kept"] * 3 + ["busy"]
    assert len(client.post("/search", json={"text": "red dress"}).json()["hits"]) == 10
    unstuck.set()
    until(lambda: report(client, event(action="buy")).status_code == 200)
    kept = [line["product_id"] for line in lines_of(folder / "feedback") if line["action"] == "click"]
    assert kept == ["p0", "p1", "p2"]  # late, though their callers were told to send them again


KILLED = """
import os, signal, sys
from tests.bento.feedback.test_feedback import *
with ready_client(ServiceSettings(journal_folder=Path(sys.argv[1]))) as client:
    assert report(client, event(product_id=sys.argv[2])).status_code == 200
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_workers_that_are_killed_at_once_after_their_answer_have_lost_nothing(folder: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": "."}
    workers = [
        subprocess.Popen([sys.executable, "-c", KILLED, str(folder), f"p{number}"], env=environment)
        for number in range(2)
    ]
    assert [worker.wait(60) for worker in workers] == [-signal.SIGKILL] * 2
    assert sorted(line["product_id"] for line in lines_of(folder / "feedback")) == ["p0", "p1"]
    assert len(list((folder / "feedback").iterdir())) == 2


def test_it_holds_no_more_bytes_than_the_journal_may(tmp_path: Path) -> None:
    kept, most = Journal(lambda *_: None, of="feedback events", durable=True), 2**16
    kept.open(tmp_path, most, 30)
    for number in range(30):
        lines = [Reported(datetime.now(UTC), f"q{number}-{n}", "p0", "click") for n in range(50)]
        kept.keep(lines).result(20)
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= most
    kept.close()
    newest = lines_of(tmp_path)[-1]
    assert newest["request_id"] == "q29-49"


def test_it_lies_where_the_journal_lies(tmp_path: Path) -> None:
    assert feedback_folder(tmp_path, ServiceSettings()) == tmp_path / "journal" / "feedback"
    assert feedback_folder(tmp_path, ServiceSettings(journal_folder=tmp_path / "x")) == tmp_path / "x" / "feedback"
    assert feedback_folder(tmp_path, ServiceSettings(journal=False)) is None


def test_a_line_is_small() -> None:
    line = Reported(datetime.now(UTC), "0123456789abcdef", "product-000001", "click", 3, user_hash="0" * 16)
    assert len(as_line(line)) < 200
