"""Copies of whole folders."""

import shutil
from pathlib import Path


def copy_folder(source: Path, target: Path, *without: str) -> None:
    """Copy `source` into `target`, which may be there, leaving out entries named `without`.

    Raises the first OSError itself: shutil.copytree makes text of all of them, and a full disk is told by its number.
    """
    first: list[OSError] = []

    def copy(here: str, there: str) -> str:
        try:
            return shutil.copy2(here, there)
        except OSError as error:
            first.append(error)
            raise

    try:
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(*without), copy_function=copy, dirs_exist_ok=True)
    except shutil.Error:
        if first:
            raise first[0] from None
        raise
