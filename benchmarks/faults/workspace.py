"""A workspace of its own: this repository's code in a folder, a shop beside it, and the commands of a user."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.repository import GIT

LONGEST = 7200.0  # seconds of one command; a busy machine takes its time
_OURS = ("PREFECT_", "ETALAGE_", "BENTOML_", "DVC_")


@dataclass(frozen=True)
class Done:
    """One command that ended. `output`: what it said on both streams."""

    code: int
    output: str
    seconds: float


@dataclass(frozen=True)
class Workspace:
    """`folder` holds `shop/` and the workspace `work/`; `environment`: what its commands see beside ours."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        """The DVC workspace."""
        return self.folder / "work"

    @property
    def shop(self) -> Path:
        """The source folder of the catalogue."""
        return self.folder / "shop"

    @property
    def home(self) -> Path:
        """ETALAGE_HOME."""
        return self.work / ".etalage"

    def etalage(self, *arguments: str) -> Done:
        """`etalage <arguments>` to its end."""
        return self.run([sys.executable, "-m", "flows", *arguments])

    def run(self, command: Sequence[str]) -> Done:
        """A command in the workspace, to its end."""
        started = time.monotonic()
        done = subprocess.run(
            command,
            cwd=self.work,
            env=self.all_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST,
        )
        return Done(done.returncode, done.stdout, time.monotonic() - started)

    def all_environment(self) -> dict[str, str]:
        """The environment of its commands: the code is the workspace's own, whatever is installed."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        return {**kept, "PYTHONPATH": str(self.work), "COLUMNS": "1000", **self.environment}

    def commit(self, message: str) -> None:
        """Commit what stands in the workspace, as a user does after a release."""
        for command in (["add", "-A"], ["commit", "-q", "--allow-empty", "-m", message]):
            subprocess.run([*GIT, *command], cwd=self.work, check=True)


def copied(world: Workspace, into: Path, environment: Mapping[str, str] | None = None) -> Workspace:
    """A copy of `world` that shares no file with it (on file systems that can, by reference)."""
    subprocess.run(["cp", "-a", "--reflink=auto", str(world.folder), str(into)], check=True)
    return Workspace(into, dict(world.environment) | dict(environment or {}))


def released(world: Workspace) -> Path:
    """The folder of the world's only release."""
    (folder,) = (world.home / "releases").glob("r*")
    return folder
