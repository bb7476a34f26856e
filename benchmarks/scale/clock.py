"""Timing a way to search beside exact numpy: rounds that take turns, so that what else the machine does hits both."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.scale.exact import ExactNumpy
from benchmarks.scale.world import DEAREST, Floats, World, word_queries

LIMIT = 10
SHARES = (1.0, 0.5, 0.1, 0.01, 0.001)  # of the products that pass the filter; 1: no filter
_SAME = 2e-6  # two scores nearer than this are a tie: stores round to six decimals
_WARM = 5


class Searches(Protocol):
    """A way to search."""

    def search(self, query: Floats, limit: int, below: float | None) -> NDArray[np.intp]:
        """See ExactNumpy."""


class SearchesWords(Protocol):
    """A way that has a lexical leg."""

    def words(self, query: str, limit: int) -> NDArray[np.intp]:
        """Rows, best first."""


@dataclass(frozen=True)
class Measured:
    """One row of the table. Milliseconds are medians over the rounds, `ratio` is p50 over that of exact numpy.

    `recall` is recall@10, None where there is no truth to compare with.
    """

    recall: float | None
    p50: float
    p95: float
    ratio: float


def measure(way: Searches, world: World, share: float, rounds: int) -> Measured:
    """`way` with a filter that lets `share` of the products through, against exact numpy with the same filter."""
    exact, below = ExactNumpy(world), None if share == 1.0 else share * DEAREST
    found = [way.search(query, LIMIT, below) for query in world.queries]
    calls = [_each(each, world.queries, below) for each in (way, exact)]
    p50, p95, ratio = in_turns(calls[0], calls[1], rounds)
    return Measured(recall(found, exact, world, below), p50, p95, ratio)


def measure_words(way: SearchesWords, world: World, rounds: int) -> Measured:
    """The lexical leg, as many queries, against exact numpy with vectors: what the other leg of a query costs."""
    asked = word_queries(len(world.queries))
    own: list[Callable[[], object]] = [lambda words=words: way.words(words, LIMIT) for words in asked]  # type: ignore[misc]
    p50, p95, ratio = in_turns(own, _each(ExactNumpy(world), world.queries, None), rounds)
    return Measured(None, p50, p95, ratio)


def in_turns(
    own: Sequence[Callable[[], object]], peer: Sequence[Callable[[], object]], rounds: int
) -> tuple[float, float, float]:
    """p50 and p95 of `own` in ms, and its p50 over that of `peer`: medians over rounds, each of which runs both."""
    for call in (*own[:_WARM], *peer[:_WARM]):
        call()
    took = [([_timed(call) for call in own], [_timed(call) for call in peer]) for _ in range(rounds)]
    return (
        median(median(mine) for mine, _ in took),
        median(float(np.percentile(mine, 95)) for mine, _ in took),
        median(median(mine) / median(theirs) for mine, theirs in took),
    )


def recall(found: Sequence[NDArray[np.intp]], exact: ExactNumpy, world: World, below: float | None) -> float:
    """recall@10: the mean share of the true best that was found. What ties with the last of them is one of them."""
    shares = []
    for query, rows in zip(world.queries, found, strict=True):
        true = exact.search(query, LIMIT, below)
        least = float(world.vectors[true[-1]] @ query) - _SAME
        passing = rows if below is None else rows[world.prices[rows] < below]
        shares.append(float(np.sum(world.vectors[passing] @ query >= least)) / len(true))
    return mean(shares)


def _each(way: Searches, queries: Floats, below: float | None) -> list[Callable[[], object]]:
    return [lambda query=query: way.search(query, LIMIT, below) for query in queries]  # type: ignore[misc]


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000
