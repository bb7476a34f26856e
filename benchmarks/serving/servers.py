"""The two servers: the service as `etalage serve` starts it, and the search by hand."""

import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.serving.paths import PEER_READY, SERVICE_READY
from benchmarks.serving.process import Started, started
from bento.packing.build import built_content, digest, stage_files
from bento.process.serve import bento_folder
from catalog.errors import NotReady
from flows.packaging import tag_of
from flows.releases import ReleaseStore
from search.settings import SearchSettings

HOST = "127.0.0.1"
NOTHING_SET: Mapping[str, float] = {}


@contextmanager
def service(scratch: Path, settings: Mapping[str, float] = NOTHING_SET, workers: int = 1) -> Iterator[Started]:
    """The champion's service on a free port; `settings`: ETALAGE_SERVICE_... that are not as they are by default."""
    port = free_port()
    command = [sys.executable, "-m", "flows", "serve", "--host", HOST, "--port", str(port), "--workers", str(workers)]
    environment = os.environ | {f"ETALAGE_SERVICE_{name.upper()}": str(value) for name, value in settings.items()}
    with started(command, environment, port, SERVICE_READY, scratch / f"service-{port}.log") as server:
        yield server


def with_room(clients: int) -> dict[str, float]:
    """Settings of a service that refuses none of so many clients."""
    return {"queue": clients, "patience": 10 * clients}


@contextmanager
def peer(scratch: Path, store: Path) -> Iterator[Started]:
    """The search by hand on a free port, over the store that peer_store.write_store made."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.serving.peer", str(store), str(port)]
    with started(command, os.environ, port, PEER_READY, scratch / f"peer-{port}.log") as server:
        yield server


def require_todays_code() -> str:
    """The champion's release. Raises NotReady when its Bento holds other code than this tree, ReleaseNotFound."""
    home = SearchSettings().home
    release = ReleaseStore(home).champion_manifest().release
    folder = ReleaseStore(home).folder(release)
    with tempfile.TemporaryDirectory(prefix="etalage-benchmark-") as staged:
        stage_files(folder, Path(staged))
        if built_content(bento_folder(tag_of(release), home)) != digest(Path(staged)):
            raise NotReady(
                f"The Bento of {release} is not of this tree's code: `python -m bento.packing.build {folder}` builds "
                "it again."
            )
    return release


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
