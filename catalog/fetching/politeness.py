"""What one host is asked: so many pictures at a time, none while it wants to be left alone, none once it is gone."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from catalog.errors import UrlFailed

Pause = Callable[[float], Awaitable[None]]
"""Seconds to wait, as asyncio.sleep."""


class Host:
    """One host during one ingest. `slots` are how many of its pictures are asked for at the same time."""

    def __init__(self, per_host: int, give_up: int, pause: Pause) -> None:
        self.slots = asyncio.Semaphore(per_host)
        self._give_up = give_up
        self._pause = pause
        self._silent = 0
        self._closed_until = 0.0

    @property
    def gone(self) -> bool:
        """Whether it has left so many attempts in a row unanswered that no more are worth their time."""
        return self._silent >= self._give_up

    async def open(self) -> None:
        """Waits as long as the host asked everybody to."""
        left = self._closed_until - time.monotonic()
        if left > 0:
            await self._pause(left)

    def answered(self) -> None:
        """It sent something, be it a refusal."""
        self._silent = 0

    def failed(self, error: UrlFailed) -> None:
        """It gave no picture: because it did not answer, or by what it answered."""
        if error.again and error.status is None:
            self._silent += 1
        else:
            self.answered()
        if error.wait is not None:
            self._closed_until = max(self._closed_until, time.monotonic() + error.wait)
