"""When a request is sent again, and how long one answer may take altogether.

A refusal that says Retry-After is waited for at least that long; on top of it, and after a broken connection, comes a
pause drawn between 0 and a bound that doubles (full jitter: Brooker, Exponential Backoff And Jitter, AWS 2015), so that
callers who were refused together do not come back together.
"""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from etalage_client.errors import FINAL, NoAnswer, Refused, Unreachable

WORTH_A_RETRY = frozenset({429, 502, 503, 504})
"""429 and 503 are the service's own; 502 and 504 a proxy sends while the service behind it changes."""


@dataclass(frozen=True)
class Patience:
    """Seconds, and how often. Tries and pauses together end at the deadline."""

    deadline: float = 30.0
    tries: int = 5
    first: float = 0.2
    """Bound of the first pause."""
    most: float = 5.0
    """Bound of any pause; what Retry-After says comes on top."""
    connect: float = 3.0
    """For one connection."""

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be."""
        if min(self.deadline, self.connect) <= 0 or self.tries < 1 or min(self.first, self.most) < 0:
            raise ValueError(f"This patience cannot be: {self}.")


class Tries:
    """The tries of one request."""

    def __init__(
        self,
        patience: Patience,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`clock` tells seconds, `chance` a number from 0 to 1."""
        self._patience, self._clock, self._chance = patience, clock, chance
        self._until = clock() + patience.deadline
        self._failed = 0

    def left(self) -> float:
        """Seconds until the deadline. Raises NoAnswer after it."""
        left = self._until - self._clock()
        if left <= 0:
            raise self.too_late()
        return left

    def pause(self, error: Refused | Unreachable) -> float:
        """Seconds until the next try. Raises `error` where no try is left, none would help, or none is in time."""
        self._failed += 1
        bound = min(self._patience.most, self._patience.first * 2.0 ** (self._failed - 1))
        pause: float = (_after(error) or 0.0) + bound * self._chance()
        if not _worth_a_retry(error) or self._failed >= self._patience.tries or self._clock() + pause >= self._until:
            raise error
        return pause

    def too_late(self) -> NoAnswer:
        """What to raise at the deadline."""
        before = f", after {self._failed} tries that failed" if self._failed else ""
        return NoAnswer(f"There was no answer within {self._patience.deadline:g} seconds{before}.")


def seconds_of(retry_after: str | None, now: datetime | None = None) -> float | None:
    """What Retry-After says, as seconds from `now`: it is a number of them, or a date. None for none, or nonsense."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            date = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        seconds = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _after(error: Refused | Unreachable) -> float | None:
    return error.after if isinstance(error, Refused) else None


def _worth_a_retry(error: Refused | Unreachable) -> bool:
    return not isinstance(error, Refused) or (error.status in WORTH_A_RETRY and error.kind not in FINAL)
