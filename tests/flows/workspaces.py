"""Workspaces with a real git and a real DVC: their environment, and being inside one."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GIT = ("git", "-c", "user.name=A test", "-c", "user.email=test@example.com")


def environment() -> dict[str, str]:
    """With this code, and without an identity for git."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ETALAGE_", "DVC_", "GIT_"))}
    return {**kept, "PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}


def enter(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Make `folder` the working directory of this process, and `environment` its environment."""
    patch.chdir(folder)
    for name in os.environ.keys() - environment().keys():
        patch.delenv(name)
    for name, value in environment().items():
        patch.setenv(name, value)
