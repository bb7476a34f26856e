"""A copy of this repository as a workspace of its own, and the command line run in it as a user runs it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import InvalidMedia
from catalog.rows.records import Record
from catalog.sources import open_source

ROOT = Path(__file__).parents[2]
LONG = 1800.0  # seconds; a command that takes longer hangs, on a busy machine too

TINY = {
    # What these tests ask is in what order things happen; `make run FAST=1` has the towers of the preset.
    "model.text_tower": "bag_of_words",
    "model.words_beside": "none",
    "model.image_size": "64",
    "train.epochs": "1",
    "compose.epochs": "2",
    "late.epochs": "1",
    "tune.queries": "20",
    "evaluate.attribute_queries": "20",
    "evaluate.known_items": "30",
    "evaluate.photo_queries": "20",
    "evaluate.paraphrased_needs": "4",
    "evaluate.bootstrap_rounds": "100",
    "evaluate.worst": "2",
    # On thirty held-out products no quality is promised, so these rules ask nothing.
    "gates.floors": "[]",
    "gates.beats": "[]",
    "gates.champion.overall": "1.0",
    "gates.champion.kind": "1.0",
    "gates.champion.slice": "1.0",
    "gates.latency.p95_ms": "60000",
}

LEFT_OUT = ("tests/", "docs/", "benchmarks/")
"""Folders of the repository that a workspace of these tests does without."""


@dataclass(frozen=True)
class Done:
    """One command that ended."""

    code: int
    out: str
    err: str
    seconds: float


@dataclass(frozen=True)
class Workspace:
    """`folder` is the workspace, `environment` what its commands see."""

    folder: Path
    environment: dict[str, str]

    @property
    def home(self) -> Path:
        """ETALAGE_HOME."""
        return self.folder / ".etalage"

    def run(self, *arguments: str) -> Done:
        """`etalage <arguments>` to its end."""
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "flows", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=LONG,
        )
        return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - started)

    def run_until(self, reached: Callable[[str], bool], *arguments: str) -> str:
        """`etalage <arguments>`, killed with all its children once `reached` is true of what it has said."""
        log = self.folder / ".etalage" / "killed.log"
        log.parent.mkdir(exist_ok=True)
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "flows", *arguments],
                cwd=self.folder,
                env=self.environment,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
            deadline = time.monotonic() + LONG
            while not reached(log.read_text(errors="replace")):
                assert process.poll() is None, f"it ended before it could be killed: {log.read_text()[-3000:]}"
                assert time.monotonic() < deadline, f"it never got there: {log.read_text()[-3000:]}"
                time.sleep(0.02)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return log.read_text(errors="replace")

    def champion(self) -> str | None:
        """The release that champion.json names."""
        path = self.home / "champion.json"
        return json.loads(path.read_text())["release"] if path.exists() else None

    def pages(self) -> list[Path]:
        """The pages that runs have left, oldest first."""
        return sorted((self.home / "runs").glob("*.html"))

    def moves(self) -> list[tuple[str, str]]:
        """(move, release) of history.jsonl."""
        path = self.home / "history.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(entry["move"], entry["release"]) for entry in map(json.loads, lines)]


def write_shop(folder: Path, every: int, most: int = 1000) -> int:
    """Every so many-th row of the built-in sample as a shop's folder: JSON lines, pictures, terms. Returns the rows."""
    source = open_source("sample")
    (folder / "pictures").mkdir(parents=True)
    rows = []
    for record in list(source.records())[::every][:most]:
        rows.append(_row(record, [_picture(source.media(name), folder) for name in _readable(source, record)]))
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / "products.jsonl").write_text(lines + "\n", encoding="utf-8")
    terms = [
        json.dumps({"field": t.field, "value": t.value, "term": t.term}, ensure_ascii=False)
        for t in source.side_tables().terms
        if t.language == "zh"
    ]
    (folder / "terms.jsonl").write_text("\n".join(terms) + "\n", encoding="utf-8")
    attributes = sorted({name for row in rows for name in row if name.startswith("a_")})
    mapping = {
        "products": "products.jsonl",
        "columns": {
            "id": "id",
            "title": "title",
            "category": ["c0", "c1"],
            "images": ["image"],
            "language": "language",
        },
        "attributes": {name.removeprefix("a_"): name for name in attributes},
        "terms": {"file": "terms.jsonl", "language": "zh"},
    }
    (folder / "mapping.yaml").write_text(json.dumps(mapping), encoding="utf-8")  # JSON is YAML
    return len(rows)


def _readable(source: object, record: Record) -> list[str]:
    found = []
    for name in record.images:
        try:
            source.media(name)  # type: ignore[attr-defined]
        except InvalidMedia:
            continue
        found.append(name)
    return found


def _picture(data: bytes, folder: Path) -> str:
    name = f"pictures/{len(list((folder / 'pictures').iterdir())):04d}.jpg"
    (folder / name).write_bytes(data)
    return name


def _row(record: Record, pictures: list[str]) -> dict[str, str]:
    levels = {f"c{number}": level for number, level in enumerate(record.category)}
    attributes = {f"a_{name}": value for name, value in record.attributes.items()}
    fields = {name: record.values.get(name, "") for name in ("id", "title", "language")}
    return {"c0": "", "c1": "", **fields, **levels, **attributes, "image": "|".join(pictures)}


@contextmanager
def prefect_server(home: Path, port: int = 0) -> Iterator[str]:
    """A Prefect server of its own, on a free port or on `port`; gives its API's address."""
    home.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    environment.pop("PREFECT_API_URL", None)
    with (home / "server.log").open("ab") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}/api"
    try:
        deadline = time.monotonic() + 180
        while not answers(f"{url}/health"):
            assert server.poll() is None and time.monotonic() < deadline, (home / "server.log").read_text()[-3000:]
            time.sleep(0.3)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def answers(url: str) -> bool:
    """Whether `url` answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False
