"""`etalage rebuild`: make a release's encoder and embeddings once more from its manifest alone, and compare them.

    code revision + data (DVC's cache) + params -> ETALAGE_HOME/rebuilt/<release> -> dvc repro embed -> digests

A workspace of its own, so params.yaml, data/ and artifacts/ of this one stay. Nothing is taken from DVC's cache but the
snapshot, nothing is put into it, and no accelerator is used. No Prefect flow: nothing shared is changed.
"""

import os
import shutil
import subprocess
from contextlib import chdir
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from catalog.errors import NotReady
from catalog.workspace import DATA, EMBEDDINGS, ENCODER, PARAMS
from flows import dvc
from flows.candidate import LOCK_FILE
from flows.durable import one_writer
from flows.errors import SnapshotMissing, StageFailed
from flows.lineage.origins import known_release
from flows.lineage.retired import read_retired
from flows.releases import ReleaseStore
from flows.revision import CHANGED, DATA_FILE, NO_GIT
from flows.workshop import ELSEWHERE
from models.encoder_folder import fingerprint
from search.release import ReleaseManifest

FOLDER = "rebuilt"
LAST_STAGE = "embed"
COMPARED = (ENCODER, EMBEDDINGS)
REQUIREMENTS = Path("requirements.lock")


class Compared(BaseModel):
    """One digest as the manifest has it, and as it was made again."""

    model_config = ConfigDict(frozen=True)

    name: str
    recorded: str
    rebuilt: str

    @property
    def same(self) -> bool:
        """Whether it is bit-identical."""
        return self.recorded == self.rebuilt


class Rebuilt(BaseModel):
    """What came out, and where it lies. `other_packages`: requirements.lock of then is not that of now."""

    model_config = ConfigDict(frozen=True)

    release: str
    folder: str
    compared: tuple[Compared, ...]
    other_packages: bool

    @property
    def same(self) -> bool:
        """Whether all of it is bit-identical."""
        return all(row.same for row in self.compared)


def rebuild(store: ReleaseStore, release: str) -> Rebuilt:
    """Make `release`, a retired one too, again from the repository in the working directory.

    Raises ReleaseNotFound, NotReady for a release that cannot be rebuilt from what it names, SnapshotMissing where
    DVC's cache lacks its data, StageFailed.
    """
    manifest = manifest_of(store, known_release(store, release))
    artifacts = demand_rebuildable(manifest)
    folder = store.home / FOLDER / manifest.release
    with one_writer(store.home / FOLDER):
        shutil.rmtree(folder, ignore_errors=True)
        _clone(manifest.code_revision, folder)
        cache, packages = dvc.cache_folder(), REQUIREMENTS.read_bytes() if REQUIREMENTS.is_file() else b""
        (folder / PARAMS).write_text(yaml.safe_dump(manifest.params, sort_keys=False, allow_unicode=True))
        outs: list[dict[str, Any]] = [{"md5": manifest.data_md5, "hash": "md5", "path": DATA.as_posix()}]
        (folder / DATA_FILE).write_text(yaml.safe_dump({"outs": outs}))
        (folder / LOCK_FILE).unlink(missing_ok=True)
        with chdir(folder):
            dvc.set_cache(cache)
            try:
                dvc.checkout(str(DATA_FILE))
            except StageFailed:
                sentence = (
                    f"Snapshot {manifest.snapshot} ({manifest.data_md5}) is not in DVC's cache here: pull it first."
                )
                raise SnapshotMissing(sentence) from None
            done = dvc.reproduce(LAST_STAGE, anew=True)
            if done.failed:
                raise StageFailed(f"The stage {done.failed} broke while {manifest.release} was rebuilt: see above.")
            made = dvc.locked_outputs(LOCK_FILE)
            encoder = Compared(name="encoder fingerprint", recorded=manifest.encoder, rebuilt=fingerprint(ENCODER))
            other = REQUIREMENTS.is_file() and REQUIREMENTS.read_bytes() != packages
    names = [path.as_posix() for path in COMPARED]
    rows = (Compared(name=name, recorded=artifacts[name], rebuilt=made[name]) for name in names)
    return Rebuilt(release=manifest.release, folder=str(folder), compared=(encoder, *rows), other_packages=other)


def manifest_of(store: ReleaseStore, release: str) -> ReleaseManifest:
    """The manifest of a release that is there, or was."""
    if store.has(release):
        return store.get(release)
    retired = read_retired(store.home, release)
    assert retired is not None  # that is where its id is from
    return retired.manifest


def demand_rebuildable(manifest: ReleaseManifest) -> dict[str, str]:
    """Path -> digest of what is compared. Raises NotReady where the manifest does not name all of its origin."""
    why = ""
    if manifest.code_revision == NO_GIT:
        why = "it was made without git"
    elif manifest.code_revision.endswith(CHANGED):
        why = "its code had changes that were not committed"
    elif manifest.data_md5 is None:
        why = "its data was not versioned by DVC"
    elif manifest.artifacts is None:
        why = "its manifest is of an earlier version and has no digest of its embeddings"
    if why or manifest.artifacts is None:
        raise NotReady(f"Release {manifest.release} cannot be rebuilt: {why}.")
    return manifest.artifacts


def _clone(revision: str, folder: Path) -> None:
    """The repository here at `revision`, in `folder`; objects are shared, so it takes no space."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _git("clone", "--quiet", "--shared", "--no-checkout", str(Path.cwd()), str(folder))
    _git("-C", str(folder), "checkout", "--quiet", "--force", "--detach", revision)


def _git(*arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise NotReady(f"The code of the release is not in the repository here: {said}")
