"""Defaults for the libraries the flows drive: telemetry off, their state under ETALAGE_HOME, patient time-outs.

Only variables that nobody set are set, so a user's own choice always wins. Children (DVC stages, bentoml) inherit them.
"""

import os
from collections.abc import MutableMapping
from pathlib import Path

HOME_VARIABLE = "ETALAGE_HOME"
DEFAULT_HOME = ".etalage"

TELEMETRY_OFF = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DVC_NO_ANALYTICS": "1",
    "BENTOML_DO_NOT_TRACK": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}

PATIENCE = {
    # The embedded API took 12-32 s to start on two cores; Prefect gives up after 20.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    # Several flows at once on SQLite answer 503 for a while; without these a flow is lost.
    "PREFECT_CLIENT_MAX_RETRIES": "20",
    "PREFECT_SERVER_DATABASE_TIMEOUT": "60",
}

# Threads that wait in a loop keep others off the cores: see models/openmp.py, which says so for training alone.
THREADS = {"OMP_WAIT_POLICY": "PASSIVE"}


def home_folder(environment: MutableMapping[str, str] | None = None) -> Path:
    """ETALAGE_HOME as an absolute path: releases, embedded Milvus, Bento store, Prefect's embedded database."""
    environment = os.environ if environment is None else environment
    return Path(environment.get(HOME_VARIABLE) or DEFAULT_HOME).absolute()


def prepare_environment(environment: MutableMapping[str, str] | None = None) -> None:
    """Fill in every variable above that is not set yet."""
    environment = os.environ if environment is None else environment
    home = home_folder(environment)
    own_profiles = Path.home() / ".prefect" / "profiles.toml"
    places = {"PREFECT_HOME": str(home / "prefect"), "BENTOML_HOME": str(home / "bentoml")}
    if own_profiles.is_file():  # `prefect config set PREFECT_API_URL=...` keeps working although the home moved
        places["PREFECT_PROFILES_PATH"] = str(own_profiles)
    for name, value in {**TELEMETRY_OFF, **PATIENCE, **THREADS, **places}.items():
        environment.setdefault(name, value)


def make_folders(environment: MutableMapping[str, str] | None = None) -> None:
    """Create the folders that Prefect and BentoML expect to find a place in."""
    environment = os.environ if environment is None else environment
    for name in ("PREFECT_HOME", "BENTOML_HOME"):
        if environment.get(name):
            Path(environment[name]).mkdir(parents=True, exist_ok=True)
