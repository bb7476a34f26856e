"""Small files that survive kill -9: whole or not at all, and on the disk before the next step."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from catalog.syncing import sync
from flows.errors import WorkspaceBusy


def write_durably(path: Path, text: str, mode: int | None = None) -> None:
    """Replace `path` by `text`: temporary file, fsync, rename, fsync of the folder. `mode` are its permissions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    with draft.open("w", encoding="utf-8") as file:
        if mode is not None:  # before there is anything to read
            os.fchmod(file.fileno(), mode)
        file.write(text)
    put_durably(draft, path)


def put_durably(draft: Path, path: Path) -> None:
    """A file that was written beside `path` takes its place: fsync, rename, fsync of the folder."""
    sync(draft)
    draft.replace(path)
    sync(path.parent)


def write_json_durably(path: Path, document: Any) -> None:
    """`write_durably` of `document` as readable JSON."""
    write_durably(path, json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def append_line_durably(path: Path, line: str) -> None:
    """Add one line. A line cut short by a kill (no newline at its end) is removed first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        file.seek(0)
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            file.truncate(whole)
        file.write(line.encode("utf-8") + b"\n")
        file.flush()
        os.fsync(file.fileno())


def remove_durably(path: Path) -> None:
    """Remove `path` where it is."""
    path.unlink(missing_ok=True)
    sync(path.parent)


@contextmanager
def one_writer(home: Path) -> Iterator[None]:
    """Hold `home`/lock: one run at a time changes releases, the alias and the champion record.

    The kernel frees it when the process ends, however it ends. Raises WorkspaceBusy at once when it is held.
    """
    home.mkdir(parents=True, exist_ok=True)
    path = home / "lock"
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            sentence = f"Another etalage run (process {holder}) is writing in {home}: try again later."
            raise WorkspaceBusy(sentence) from None
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield
