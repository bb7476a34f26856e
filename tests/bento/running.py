"""A Bento that is really built from a small release, and served by `bentoml serve` in a process of its own."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn

from bento.packing.build import build_bento
from bento.process.serve import serve_command
from catalog.products import Product
from search.contents import sealed
from search.logic import SearchLogic
from search.milvus.store import MilvusStore
from search.release import write_manifest
from tests.bento.tiny_encoder import write_tiny_encoder
from tests.bento.world import catalogue, make_manifest, make_rows

RELEASE = "r20261121-1"
TAG = f"etalage:{RELEASE}"
IMAGE_HOSTS = "photos.example,*.cdn.example,localhost,169.254.169.254,[::1]"
"""Allowed in image URLs, so that what is refused there is refused for another reason than the list."""
BODY_SECONDS = 3
"""How long the service waits for a body: short, so that the tests of dripping bodies are."""


@dataclass(frozen=True)
class Shop:
    """A home with one release that is built and indexed."""

    home: Path
    release: Path
    store: MilvusStore


@dataclass(frozen=True)
class Served:
    """A running service."""

    client: httpx.Client
    port: int
    worker: int
    seconds_to_ready: float


def make_shop(home: Path, release: str = RELEASE, products: Sequence[Product] | None = None) -> Shop:
    """A release of `products` with its rows in an embedded store, built into a Bento."""
    folder = home / "releases" / release
    encoder = write_tiny_encoder(folder / "encoder")
    (folder / "encoder" / "baseline").mkdir()
    (folder / "encoder" / "baseline" / "text.onnx").write_bytes(b"not for serving")
    SearchLogic().save(folder / "ranking")
    store = MilvusStore(str(home / "milvus" / "etalage.db"))
    name = store.write(make_rows(products or catalogue(), encoder), release)
    write_manifest(sealed(make_manifest(release, encoder.fingerprint, name), folder), folder)
    assert build_bento(folder, home) == f"etalage:{release}"
    return Shop(home, folder, store)


@contextmanager
def serving(shop: Shop, log: Path | None = None, **variables: str) -> Iterator[Served]:
    """The service of a shop while it runs, with `variables` in its environment; `log`: service.log of the shop."""
    port = free_port()
    command, environment = serve_command(TAG, shop.home, port=port)
    environment |= {"OMP_NUM_THREADS": "1", "ETALAGE_SERVICE_BODY_TIMEOUT": str(BODY_SECONDS)}
    environment |= {"ETALAGE_SERVICE_IMAGE_HOSTS": IMAGE_HOSTS, **variables}
    path = log or shop.home / "service.log"
    started = time.monotonic()
    with path.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out, start_new_session=True)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20)
    try:
        while not is_ready(client):
            assert process.poll() is None and time.monotonic() - started < 120, path.read_text(errors="replace")
            time.sleep(0.1)
        seconds = time.monotonic() - started
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        workers = [int(pid) for pid in children if b"worker.service" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        yield Served(client, port, workers[0], seconds)
    finally:
        client.close()
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def listening(server: uvicorn.Server) -> Iterator[str]:
    """The address of `server` while it serves from a thread. It listens from the beginning: nobody has to wait."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_ready(client: httpx.Client) -> bool:
    """Whether the service answers its probe query."""
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False
