"""How much is measured: by the whole benchmark, or by a short look that only shows that it works."""

from dataclasses import dataclass
from typing import Literal

PlanName = Literal["full", "short"]


@dataclass(frozen=True)
class Plan:
    """`rounds` of every cell, `starts` of each server. A cell asks `requests` times, and at least `each` a client."""

    rounds: int
    starts: int
    clients: tuple[int, ...]
    requests: int
    each: int
    queries: int
    """Different queries of each kind of the evaluation, at most."""
    warm: int = 200
    """Queries that are asked before memory is read and times count."""

    def requests_of(self, clients: int) -> int:
        """How often a cell of so many clients asks."""
        return max(self.requests, self.each * clients)


PLANS: dict[PlanName, Plan] = {
    "full": Plan(rounds=3, starts=3, clients=(1, 4, 16, 64), requests=100, each=3, queries=100),
    "short": Plan(rounds=1, starts=1, clients=(1, 16), requests=48, each=3, queries=48),
}
