"""A Milvus server for the tests: milvus-lite's own, over the network, in a process that is ended by its id."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.errors import NotReady
from search.milvus import MilvusStore


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URI of a running server with an empty store."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("server")
    program = str(Path(sys.executable).with_name("milvus-lite"))
    arguments = [program, "server", "--data-dir", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    with (folder.parent / "server.log").open("wb") as log:
        process = subprocess.Popen([*arguments, "--max-workers", "1"], stdout=log, stderr=log)
    uri = f"http://127.0.0.1:{port}"
    try:
        _wait_for(uri, process)
        yield uri
    finally:
        os.kill(process.pid, signal.SIGINT)
        process.wait(20)


def _wait_for(uri: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(60):
        store = MilvusStore(uri, timeout_s=1.0)
        try:
            store.releases()
            return
        except NotReady:
            assert process.poll() is None, "the server ended before it answered"
            time.sleep(0.5)
        finally:
            store.close()
    raise AssertionError("the server did not answer in time")
