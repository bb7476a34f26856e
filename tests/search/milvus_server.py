"""A Milvus server for tests: milvus-lite's own, over the network, in a process that can be hung, killed and started."""

import os
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from catalog.errors import NotReady
from search.milvus.store import MilvusStore


class MilvusServer:
    """One data folder and one port, whatever happens to the process. End it with `stop` or `kill`."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.folder = folder
        self.uri = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "MilvusServer":
        """Start the process and wait until it answers."""
        program = str(Path(sys.executable).with_name("milvus-lite"))
        arguments = [program, "server", "--data-dir", str(self.folder), "--host", "127.0.0.1"]
        arguments += ["--port", str(self.port), "--max-workers", "1"]
        with self.folder.with_suffix(".log").open("ab") as log:
            # a shell without job control has its children ignore SIGINT, by which the server is ended in order
            heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
            self._process = subprocess.Popen(arguments, stdout=log, stderr=log, preexec_fn=heard)
        for _ in range(60):
            store = MilvusStore(self.uri, timeout_s=1.0)
            try:
                store.releases()
                return self
            except NotReady:
                assert self._process.poll() is None, "the server ended before it answered"
                time.sleep(0.5)
            finally:
                store.close()
        raise AssertionError("the server did not answer in time")

    def __enter__(self) -> "MilvusServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def hang(self) -> None:
        """Let it hold its connections and answer nothing, until `go_on`."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End a `hang`."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order, if it runs."""
        if self._process is not None:
            self.go_on()
            self._end(signal.SIGINT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "the server does not run"
        os.kill(self._process.pid, number)

    def _end(self, number: signal.Signals) -> None:
        self._signal(number)
        assert self._process is not None
        self._process.wait(60)
        self._process = None
