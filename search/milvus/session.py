"""Connections to Milvus: to a server for as long as wanted, to the embedded store for one piece of work.

Milvus Lite gives its folder to one process at a time and keeps it until the process ends. A session takes it, waits
with a limit while another process has it, and hands it back.
"""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
from milvus_lite.server_manager import server_manager_instance
from pymilvus import MilvusClient, MilvusException
from pymilvus.client.types import Status

from catalog.errors import NotReady, StoreAway
from search.stored import check_path, taken

_GRPC = {"grpc.keepalive_time_ms": 600_000, "grpc.keepalive_permit_without_calls": 0}  # Lite complains of pings
_LOCK_FILE = "LOCK"
_PAUSE = 0.1

_UNLOADED = "does not have the release's collection loaded"
_AWAY: dict[object, str] = {
    grpc.StatusCode.DEADLINE_EXCEEDED: "does not answer in time",
    grpc.StatusCode.UNAVAILABLE: "cannot be reached",
    grpc.StatusCode.CANCELLED: "cannot be reached",
    Status.CONNECT_FAILED: "cannot be reached",
    100: _UNLOADED,  # Milvus' own codes: no such collection, and one that is not loaded
    101: _UNLOADED,
}
"""Code -> how the store is away. Every other code is about one request, and must not close the service to all."""

_locks: dict[str, threading.Lock] = {}
_locks_guard = threading.Lock()


@contextmanager
def embedded(path: Path, wait_s: float) -> Iterator[MilvusClient]:
    """The embedded store at `path`, for this block alone. Raises NotReady when it stays in other hands for `wait_s`."""
    _quiet()
    check_path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_s
    lock = _lock_of(path)
    if not lock.acquire(timeout=wait_s):
        raise taken(path, wait_s)
    try:
        client = _open(path, deadline, wait_s)
        try:
            with answering(str(path)):
                yield client
        finally:
            client.close()
            server_manager_instance.release_server(str(path))
    finally:
        lock.release()


def connect(uri: str, token: str, timeout_s: float, own: bool = False) -> MilvusClient:
    """A client of the server at `uri`, with a connection of its `own` or the one that this process has already.

    Only closing its own connection gets rid of one that leads nowhere. Raises StoreAway when it does not answer.
    """
    _quiet()
    with answering(uri):
        return MilvusClient(uri=uri, token=token, timeout=timeout_s, grpc_options=_GRPC, dedicated=own)


@contextmanager
def answering(where: str) -> Iterator[None]:
    """Turn what pymilvus and gRPC raise into NotReady with one sentence; StoreAway where nobody answers."""
    try:
        yield
    except grpc.RpcError as error:  # pymilvus passes on what it does not try again, such as a deadline
        raise _told(where, error.code(), f"{error.code().name} {error.details()}") from error
    except MilvusException as error:
        raise _told(where, error.code, str(error.message or error).strip().splitlines()[0]) from error


def _told(where: str, code: object, reason: str) -> NotReady:
    sentence = f"Milvus at {where} did not do what it was asked: {reason[:300]}"
    how = _AWAY.get(code)
    return NotReady(sentence) if how is None else StoreAway(sentence, how)


def _open(path: Path, deadline: float, wait_s: float) -> MilvusClient:
    while True:
        try:
            return MilvusClient(str(path), grpc_options=_GRPC)
        except MilvusException as error:
            server_manager_instance.release_server(str(path))
            if not _held_elsewhere(path):
                raise NotReady(f"The embedded Milvus store {path} cannot be opened: {error.message}.") from error
        if time.monotonic() >= deadline:
            raise taken(path, wait_s)
        time.sleep(_PAUSE)


def _held_elsewhere(path: Path) -> bool:
    try:
        descriptor = os.open(path / _LOCK_FILE, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _lock_of(path: Path) -> threading.Lock:
    with _locks_guard:
        return _locks.setdefault(str(path.resolve()), threading.Lock())


def _quiet() -> None:
    """What these log at ERROR they also raise; it is told once, where it is caught."""
    for name in ("pymilvus", "milvus_lite"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
