"""How to start the service of a Bento: one command and its environment, with every place as an absolute path."""

import os
import sys
from pathlib import Path

NAME = "etalage"
STORE = "bentoml"


def bento_folder(tag: str, home: Path) -> Path:
    """Where the Bento `tag` (etalage:<release>) lies under `home`."""
    name, _, version = tag.partition(":")
    return home.absolute() / STORE / "bentos" / name / version


def bentoml_environment(home: Path, state: Path | None = None) -> dict[str, str]:
    """What BentoML must find in its environment: its store in `home`/bentoml, or its state in `state`; no telemetry."""
    return {"BENTOML_HOME": str((state or home / STORE).absolute()), "BENTOML_DO_NOT_TRACK": "true", "DO_NOT_TRACK": "1"}


def serve_command(tag: str, home: Path, host: str = "127.0.0.1", port: int = 3000) -> tuple[list[str], dict[str, str]]:
    """The command that serves the Bento `tag`, and the environment to start it in.

    Every service has a BENTOML_HOME of its own: BentoML empties the metrics folder in it at each start, also under
    a service that still runs. The Bento is therefore named by its folder.
    """
    command = [sys.executable, "-m", "bentoml", "serve", str(bento_folder(tag, home)), "--host", host, "--port", str(port)]
    state = home.absolute() / "service" / str(port)
    return command, {**os.environ, **bentoml_environment(home, state)}
