"""A server is started, waited for, measured with its children, and gone afterwards."""

import os
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.serving.process import started
from benchmarks.serving.servers import free_port
from catalog.errors import NotReady

SERVER = """
import http.server, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; held = bytearray(50_000_000); time.sleep(600)"])
handler = http.server.SimpleHTTPRequestHandler
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), handler).serve_forever()
"""


def test_a_server_is_measured_with_its_children_and_leaves_none(tmp_path: Path) -> None:
    port = free_port()
    with started([sys.executable, "-c", SERVER, str(port)], os.environ, port, "/", tmp_path / "log") as server:
        tree = server.tree()
        assert len(tree) == 2
        assert server.rss_mb() >= sum(process.memory_info().rss for process in tree[:1]) / 2**20
        assert 0 < server.pss_mb() <= server.rss_mb() + 1
        assert server.cpu_seconds() > 0 and server.start_seconds > 0
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in tree)


def test_a_server_that_ends_at_once_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-c", "raise SystemExit('no store here')"]
    with pytest.raises(NotReady, match="no store here"), started(command, os.environ, port, "/", tmp_path / "log"):
        pass
