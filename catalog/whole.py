"""A folder is written beside its place and then put there: there is never half of it."""

import shutil
from pathlib import Path


def part_of(folder: Path) -> Path:
    """Where to write it; what a killed writer left there is gone. Not made yet, its parent is."""
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    return part


def put(part: Path, folder: Path) -> None:
    """In the place of what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
