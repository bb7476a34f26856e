"""Keeps one release served on a socket that never closes, and moves to another without losing a request.

    start workers of the new release -> all are ready -> they accept -> the old ones drain and end

The socket is the supervisor's: what arrives while workers change waits in the kernel for the next one.
"""

import asyncio
import logging
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Sequence

from catalog.errors import EtalageError
from flows.serving.workers import Worker

logger = logging.getLogger("etalage.supervisor")

LOOK = 1.0
"""Seconds between two looks at who is the champion."""
GRACE = 5.0
"""Seconds that a worker may take beyond its own limit to end."""

FAILURES = (EtalageError, OSError)

Start = Callable[[str, socket.socket, Callable[[], None]], Awaitable[Worker]]


class Pause:
    """How long to wait after failures in a row: `first` seconds, then twice as long each time, up to `most`."""

    def __init__(self, first: float, most: float) -> None:
        self._first, self._most = first, most
        self.over()

    def over(self) -> None:
        """It worked: the next failure is the first one."""
        self._next, self._until = self._first, 0.0

    def begin(self) -> float:
        """A failure. Returns the seconds to wait now."""
        wait, self._next = self._next, min(2 * self._next, self._most)
        self._until = time.monotonic() + wait
        return wait

    def lasts(self) -> bool:
        """Whether it is too early to try again."""
        return time.monotonic() < self._until


class Supervisor:
    """Serves the release that `wanted` names on `listener`, by `count` workers that `start` starts; a refresh of a
    release has a name of its own (flows.refreshing.freshness).

    `wanted` may raise EtalageError: then whoever answers goes on. `ready_timeout` and `drain_timeout` are in seconds.
    """

    def __init__(
        self,
        listener: socket.socket,
        wanted: Callable[[], str],
        start: Start,
        ready_timeout: float,
        drain_timeout: float,
        count: int = 1,
    ) -> None:
        self._listener = listener
        self._wanted = wanted
        self._start = start
        self._ready_timeout = ready_timeout
        self._drain_timeout = drain_timeout
        self._count = count
        self._serving: list[Worker] = []
        """All of one release, accepting once they are ready; fewer than `count` while a dead one is not replaced."""
        self._coming: list[Worker] = []
        """None of them accepts before all `count` are ready, so an answer never depends on who gave it."""
        self._leaving: list[Worker] = []
        self._restart = Pause(first=0.5, most=30.0)
        self._retry = Pause(first=5.0, most=60.0)
        self._aim = ""
        """The release that was wanted at the last look."""
        self._answering = ""
        """The release that was ready last: a worker that dies is replaced by another of it."""
        self._complaint = ""
        self._changed = asyncio.Event()
        self._signals: list[int] = []

    async def run(self) -> int:
        """Serve until SIGTERM or SIGINT, then drain. Returns the exit code: 0, or 128 + n where signal n cut it short.

        Raises what `wanted` and `start` raise before there is anything to serve.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled, number)
        self._aim = self._wanted()
        await self._begin(self._aim)
        while not self._signals:
            await self._keep_answering()
            await self._follow()
            self._see_off()
            await self._pause()
        return await self._end()

    async def _begin(self, release: str) -> None:
        """Workers up to `count`. Where nobody answers, the first one does at once, if only that it is not ready."""
        while len(self._serving) < self._count:
            worker = await self._started(release)
            if not self._serving:
                worker.accept()
            self._serving.append(worker)

    async def _started(self, release: str) -> Worker:
        worker = await self._start(release, self._listener, self._changed.set)
        logger.info("release %s is started in process %d", release, worker.pid)
        return worker

    async def _keep_answering(self) -> None:
        dead = [worker for worker in self._serving if worker.ended is not None]
        for worker in dead:
            self._serving.remove(worker)
            wait = self._restart.begin()
            logger.error("release %s ended with %d: again in %g s", worker.release, worker.ended, wait)
        for worker in self._serving:
            if worker.ready:
                worker.accept()
        if _all_ready(self._serving, self._count):
            if self._answering != (release := self._serving[0].release):
                self._answering = release
                logger.info("release %s is ready after %.1f s", release, _age(self._serving))
            if _age(self._serving) > GRACE:
                self._restart.over()
        if len(self._serving) < self._count and not self._restart.lasts():
            try:
                await self._begin(self._serving[0].release if self._serving else self._answering or self._aim)
            except FAILURES as error:
                short = "a worker is missing" if self._serving else "nothing answers"
                logger.error("%s: %s Again in %g s.", short, error, self._restart.begin())
                self._answering = ""  # its Bento is gone: the champion's is next

    async def _follow(self) -> None:
        """Bring the wanted release up beside the one that answers, and change over when it is ready."""
        try:
            wanted = self._wanted()
        except FAILURES as error:
            self._complain(f"the champion is not known: {error}")
            return
        if wanted != self._aim:
            logger.info("release %s is to answer", wanted)
            self._aim = wanted
            self._retry.over()
            self._give_up_coming()
        self._complaint = ""
        now = self._serving[0].release if self._serving else self._answering or wanted
        if wanted == now:
            self._give_up_coming()
            return
        if self._retry.lasts():
            return
        ended = [worker for worker in self._coming if worker.ended is not None]
        if not self._coming:
            try:
                while len(self._coming) < self._count:
                    self._coming.append(await self._started(wanted))
            except FAILURES as error:
                self._refuse(str(error))
        elif ended:
            self._refuse(f"It ended with {ended[0].ended} before it was ready: {ended[0].reason}")
        elif _all_ready(self._coming, self._count):
            self._change_over()
        elif _age(self._coming) > self._ready_timeout:
            waiting = next(worker for worker in self._coming if not worker.ready)
            self._refuse(f"It was not ready after {self._ready_timeout:g} s: {waiting.reason}")

    def _change_over(self) -> None:
        for worker in self._coming:
            worker.accept()
        release = self._coming[0].release
        logger.info("release %s answers instead of %s, after %.1f s", release, self._answering, _age(self._coming))
        self._drain_serving()
        self._serving, self._coming, self._answering = self._coming, [], release
        self._retry.over()
        self._restart.over()

    def _drain_serving(self) -> None:
        for worker in self._serving:
            worker.drain()
        self._leaving += self._serving
        self._serving = []

    def _refuse(self, why: str) -> None:
        """The wanted release does not come up: whoever answers goes on, and it is tried again."""
        self._give_up_coming()
        still = self._serving[0].release if self._serving else "nobody"
        wait = self._retry.begin()
        logger.error("RELEASE %s DOES NOT ANSWER, %s still does: %s Again in %g s.", self._aim, still, why, wait)

    def _give_up_coming(self) -> None:
        for worker in self._coming:
            worker.kill()
        self._coming = []

    def _see_off(self) -> None:
        for worker in list(self._leaving):
            if worker.ended is not None:
                self._leaving.remove(worker)
                if worker.ended == 0:
                    logger.info("release %s has drained in %.1f s", worker.release, worker.age())
                else:
                    logger.error("release %s ended with %d while it drained", worker.release, worker.ended)
            elif worker.age() > self._drain_timeout + GRACE:
                logger.error("release %s did not end in time and is killed", worker.release)
                worker.kill()

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._changed.wait(), LOOK)
        except TimeoutError:
            return
        self._changed.clear()

    async def _end(self) -> int:
        """Nothing is accepted any more; what was is answered."""
        self._give_up_coming()
        # Ours goes first: the worker that closes the last one takes what still waits in the kernel before it does.
        self._listener.close()
        self._drain_serving()
        logger.info("told to end: nothing is accepted any more, and what was accepted is answered")
        while self._leaving and len(self._signals) == 1:
            self._see_off()
            await self._pause()
        for worker in self._leaving:
            worker.kill()
            await worker.gone()
        return 128 + self._signals[-1] if len(self._signals) > 1 else 0

    def _signalled(self, number: int) -> None:
        self._signals.append(number)
        self._changed.set()

    def _complain(self, sentence: str) -> None:
        if sentence != self._complaint:
            self._complaint = sentence
            logger.error("%s", sentence)


def _all_ready(workers: Sequence[Worker], count: int) -> bool:
    return len(workers) == count and all(worker.ready for worker in workers)


def _age(workers: Sequence[Worker]) -> float:
    """Seconds since the last of them was started."""
    return min(worker.age() for worker in workers)
