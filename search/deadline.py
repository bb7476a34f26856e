"""When the store must have answered everything of one query; a query asks it several times.

    with answered_by(time.monotonic() + 1.5):
        engine.search(query)

Only a store over the network looks: rows in this process answer at once.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from catalog.errors import NotReady

_moment: ContextVar[float | None] = ContextVar("moment", default=None)


@contextmanager
def answered_by(moment: float) -> Iterator[None]:
    """What is asked of the store in this block, in this thread, must be answered before `moment` (time.monotonic)."""
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)


def spare(most: float) -> float:
    """Seconds that what is not needed for the answer may take: half of what is left, never more than `most`."""
    moment = _moment.get()
    return most if moment is None else max(0.0, min(most, (moment - time.monotonic()) / 2))


def seconds_left(most: float) -> float:
    """How long the next call may take: what is left until the moment, never more than `most`. Raises NotReady: none."""
    moment = _moment.get()
    if moment is None:
        return most
    left = moment - time.monotonic()
    if left <= 0:
        raise NotReady("The query's time was over before the product store was asked: try again.")
    return min(left, most)
