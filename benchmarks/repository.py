"""A copy of this repository as a workspace of its own, in which nothing has run yet."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
GIT = ("git", "-c", "user.name=A test", "-c", "user.email=test@example.com")


def copy_repository(into: Path, without: tuple[str, ...]) -> None:
    """The files that git knows or would add, but for folders `without`, as a new repository with one commit."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, listing.split("\0")):
        source, target = ROOT / name, into / name
        if source.is_file() and not name.startswith(without):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    for name in ("data.dvc", "dvc.lock"):  # this workspace starts before any run
        (into / name).unlink(missing_ok=True)
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "A workspace"]):
        subprocess.run([*GIT, *command], cwd=into, check=True)
