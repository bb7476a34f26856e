"""What DVC keeps, lost or damaged: its remote, an object of its cache, its lock file."""

import subprocess
import sys
from pathlib import Path

import yaml

from tests.recovery.trial import Outcome, Watched, compare, finish, settled, told_again
from tests.recovery.worlds import Atlas, World


def lost_remote(atlas: Atlas) -> Outcome:
    """A snapshot is to be pushed to a remote that is away; it comes back, and all of it arrives."""
    name = "lost DVC remote"
    world = atlas.start("champion", atlas.into / "events" / name, "ingest")
    remote, away = world.folder / "remote", world.folder / "away"
    settings = (world.workspace / ".dvc" / "config.local").read_bytes() if _has_local(world) else None
    dvc(world, "remote", "add", "--local", "-d", "shop", str(remote))
    dvc(world, "push")
    arguments = [*atlas.command("ingest"), "--push"]
    with Watched(atlas, world, ("champion",)) as watched:
        remote.rename(away)
        remote.write_text("no folder")  # DVC would make a folder that is not there
        without = world.run("without.log", *arguments)
        remote.unlink()
        away.rename(remote)
        again = world.run("again.log", *arguments)
        wrong = settled(again) + watched.end()
    wrong += [] if without.code else ["it succeeded without a remote"]
    wrong += [f"the remote lacks {md5}" for md5 in objects_of(world) - stored_in(remote)]
    if settings is None:
        (world.workspace / ".dvc" / "config.local").unlink()
    wrong += compare(atlas, world, "later")
    where = f"remote away: {told_again(without).removeprefix('run again: ')}"
    return finish(world, Outcome(name, where, told_again(again), watched.count, tuple(wrong)))


def broken_object(atlas: Atlas) -> Outcome:
    """The vectors are gone from the workspace, and a byte of their object in the cache is another one."""
    name = "corrupted file in DVC's cache"
    world = atlas.start("champion", atlas.into / "events" / name, "retrain")
    vectors = world.workspace / "artifacts" / "embeddings" / "fused.npy"
    broken = damage(world.workspace / ".dvc" / "cache" / "files" / "md5", md5_of(vectors))
    with Watched(atlas, world, ("champion",)) as watched:
        vectors.unlink()
        again = world.run("again.log", "retrain")
        wrong = settled(again) + watched.end()
    wrong += compare(atlas, world, "champion")
    where = f"fused.npy is gone and one byte of {broken} is another"
    return finish(world, Outcome(name, where, told_again(again), watched.count, tuple(wrong)))


def torn_lock_file(atlas: Atlas) -> Outcome:
    """What a kill leaves that meets DVC between opening dvc.lock and writing it, or a crash of the machine."""
    name = "dvc.lock cut in half"
    world = atlas.start("champion", atlas.into / "events" / name, "retrain")
    path = world.workspace / "dvc.lock"
    with Watched(atlas, world, ("champion",)) as watched:
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        again = world.run("again.log", "retrain")
        wrong = settled(again) + watched.end()
    wrong += compare(atlas, world, "champion")
    return finish(world, Outcome(name, "half of it is gone", told_again(again), watched.count, tuple(wrong)))


def dvc(world: World, *arguments: str) -> None:
    """A DVC command in the workspace."""
    command = [sys.executable, "-m", "dvc", *arguments]
    subprocess.run(command, cwd=world.workspace, env=world.environment(), check=True, capture_output=True)


def md5_of(path: Path) -> str:
    """The name of a file's content in DVC's cache."""
    import hashlib

    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def damage(cache: Path, md5: str) -> str:
    """Change the last byte of an object; its permissions stay. Returns its name."""
    path = cache / md5[:2] / md5[2:]
    mode = path.stat().st_mode
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    path.chmod(mode)
    return md5[:8]


def objects_of(world: World) -> set[str]:
    """md5 of every object that data.dvc and dvc.lock name, without the files of folders."""
    named = yaml.safe_load((world.workspace / "data.dvc").read_text())["outs"]
    return {out["md5"] for out in named}


def stored_in(remote: Path) -> set[str]:
    """md5 of every object of a remote."""
    return {path.parent.name + path.name for path in remote.glob("files/md5/*/*")}


def _has_local(world: World) -> bool:
    return (world.workspace / ".dvc" / "config.local").is_file()
