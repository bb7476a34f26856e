"""How often one caller may ask: a token bucket each, in this process only (two workers allow twice as much)."""

import time
from collections import OrderedDict
from collections.abc import Callable

MAX_CALLERS = 10_000
"""Callers remembered; the one who asked longest ago is forgotten first, and starts again with a full bucket."""


class TokenBuckets:
    """`rate` tokens a second flow into every caller's bucket, which holds `burst`; a request takes one.

    `clock` tells seconds. Not for several threads: the event loop asks.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self.burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> float:
        """Take one token. Returns 0, or the seconds until there is one; then nothing was taken."""
        now = self._clock()
        tokens, at = self._buckets.pop(caller, (float(self.burst), now))
        tokens = min(float(self.burst), tokens + (now - at) * self.rate)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self.rate
        self._buckets[caller] = (tokens - (0 if wait else 1), now)
        if len(self._buckets) > MAX_CALLERS:
            self._buckets.popitem(last=False)
        return wait
