"""Queries over threads in a world where time is a number: who comes in, who waits how long, who is sent away."""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from bento.errors import Busy
from bento.process.admission import Admission, Place

Took = Callable[[str, random.Random], float]


@dataclass
class Outcome:
    """Latencies of what was accepted, and how many were refused."""

    latencies: list[float] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    """Retry-After of each."""

    def p99(self) -> float:
        return float(np.percentile(self.latencies, 99))

    def share_refused(self) -> float:
        return len(self.refused) / (len(self.refused) + len(self.latencies))


class Simulation:
    """Poisson arrivals at an Admission; `took` draws the seconds that a query of a kind takes."""

    def __init__(self, took: Took, kinds: Callable[[random.Random], str], threads: int, queue: int, patience: float):
        self.now = 0.0
        self.took, self.kinds = took, kinds
        self.admission = Admission(threads, queue, patience, clock=lambda: self.now)
        self.luck = random.Random(5)
        self.idle = threads
        self.waiting: list[tuple[Place, float]] = []
        self.running: list[tuple[float, int, Place, float]] = []
        self.order = itertools.count()

    def run(self, rate: float, seconds: float, slower: float = 1.0) -> Outcome:
        """Let queries arrive at `rate` for `seconds`; each takes `slower` times as long as drawn. Then wait for all."""
        outcome, until = Outcome(), self.now + seconds
        arrival = self.now + self.luck.expovariate(rate)
        while arrival < until or self.running:
            if self.running and (arrival >= until or self.running[0][0] <= arrival):
                self._leave(outcome, slower)
                continue
            self.now = arrival
            arrival += self.luck.expovariate(rate)
            try:
                place = self.admission.enter(self.kinds(self.luck))
            except Busy as busy:
                outcome.refused.append(int(busy.headers["Retry-After"]))
                continue
            self.waiting.append((place, self.now))
            self._begin(slower)
        return outcome

    def _begin(self, slower: float) -> None:
        while self.waiting and self.idle:
            place, came = self.waiting.pop(0)
            self.idle -= 1
            place.began = self.now
            ends = self.now + slower * self.took(place.kind, self.luck)
            heapq.heappush(self.running, (ends, next(self.order), place, came))

    def _leave(self, outcome: Outcome, slower: float) -> None:
        self.now, _, place, came = heapq.heappop(self.running)
        place.ended, place.answered = self.now, True
        self.admission.leave(place)
        self.idle += 1
        outcome.latencies.append(self.now - came)
        self._begin(slower)
