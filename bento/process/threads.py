"""Where queries run: a few threads behind an Admission, so that the event loop never waits for an engine."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from bento.errors import TooSlow
from bento.process.admission import Admission, Place

Result = TypeVar("Result")


class QueryThreads:
    """The threads of an Admission. A query has its place until its thread is really free."""

    def __init__(
        self,
        admission: Admission,
        timeout: float,
        name: str = "query",
        told: Callable[[Admission], None] | None = None,
    ) -> None:
        """`timeout` in seconds. `told` hears of every query that comes or goes."""
        self.admission = admission
        self._told = told
        self.timeout = timeout
        self._executor = ThreadPoolExecutor(admission.threads, thread_name_prefix=name)

    async def run(self, work: Callable[[], Result], kind: str = "") -> tuple[Result, float]:
        """The result of `work` and the seconds it waited for a thread. `kind`: queries of one kind take about as long.

        Raises Busy at once when it is not let in, TooSlow after `timeout` seconds, and what `work` raises.
        A query that is too slow keeps its place until its thread is done with it: a thread cannot be stopped.
        """
        loop, clock = asyncio.get_running_loop(), self.admission.clock
        place = self.admission.enter(kind)
        asked = clock()

        def timed() -> tuple[Result, float]:
            place.began = began = clock()
            try:
                result = work()
                place.answered = True
            finally:
                place.ended = clock()
            return result, began - asked

        def leave(_: Future[tuple[Result, float]]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._left, place)

        future = self._executor.submit(timed)
        self._tell()
        future.add_done_callback(leave)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self.timeout)
        except TimeoutError:
            raise TooSlow(f"The query was not answered within {self.timeout:g} seconds: try again.") from None

    def _left(self, place: Place) -> None:
        self.admission.leave(place)
        self._tell()

    def _tell(self) -> None:
        if self._told is not None:
            self._told(self.admission)

    def close(self) -> None:
        """Take no more work; queued work is dropped, running work is left to end."""
        self._executor.shutdown(wait=False, cancel_futures=True)
