"""A disk that is full: the workspace lies in a small tmpfs, which grows only after the command has failed."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.errors import BUSY
from tests.recovery.trial import Outcome, Watched, compare, settled, told_again
from tests.recovery.worlds import Atlas, World

LEFT = 30 * 2**20
"""Bytes that are free at the beginning: fewer than a release needs, more than its first files."""


def full_disk(atlas: Atlas) -> Outcome:
    """A retrain whose stages have ended finds no room for its release; with room it goes on."""
    name, complete = "full disk", ("champion", "retrained")
    start = atlas.world("evaluated")
    world = World(atlas.into / "events" / name, atlas.prefect)
    shutil.rmtree(world.folder, ignore_errors=True)
    world.tmp.mkdir(parents=True)
    world.workspace.mkdir()
    size = int(subprocess.run(["du", "-sk", start.workspace], capture_output=True, check=True).stdout.split()[0]) * 1024
    try:
        with small_disk(world.workspace, 2 * size):
            subprocess.run(["cp", "-a", f"{start.workspace}/.", str(world.workspace)], check=True)
            with Watched(atlas, world, complete) as watched:
                grow(world.workspace, shutil.disk_usage(world.workspace).used + LEFT)
                arguments = atlas.command("retrain")
                full = world.run("full.log", *arguments)
                wrong = [] if full.code == BUSY and "The disk is full" in full.log else ["no sentence on the full disk"]
                grow(world.workspace, 2 * size)
                again = world.run("again.log", *arguments)
                wrong += settled(again) + watched.end()
            wrong += compare(atlas, world, "retrained")
    except PermissionError as error:
        return Outcome(name, f"skipped: {error}", "", 0, ())
    where = f"{LEFT >> 20} MB free at first: {told_again(full).removeprefix('run again: ')}"
    return Outcome(name, where, told_again(again), watched.count, tuple(wrong))


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """A tmpfs of `size` bytes at `folder`. Raises PermissionError where mounting is not allowed."""
    options = ["mount", "-t", "tmpfs", "-o", f"size={size}", "etalage-recovery", str(folder)]
    mounted = subprocess.run(options, capture_output=True, text=True)
    if mounted.returncode:
        raise PermissionError(f"no tmpfs can be mounted here ({mounted.stderr.strip()})")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def grow(folder: Path, size: int) -> None:
    """Another size for the disk at `folder`."""
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)
