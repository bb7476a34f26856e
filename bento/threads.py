"""Where queries run: a few threads and a bounded queue, so that the event loop never waits for an engine."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from bento.errors import Busy, TooSlow

Result = TypeVar("Result")


class QueryThreads:
    """`threads` queries run, `queue` more may wait. `in_flight` counts both, until the thread is really free."""

    def __init__(
        self,
        threads: int,
        queue: int,
        timeout: float,
        name: str = "query",
        told: Callable[[int, int], None] | None = None,
    ) -> None:
        """`timeout` in seconds. `told` hears of every change: how many are in flight, and how many of them wait."""
        self.threads = threads
        self.limit = threads + queue
        self._told = told
        self.timeout = timeout
        self.in_flight = 0
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, work: Callable[[], Result]) -> tuple[Result, float]:
        """The result of `work` and the seconds it waited for a thread.

        Raises Busy at once when the queue is full, TooSlow after `timeout` seconds, and what `work` raises.
        A query that is too slow keeps its place until its thread is done with it: a thread cannot be stopped.
        """
        if self.in_flight >= self.limit:
            raise Busy("The service is answering as many queries as it can: try again in a second.")
        loop = asyncio.get_running_loop()
        asked = time.perf_counter()

        def timed() -> tuple[Result, float]:
            waited = time.perf_counter() - asked
            return work(), waited

        future = self._executor.submit(timed)
        self._count(1)

        def leave(_: Future[tuple[Result, float]]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._count, -1)

        future.add_done_callback(leave)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self.timeout)
        except TimeoutError:
            raise TooSlow(f"The query was not answered within {self.timeout:g} seconds: try again.") from None

    def _count(self, change: int) -> None:
        self.in_flight += change
        if self._told is not None:
            self._told(self.in_flight, max(0, self.in_flight - self.threads))

    def close(self) -> None:
        """Take no more work; queued work is dropped, running work is left to end."""
        self._executor.shutdown(wait=False, cancel_futures=True)
