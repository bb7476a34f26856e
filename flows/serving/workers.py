"""A worker process that serves one release, seen from the supervisor: bento/process/worker.py is its other half."""

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from bento.process.serve import worker_command
from flows.packaging import tag_of
from flows.refreshing.freshness import release_of
from search.in_use import hold


class Worker:
    """A process that was started. `changed` is called whenever there is something new to see here."""

    def __init__(
        self, release: str, process: asyncio.subprocess.Process, told: socket.socket, changed: Callable[[], None]
    ) -> None:
        self.release = release
        self.pid = process.pid
        self.ready = False
        self.reason = "It is being started."
        """Why it is not ready."""
        self.since = time.monotonic()
        """When it was started, or told to drain."""
        self._accepting = False
        self._process = process
        self._told = told
        self._changed = changed
        self._tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._watch())]

    @property
    def ended(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.returncode

    def age(self) -> float:
        """Seconds since it was started, or told to drain."""
        return time.monotonic() - self.since

    def accept(self) -> None:
        """Let it take connections, at once or as soon as it can. Once told, it is not told again."""
        if not self._accepting:
            self._accepting = True
            with contextlib.suppress(OSError):  # it has ended, and that is seen elsewhere
                self._told.send(b"accept\n")

    def drain(self) -> None:
        """Let it answer what it has accepted, and end."""
        self.since = time.monotonic()
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it now. Nothing is lost if it was never told to accept."""
        self._signal(signal.SIGKILL)

    async def gone(self) -> None:
        """Wait until it has ended."""
        await self._process.wait()

    async def _hear(self) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=self._told)
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                word, _, reason = line.decode().strip().partition(" ")
                self.ready, self.reason = word == "ready", reason
                self._changed()
        writer.close()

    async def _watch(self) -> None:
        await self._process.wait()
        self._changed()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)


async def start_worker(
    served: str, home: Path, listener: socket.socket, changed: Callable[[], None], metrics: Path | None = None
) -> Worker:
    """Start a process of a release's Bento that may accept on `listener`. Raises ReleaseNotFound without a Bento,
    NotReady while `etalage gc` removes it.

    `served` names release and refresh (flows.refreshing.freshness). `metrics`: a folder that it shares with others, so
    that each tells in /metrics what all of them counted. It has a session of its own: a key pressed in the terminal is
    for the supervisor, who tells the workers.
    """
    release = release_of(served)
    ours, theirs = socket.socketpair()
    with theirs, hold(home, release) as held:  # from now on, and in a Bento whose own code does not know of it
        files = (listener.fileno(), theirs.fileno())
        try:
            command, folder, environment = worker_command(tag_of(release), home, *files)
            if metrics is not None:
                environment["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=folder,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(*files, held.fileno()),
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
    return Worker(served, process, ours, changed)
