"""Which code, parameters and data this workspace holds, as short digests: what a release names as its origin."""

import hashlib
import subprocess
from pathlib import Path

import yaml

from catalog.workspace import DATA
from flows.errors import SnapshotMissing
from search.serving_code import PACKAGES, SERVICE, serving_code

DATA_FILE = DATA.with_suffix(".dvc")
NO_GIT = "no git"
CHANGED = "+changes"


def code_revision() -> str:
    """The commit checked out here, with `+changes` when tracked code differs from it, or "no git"."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return NO_GIT
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", *(p for p in PACKAGES if Path(p).is_dir()))
    return commit + (CHANGED if changed else "")


def code_digest(entry: str = SERVICE, root: Path = Path()) -> str:
    """12 hex of sha256 over the paths and contents of the serving code: the search logic of a release.

    A change elsewhere (a training loop, a gate, this package) does not make another release of the same encoder.
    """
    digest = hashlib.sha256()
    for path in serving_code(entry, root):
        digest.update(f"{path.relative_to(root)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def data_md5(path: Path = DATA_FILE) -> str | None:
    """What data.dvc names, or None where data/ is not tracked."""
    if not path.is_file():
        return None
    outs = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("outs") or [{}]
    md5: str | None = outs[0].get("md5")
    return md5


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def demand_snapshot() -> None:
    """Raise SnapshotMissing where neither data/ nor data.dvc is here."""
    if not DATA.exists() and not DATA_FILE.is_file():
        raise SnapshotMissing(f"There is no {DATA}/ here: `etalage ingest sample`, or a folder with --mapping.")
