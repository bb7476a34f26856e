"""A Prefect server for the commands of all worlds: without one, each command starts its own and takes it down again."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.serving.servers import HOST, free_port
from catalog.errors import NotReady

_LONGEST_START = 240.0


@contextmanager
def prefect_server(home: Path) -> Iterator[str]:
    """The address of its API, for this block; its database lies in `home`. Raises NotReady when it does not start."""
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment |= {"PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)]
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + _LONGEST_START
        while not _answers(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise NotReady(f"The Prefect server did not start: see {home / 'server.log'}.")
            time.sleep(0.3)
        yield f"http://{HOST}:{port}/api"
    finally:
        server.terminate()
        server.wait()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
