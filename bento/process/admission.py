"""Which queries may come in: those that are expected to wait no longer than a query usually takes.

A queue with a fixed length has no right length: with two threads, 32 places are 16 service times of waiting. Here the
wait of the next query is worked out from what is ahead of it, and the longest wait is that of `patience` usual queries
shared by the threads: measured, so it is right on any machine and for any mix of queries.

- CoDel (Nichols and Jacobson, Controlling Queue Delay, ACM Queue 2012): bound the time in the queue, not its length.
- gradient limits (concurrency-limits, Netflix 2018): measure "usual" while nobody waits, so that a storm, in which
  everything takes longer, does not raise the bound.
"""

import heapq
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from bento.errors import Busy

RECENT = 0.1
"""Weight of the newest query in what its kind takes now: the last ten count."""
USUAL = 0.02
"""Weight of the newest query in what any query usually takes: the last fifty that found a free thread."""

LONGEST_AFTER = 60
"""Most seconds that a refusal tells its caller to stay away."""


@dataclass(eq=False, slots=True)
class Place:
    """One query that runs or waits. Times in seconds of the clock; `began` is None while it waits."""

    kind: str
    calm: bool
    began: float | None = None
    ended: float | None = None
    answered: bool = False


class Admission:
    """Keeps the places of `threads` running queries and of those that wait. The event loop asks; threads only mark."""

    def __init__(self, threads: int, queue: int, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`queue`: most that wait, ever. `patience`: usual queries that all threads together
        may have before the next one."""
        self.threads = threads
        self.limit = threads + queue
        self.patience = patience
        self.clock = clock
        self.usual: float | None = None
        self._recent: dict[str, float] = {}
        self._places: dict[Place, None] = {}  # in the order in which they came

    @property
    def in_flight(self) -> int:
        """Queries that run or wait."""
        return len(self._places)

    @property
    def longest_wait(self) -> float | None:
        """Seconds that a query may be expected to wait at most; None until the first one was measured."""
        return None if self.usual is None else self.patience * self.usual / self.threads

    def expected_wait(self) -> float:
        """Seconds until a thread is free for the next query, if every query takes what its kind took lately.

        A query that is overdue is expected to stay overdue for as long again: a hung one soon stands for a long wait.
        """
        now = self.clock()
        free, waiting = [], []
        for place in self._places:
            takes = self._recent.get(place.kind, self.usual or 0.0)
            if place.began is None:
                waiting.append(takes)
            elif place.ended is None:
                free.append(abs(takes - (now - place.began)))
        free += [0.0] * (self.threads - len(free))
        heapq.heapify(free)
        for takes in waiting:
            heapq.heapreplace(free, free[0] + takes)
        return free[0]

    def check(self) -> None:
        """Raise Busy if the next query has to stay out; a query that finds a free thread never has to."""
        if self.in_flight < self.threads:
            return
        wait, most = self.expected_wait(), self.longest_wait
        if most is not None and wait > most:
            raise _busy(wait - most)
        if self.in_flight >= self.limit:
            raise _busy(wait)

    def enter(self, kind: str) -> Place:
        """Take a place for a query that is of `kind`, as far as it is known before it is read. Raises Busy."""
        self.check()
        place = Place(kind, calm=self.in_flight < self.threads)
        self._places[place] = None
        return place

    def leave(self, place: Place) -> None:
        """Give the place back, and learn from it if its query was answered."""
        del self._places[place]
        if not place.answered or place.began is None or place.ended is None:
            return
        took = place.ended - place.began
        self._recent[place.kind] = _moved(self._recent.get(place.kind), took, RECENT)
        if place.calm:
            self.usual = _moved(self.usual, took, USUAL)


def _busy(seconds: float) -> Busy:
    sentence = "The service is answering as many queries as it can: Retry-After says when to try again."
    return Busy(sentence, min(LONGEST_AFTER, max(1, math.ceil(seconds))))


def _moved(average: float | None, newest: float, weight: float) -> float:
    return newest if average is None else average + weight * (newest - average)
