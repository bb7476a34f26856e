"""reports/times.json: when each DVC stage was last reached, what it did then, and what it took when it last ran.

Written after every `dvc repro` of a flow, so that a run that was killed and goes on still knows what its stages took.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from catalog.workspace import TIMES_REPORT
from evaluation.run_page.costs import Cost
from flows.durable import write_json_durably
from flows.dvc import Reproduction


class StageRecord(BaseModel):
    """One stage; times are ISO 8601 in UTC, None for what never happened."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seen: str
    ran: str | None = None
    failed: str | None = None
    cached: str | None = None
    seconds: float | None = None
    processor_seconds: float | None = None
    peak_mb: float | None = None

    def cost(self, name: str, since: str) -> Cost:
        """As the page of a run tells it that began at `since`."""
        if self.ran is not None and self.ran >= since:
            how = "failed" if self.failed is not None and self.failed >= since else "ran"
            return Cost(name, how, self.seconds, self.processor_seconds, self.peak_mb)
        if self.seen < since:
            return Cost(name, "not reached")
        how = "from the cache" if self.cached is not None and self.cached >= since else "unchanged"
        return Cost(name, how, before=self.seconds)


def record(done: Reproduction, path: Path = TIMES_REPORT) -> None:
    """Write down what `done` tells, and keep what is known of other stages."""
    at = now()
    known = {name: each.model_copy(update={"seen": at}) if name in done.unchanged else each
             for name, each in read_times(path).items()}  # fmt: skip
    for name in done.unchanged:
        known.setdefault(name, StageRecord(seen=at))
    for name in done.from_cache:
        before = known.get(name, StageRecord(seen=at))
        known[name] = before.model_copy(update={"seen": at, "cached": at})
    for took in done.took:
        known[took.stage] = StageRecord(
            seen=at,
            ran=at,
            failed=at if took.stage == done.failed else None,
            seconds=round(took.seconds, 3),
            processor_seconds=round(took.processor_seconds, 3),
            peak_mb=None if took.peak_mb is None else round(took.peak_mb, 1),
        )
    write_json_durably(path, {name: each.model_dump(mode="json") for name, each in known.items()})


def read_times(path: Path = TIMES_REPORT) -> dict[str, StageRecord]:
    """Stage -> its record; nothing where the file is not there or not one: it only tells of time."""
    try:
        return {name: StageRecord.model_validate(each) for name, each in json.loads(path.read_bytes()).items()}
    except (FileNotFoundError, ValueError, AttributeError, ValidationError):
        return {}


def now() -> str:
    """This moment."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
