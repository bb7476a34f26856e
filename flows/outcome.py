"""What a retrain came to."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from flows.verdict import Verdict

Status = Literal["promoted", "forced", "challenger", "unchanged", "refused"]


class RetrainOutcome(BaseModel):
    """`challenger`: passed and was not to be promoted. `unchanged`: the champion is what a run gives."""

    model_config = ConfigDict(frozen=True)

    status: Status
    sentence: str
    release: str | None = None
    verdict: Verdict | None = None
