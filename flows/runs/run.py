"""One retrain while it goes on: when it began, who answered then, and what its own steps take beside the DVC stages."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from evaluation.run_page.costs import Cost
from flows.continuity import Served, served_by
from flows.releases import ReleaseStore


@dataclass
class Run:
    """`id` sorts by time. `served`: what the champion of the beginning served; None without one."""

    id: str
    began: datetime
    served: Served | None
    steps: list[Cost] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)

    @classmethod
    def begin(cls, store: ReleaseStore, flow_run: str) -> "Run":
        """A run of the flow run `flow_run` that begins now."""
        began = datetime.now(UTC)
        return cls(f"{began:%Y%m%dT%H%M%SZ}-{flow_run[:8]}", began, served_by(store))

    @property
    def since(self) -> str:
        """The beginning, as flows.runs.times writes moments."""
        return self.began.isoformat(timespec="microseconds")

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._started

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the block, also where it refuses."""
        began, spent, how = time.monotonic(), _processor(), "failed"
        try:
            yield
            how = "ran"
        finally:
            self.steps.append(Cost(name, how, time.monotonic() - began, _processor() - spent))


def _processor() -> float:
    """Processor seconds of this process and of the children it has waited for."""
    return sum(os.times()[:4])
