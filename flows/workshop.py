"""A workspace beside this one, in which trials run: the same commit and changes, the same DVC cache, its own params.

Training for a trial must not touch params.yaml, artifacts/ or reports/ of the workspace a shop works in. It is a clone
kept in ETALAGE_HOME: a training that was killed goes on from its checkpoint there, and stages that a trial has in
common with an earlier one come from the cache. Each finished trial is kept as a DVC experiment of the workspace itself:
`dvc exp show` lists it, `dvc exp apply NAME` makes it the workspace's.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path

from catalog.errors import NotReady
from catalog.workspace import COMPOSE_REPORT, EXPORT_REPORT, TRAIN_REPORT, TRIAL_REPORT, TUNE_REPORT
from flows import dvc
from flows.errors import StageFailed
from flows.revision import DATA_FILE

REPORTS = (
    TRAIN_REPORT,
    EXPORT_REPORT,
    COMPOSE_REPORT,
    TUNE_REPORT,
    TRIAL_REPORT,
)  # in an experiment
_REFS = "refs/exps/"
ELSEWHERE = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"})  # set inside hooks: another repository
_IDENTITY = {"user.name": "etalage", "user.email": "etalage@localhost"}


class Workshop:
    """The clone in `folder` of the workspace in the working directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.workspace = Path.cwd()
        self._prepared = False

    def prepare(self) -> None:
        """Make it equal to the workspace, once: commit, changes that are not committed, snapshot. Keeps its artifacts.

        Raises NotReady where the workspace is no git repository with a commit: there experiments have no home.
        """
        if self._prepared:
            return
        if _git(self.workspace, "rev-parse", "--verify", "--quiet", "HEAD", check=False) is None:
            raise NotReady("Trials are kept as DVC experiments, which need a git repository with a commit here.")
        if not (self.folder / ".git").is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
            _git(self.folder, "init", "--quiet")
            for key, value in _IDENTITY.items():  # who saves experiments, also where nobody told git a name
                _git(self.folder, "config", key, value)
        _git(self.folder, "fetch", "--quiet", "--no-tags", str(self.workspace), "HEAD")
        _git(self.folder, "checkout", "--quiet", "--force", "--detach", "FETCH_HEAD")
        _git(self.folder, "clean", "--quiet", "--force", "-d")  # ignored files stay: data, artifacts, checkpoints
        for name in self._listed("--deleted"):
            (self.folder / name).unlink(missing_ok=True)
        for name in self._listed("--modified", "--others", "--exclude-standard"):
            source, target = self.workspace / name, self.folder / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(source.read_bytes())
        with self.entered():
            dvc.set_cache(self._cache())
            dvc.checkout(str(DATA_FILE))
        self._prepared = True

    @contextmanager
    def entered(self) -> Iterator[Path]:
        """With the clone as the working directory: whatever is relative to a workspace is then in it."""
        with chdir(self.folder):
            yield self.folder

    def keep(self, name: str, milestone: str) -> None:
        """Keep the clone, whose stages have run up to `milestone`, as the experiment `name` of the workspace."""
        with self.entered():
            files = [*map(str, REPORTS), *self._listed("--others", "--exclude-standard")]
            dvc.save_experiment(name, milestone, [file for file in files if Path(file).is_file()])
        ref = self._ref(name)
        _git(self.workspace, "fetch", "--quiet", "--no-tags", str(self.folder), f"+{ref}:{ref}")

    def _ref(self, name: str) -> str:
        """The experiment's ref; its name alone does not say of which commit it is an experiment."""
        head = _git(self.folder, "rev-parse", "HEAD") or ""
        return f"{_REFS}{head[:2]}/{head[2:]}/{name}"

    def _cache(self) -> Path:
        with chdir(self.workspace):
            return dvc.cache_folder()

    def _listed(self, *which: str) -> list[str]:
        listing = _git(self.workspace, "ls-files", "-z", *which) or ""
        return [name for name in listing.split("\0") if name]


def _git(folder: Path, *arguments: str, check: bool = True) -> str | None:
    """What git says, or None where `check` is off and it refuses. Raises StageFailed with its sentence, or NotReady."""
    command: Sequence[str] = ["git", *arguments]
    environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    except FileNotFoundError:
        raise NotReady("Trials are kept as DVC experiments, and there is no git here.") from None
    if done.returncode == 0:
        return done.stdout.strip("\n")
    if check:
        raise StageFailed(f"git {arguments[0]} failed: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
    return None
