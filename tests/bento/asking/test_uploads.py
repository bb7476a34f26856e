"""What a caller uploads stays in memory: nothing is opened for writing, and no name that it sends is opened at all."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.bento.hostile import JPEG, form, part

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {"os.rename", "os.mkdir", "os.link", "os.symlink", "os.truncate", "tempfile.mkstemp", "tempfile.mkdtemp"}
_watched: list[tuple[str, tuple[Any, ...]]] | None = None


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched is not None and (event == "open" or event in CHANGES):
        _watched.append((event, arguments))


sys.addaudithook(_note)  # for good, so it does nothing while nobody watches


@contextmanager
def watching() -> Iterator[list[tuple[str, tuple[Any, ...]]]]:
    """What any thread of this process opens or changes on disk meanwhile."""
    global _watched
    _watched = seen = []
    try:
        yield seen
    finally:
        _watched = None


def written(seen: list[tuple[str, tuple[Any, ...]]]) -> list[str]:
    """What was opened for writing, or changed."""
    return [str(what) for what in seen if what[0] != "open" or (what[1][2] or 0) & WRITING]


@pytest.fixture(scope="module")
def warm(client: TestClient) -> TestClient:
    """The client, once all that a first answer opens is open: what is imported late, and the journal by its thread."""
    client.post("/search", **form(part("image", JPEG, "warm.jpg")))
    until, journal = time.monotonic() + 60, Path(os.environ["ETALAGE_HOME"]) / "journal"
    while not any(journal.glob("*.jsonl")):
        assert time.monotonic() < until, "no journal was begun"
        time.sleep(0.02)
    return client


@pytest.mark.parametrize(
    "name",
    ["photo.jpg", "../../../../tmp/evil.jpg", "/etc/passwd", "..\\..\\evil.jpg", "C:\\evil.jpg", "a\x00.jpg", "~/.ssh",
     "https://evil.example/a.jpg", "a" * 5000, "con.jpg", "file:///etc/passwd", "photo.jpg;rm -rf x"],
)  # fmt: skip
def test_an_upload_is_never_written_and_its_name_never_opened(
    warm: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.chdir(tmp_path)
    with watching() as seen:
        answer = warm.post("/search", **form(part("image", JPEG * 20, name), part("k", b"2")))
    assert answer.status_code in (200, 400, 415)
    assert written(seen) == []
    assert [what for what in seen if "evil" in str(what) or "passwd" in str(what) or "photo" in str(what)] == []
    assert list(tmp_path.iterdir()) == []


def test_the_watch_sees_a_file_that_is_written(tmp_path: Path):
    with watching() as seen:
        (tmp_path / "a").write_bytes(b"")
        (tmp_path / "a").rename(tmp_path / "b")
    assert len(written(seen)) == 2
