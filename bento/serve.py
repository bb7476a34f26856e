"""How to start the service of a Bento: one command and its environment, with every place as an absolute path."""

import os
import sys
from pathlib import Path

from bento.settings import ServiceSettings
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
    """The command that serves the Bento `tag` of `home`, and the whole environment to start it in.

    A service runs in the folder of its Bento, so the places of the store and the keys are made absolute. Every service
    has a BENTOML_HOME of its own: BentoML empties the metrics folder in it at each start, also under a service that
    still runs.
    """
    folder = str(bento_folder(tag, home))
    command = [sys.executable, "-m", "bentoml", "serve", folder, "--host", host, "--port", str(port)]
    uri = SearchSettings(home=home.absolute()).uri
    places = {
        "ETALAGE_HOME": str(home.absolute()),
        "ETALAGE_MILVUS_URI": uri if "://" in uri else str(Path(uri).absolute()),
    }
    if keys := ServiceSettings().keys:
        places["ETALAGE_SERVICE_KEYS"] = str(keys.absolute())
    return command, {**os.environ, **bentoml_environment(home / "service" / str(port)), **places}
