"""How to start the service of a Bento: a command and its environment, with every place as an absolute path."""

import os
import sys
from pathlib import Path

from bento.settings import ServiceSettings
from bento.telling.traces import TraceSettings
from catalog.errors import ReleaseNotFound
from catalog.workspace import MEDIA
from search.serving_code import WORKER
from search.settings import SearchSettings

NAME = "etalage"
STORE = "bentoml"


def bento_folder(tag: str, home: Path) -> Path:
    """Where the Bento `tag` (etalage:<release>) lies under `home`."""
    name, _, version = tag.partition(":")
    return home.absolute() / STORE / "bentos" / name / version


def bentoml_environment(state: Path) -> dict[str, str]:
    """What BentoML must find in its environment: the folder for its store and state, uv on PATH, and no telemetry."""
    own = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {"BENTOML_HOME": str(state.absolute()), "BENTOML_DO_NOT_TRACK": "true", "DO_NOT_TRACK": "1", "PATH": own}


def serve_command(tag: str, home: Path, host: str = "127.0.0.1", port: int = 3000) -> tuple[list[str], dict[str, str]]:
    """The command by which BentoML itself serves the Bento `tag` of `home`, and the whole environment to start it in.

    Every service has a BENTOML_HOME of its own: BentoML empties the metrics folder in it at each start, also under a
    service that still runs. Raises NotReady where the environment asks for traces that the service cannot send.
    """
    folder = str(bento_folder(tag, home))
    command = [sys.executable, "-m", "bentoml", "serve", folder, "--host", host, "--port", str(port)]
    return command, _environment(home, str(port))


def worker_command(tag: str, home: Path, listener: int, lifeline: int) -> tuple[list[str], Path, dict[str, str]]:
    """The command that serves the Bento `tag` on open files of ours (worker.py), its folder, its environment.

    The folder is the Bento's own, so that the code that answers is the release's. Raises ReleaseNotFound where the
    Bento is missing, or was built before it had such a worker.
    """
    source = bento_folder(tag, home) / "src"
    cure = f"`etalage promote {tag.partition(':')[2]}` builds it"
    if not (source.parent / "bento.yaml").is_file():
        raise ReleaseNotFound(f"Bento {tag} is not there: {cure}.")
    if not source.joinpath(*WORKER.split(".")).with_suffix(".py").is_file():
        raise ReleaseNotFound(f"Bento {tag} is of an older Etalage and has no worker: {cure}.")
    command = [sys.executable, "-m", WORKER, str(listener), str(lifeline)]
    return command, source, _environment(home, "workers")


def _environment(home: Path, state: str) -> dict[str, str]:
    """A service runs in the folder of its Bento, so the places of the store and the keys are made absolute.

    Queries run in several threads, each with one thread of BLAS: more of them spin and wait for each other.
    """
    TraceSettings().exporters()
    uri = SearchSettings(home=home.absolute()).uri
    places = {
        "ETALAGE_HOME": str(home.absolute()),
        "ETALAGE_MILVUS_URI": uri if "://" in uri else str(Path(uri).absolute()),
    }
    settings = ServiceSettings()
    if settings.keys:
        places["ETALAGE_SERVICE_KEYS"] = str(settings.keys.absolute())
    if settings.journal_folder:
        places["ETALAGE_SERVICE_JOURNAL_FOLDER"] = str(settings.journal_folder.absolute())
    if pictures := settings.pictures or (MEDIA if MEDIA.is_dir() else None):
        places["ETALAGE_SERVICE_PICTURES"] = str(pictures.absolute())
    return {"OPENBLAS_NUM_THREADS": "1", **os.environ, **bentoml_environment(home / "service" / state), **places}
