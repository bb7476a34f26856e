"""What install/ says, read as its users read it, and what the code really has: settings, routes, ports, metrics."""

import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic_settings import BaseSettings

from bento.process.serve import serve_command
from bento.settings import ServiceSettings
from bento.telling.traces import TraceSettings
from catalog.fetching.settings import MediaSettings
from catalog.sources.sql import SqlSettings
from flows.keys import add_key
from flows.notifying.hooks import NotificationSettings
from models.training.settings import TrainSettings
from search.settings import SearchSettings
from tests.bento.world import cached_service, ready_client

ROOT = Path(__file__).parents[2]
INSTALL = ROOT / "install"
COMPOSE = INSTALL / "compose" / "compose.yaml"
KUBERNETES = INSTALL / "kubernetes"
BIN = Path(sys.executable).parent
SETTINGS: tuple[type[BaseSettings], ...] = (
    ServiceSettings, SearchSettings, TraceSettings, MediaSettings, SqlSettings, NotificationSettings, TrainSettings,
)  # fmt: skip
BY_WHO_INSTALLS = {"ETALAGE_WORKSPACE", "ETALAGE_METRICS_KEY_FILE", "ETALAGE_UID", "ETALAGE_GID", "ETALAGE_WORKERS"}
"""Read by compose.yaml itself, and by no code."""
FILLED = {
    "ETALAGE_WORKSPACE": "/srv/shop",
    "ETALAGE_METRICS_KEY_FILE": "/srv/metrics.key",
    "MILVUS_ROOT_PASSWORD": "of-milvus",
    "MINIO_ROOT_USER": "etalage",
    "MINIO_ROOT_PASSWORD": "of-minio",
    "GRAFANA_PASSWORD": "of-grafana",
}
"""env.example, filled in."""


def run(command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    """A linter that a package brings, with nothing of this environment but PATH."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/tmp"), **variables}
    return subprocess.run([str(BIN / command[0]), *command[1:]], env=environment, capture_output=True, text=True)


@cache
def compose() -> dict[str, Any]:
    """compose.yaml as Docker Compose itself reads it: merged, filled in, defaults written out."""
    done = run(["docker-compose", "-f", str(COMPOSE), "config", "--format", "json"], **FILLED)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@cache
def manifests() -> dict[str, dict[str, Any]]:
    """Kind -> object, of every file that kustomization.yaml names."""
    names = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    objects = [one for name in names for one in yaml.safe_load_all((KUBERNETES / name).read_text(encoding="utf-8"))]
    assert len({one["kind"] for one in objects}) == len(objects)
    return {one["kind"]: one for one in objects}


def metric_of_the_autoscaler() -> dict[str, Any]:
    """The one that every pod exports."""
    metrics = manifests()["HorizontalPodAutoscaler"]["spec"]["metrics"]
    (found,) = (metric["pods"] for metric in metrics if metric["type"] == "Pods")
    return dict(found)


def pod() -> dict[str, Any]:
    found: dict[str, Any] = manifests()["Deployment"]["spec"]["template"]["spec"]
    return found


def container() -> dict[str, Any]:
    (found,) = pod()["containers"]
    return dict(found)


def variables_of_the_code() -> set[str]:
    """Every environment variable that a class of settings reads."""
    return {
        f"{settings.model_config['env_prefix']}{name}".upper()
        for settings in SETTINGS
        for name in settings.model_fields
    }


@cache
def open_paths() -> set[str]:
    """Paths that the service answers without an API key: nobody gives one to a probe."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys.json"
        add_key(keys, "web", ("search",))
        with ready_client(ServiceSettings(keys=keys)) as client:
            until = time.monotonic() + 60
            while client.get("/readyz").status_code != 200 and time.monotonic() < until:
                time.sleep(0.1)
            paths = [route.path for route in client.app.routes if "GET" in route.methods]  # type: ignore[attr-defined]
            return {path for path in paths if client.get(path).status_code == 200}


@cache
def metrics_page() -> str:
    """What a running service exports."""
    with cached_service() as client:
        client.post("/search", json={"text": "red"})
        return client.get("/metrics").text


def serve_port() -> int:
    """The port of `etalage serve` and of the Bento by default."""
    port: int = inspect.signature(serve_command).parameters["port"].default
    return port


def lock() -> dict[str, str]:
    """Package -> version of requirements.lock."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.\-]+)==([\w.+]+)", text, flags=re.MULTILINE))
