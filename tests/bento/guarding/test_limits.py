"""A token bucket for every caller; the clock is told."""

import pytest

from bento.guarding import limits
from bento.guarding.limits import TokenBuckets


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_a_burst_then_the_rate():
    clock = Clock()
    buckets = TokenBuckets(rate=2, burst=3, clock=clock)
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]  # empty: the next token comes in 1 / 2 s
    clock.seconds += 0.25
    assert buckets.take("a") == 0.25
    clock.seconds += 0.25
    assert buckets.take("a") == 0
    assert buckets.take("a") == 0.5


def test_a_refused_request_costs_nothing_and_a_pause_fills_no_more_than_the_bucket():
    clock = Clock()
    buckets = TokenBuckets(rate=1, burst=2, clock=clock)
    assert [buckets.take("a") for _ in range(9)] == [0, 0, *[1] * 7]
    clock.seconds += 1
    assert [buckets.take("a") for _ in range(2)] == [0, 1]
    clock.seconds += 3600
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 1]


def test_callers_have_buckets_of_their_own():
    buckets = TokenBuckets(rate=1, burst=1, clock=Clock())
    assert [buckets.take(caller) for caller in ("a", "b", "a", "b")] == [0, 0, 1, 1]


def test_the_caller_who_asked_longest_ago_is_forgotten_first(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "MAX_CALLERS", 2)
    buckets = TokenBuckets(rate=1, burst=1, clock=Clock())
    assert [buckets.take(caller) for caller in ("a", "b", "a", "c")] == [0, 0, 1, 0]  # b is forgotten
    assert [buckets.take(caller) for caller in ("a", "c")] == [1, 1]
    assert buckets.take("b") == 0


def test_as_many_wrong_keys_as_a_minute_allows_then_one_every_three_seconds():
    clock = Clock()
    wrong = TokenBuckets(rate=20 / 60, burst=20, clock=clock)
    assert [wrong.take("a") for _ in range(20)] == [0] * 20
    assert wrong.take("a") == pytest.approx(3)
    clock.seconds += 3
    assert (wrong.take("a"), wrong.take("b")) == (0, 0)
