"""Build the Bento of a release: its folder, the code that serves, that code's pinned packages, a bill of all that.

    python -m bento.packing.build .etalage/releases/<release>

Offline. The Bento lies in ETALAGE_HOME/bentoml as etalage:<release>; building it again changes nothing.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from bento.packing.requirements import serving_requirements
from bento.packing.sbom import SBOM, sbom_of
from bento.process.serve import NAME, STORE, bento_folder, bentoml_environment
from catalog.copying import copy_folder
from catalog.errors import EtalageError, NotReady
from models.encoder_folder import BASELINE
from search.contents import check_contents
from search.release import ENCODER, MANIFEST, RANKING, ReleaseManifest, read_manifest
from search.serving_code import SERVICE, WORKER, foreign_packages, serving_code
from search.settings import SearchSettings

PROJECT = Path(__file__).resolve().parents[2]
LOCK = PROJECT / "requirements.lock"
PACKED = "release"
BENTOFILE = "bentofile.yaml"
REQUIREMENTS = "requirements.txt"
DATA_SUFFIXES = (".html", ".css", ".js", ".png")
"""Files that lie beside serving code and go with it."""
BASE_IMAGE = "python:3.11.15-slim-bookworm"
"""What `bentoml containerize` starts from."""
SYSTEM_PACKAGES = ("libgomp1",)
"""Of Debian: LightGBM is linked against it."""
IMAGE_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",  # as in serve.py
    "BENTOML_DO_NOT_TRACK": "true",
    "PYTHONDONTWRITEBYTECODE": "1",  # the image may be read-only
}
CONTENT = "content"
"""Label of a Bento: digest of everything that was staged for it."""


def build_bento(release_folder: Path, home: Path) -> str:
    """Build the Bento of the release in `release_folder` into `home`/bentoml. Returns its tag, etalage:<release>.

    A Bento of the same content is left as it is; one of other content, or half of one, is replaced.
    Raises ReleaseNotFound for an incomplete folder, TamperedRelease for a changed one, NotReady when BentoML refuses.
    """
    manifest = read_manifest(release_folder)
    tag = f"{NAME}:{manifest.release}"
    with tempfile.TemporaryDirectory(prefix=prefix_of(home)) as folder:
        stage = Path(folder)
        stage_files(release_folder, stage)
        check_contents(manifest, stage / PACKED)
        _keep_sbom(stage, release_folder)
        content = digest(stage)
        if built_content(bento_folder(tag, home)) == content:
            return tag
        write_bentofile(stage, manifest, content)
        shutil.rmtree(bento_folder(tag, home), ignore_errors=True)
        _run_build(stage, manifest.release, home)
    if built_content(bento_folder(tag, home)) != content:
        raise NotReady(f"BentoML reported success but {tag} is not in {home}.")
    return tag


def half_built(home: Path) -> Iterator[Path]:
    """What builds for `home` left behind that were killed: ours and, in its own folder, BentoML's.

    Nobody may be building meanwhile.
    """
    yield from Path(tempfile.gettempdir()).glob(f"{prefix_of(home)}*")
    yield from (home / STORE / "tmp").glob("*")


def prefix_of(home: Path) -> str:
    """How the names begin of our folders for `home` among all temporary ones.

    They cannot lie in the home: BentoML reads nothing below a folder whose name begins with a dot.
    """
    return f"etalage-bento-{hashlib.sha256(os.fsencode(home.absolute())).hexdigest()[:12]}-"


def stage_files(release_folder: Path, stage: Path) -> None:
    """Copy into `stage` what the Bento holds: serving modules, the files beside them, requirements, SBOM, and release/.

    The encoder's baseline stays behind: it answers no query.
    """
    modules = tuple(sorted({*serving_code(SERVICE, PROJECT), *serving_code(WORKER, PROJECT)}))
    beside = {path for module in modules for path in module.parent.iterdir() if path.suffix in DATA_SUFFIXES}
    for path in (*modules, *sorted(beside)):
        _copy(path, stage / path.relative_to(PROJECT))
    requirements = serving_requirements(foreign_packages(modules), LOCK)
    (stage / REQUIREMENTS).write_text("\n".join(requirements) + "\n", encoding="utf-8")
    if not (release_folder / MANIFEST).is_file():
        raise NotReady(f"{release_folder} has no {MANIFEST}: the release is not complete.")
    _copy(release_folder / MANIFEST, stage / PACKED / MANIFEST)
    bill = sbom_of(read_manifest(release_folder), requirements, LOCK)
    (stage / SBOM).write_text(bill, encoding="utf-8")
    for name in (ENCODER, RANKING):
        if not (release_folder / name).is_dir():
            raise NotReady(f"{release_folder} has no {name}/: the release is not complete.")
        copy_folder(release_folder / name, stage / PACKED / name, BASELINE)


def write_bentofile(stage: Path, manifest: ReleaseManifest, content: str) -> None:
    """Write `stage`/bentofile.yaml: what `bentoml build` reads."""
    labels = {"release": manifest.release, "encoder": manifest.encoder, "snapshot": manifest.snapshot, CONTENT: content}
    options = {
        "service": f"{SERVICE}:Etalage",
        "name": NAME,
        "description": f"Product search over release {manifest.release}.",
        "labels": labels,
        "include": ["*"],
        "python": {"requirements_txt": REQUIREMENTS, "lock_packages": False},
        # of `docker`, BentoML reads these for an image of its own kind, and passes over `env` without a word
        "docker": {"base_image": BASE_IMAGE, "python_version": "3.11", "system_packages": list(SYSTEM_PACKAGES)},
        "envs": [{"name": name, "value": value} for name, value in IMAGE_ENVIRONMENT.items()],
    }
    (stage / BENTOFILE).write_text(yaml.safe_dump(options, sort_keys=False), encoding="utf-8")


def digest(folder: Path) -> str:
    """First 16 hex of sha256 over paths and bytes in `folder`, without what BentoML and Python add to it later."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.name != BENTOFILE and "__pycache__" not in path.parts:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            whole.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return whole.hexdigest()[:16]


def built_content(folder: Path) -> str | None:
    """The content label of a Bento whose files still are that content; None for none, half of one, a changed one."""
    try:
        info = yaml.safe_load((folder / "bento.yaml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    content: str | None = info["labels"].get(CONTENT)
    return content if content == digest(folder / "src") else None


def _run_build(stage: Path, version: str, home: Path) -> None:
    environment = {**os.environ, **bentoml_environment(home / STORE)}
    command = [sys.executable, "-m", "bentoml", "build", "--version", version, "--output", "tag", str(stage)]
    done = subprocess.run(command, cwd=stage, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise NotReady(f"BentoML could not build {NAME}:{version}: {last}")


def _keep_sbom(stage: Path, release_folder: Path) -> None:
    """The bill of materials in the release's folder too, whole or not at all."""
    draft = release_folder / f"{SBOM}.new"
    _copy(stage / SBOM, draft)
    draft.replace(release_folder / SBOM)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def main(arguments: list[str]) -> int:
    """Build the Bento of the release folder given; print its tag."""
    if len(arguments) != 1:
        print("usage: python -m bento.packing.build RELEASE_FOLDER", file=sys.stderr)
        return 2
    try:
        print(build_bento(Path(arguments[0]), SearchSettings().home))
    except EtalageError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
