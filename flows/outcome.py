"""What a retrain came to."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from flows.errors import RefusedByGates, WithdrawnRelease
from flows.standing import Standing
from flows.verdict import Verdict

Status = Literal["promoted", "forced", "challenger", "unchanged"]


class RetrainOutcome(BaseModel):
    """`challenger`: passed and was not to be promoted. `unchanged`: the champion is what a run gives."""

    model_config = ConfigDict(frozen=True)

    status: Status
    sentence: str
    release: str | None = None
    verdict: Verdict | None = None


def settled(standing: Standing) -> RetrainOutcome:
    """The outcome of a run that has nothing to do. Raises the refusal that it would come to again."""
    if standing.kind == "refused" and standing.verdict is not None:
        raise RefusedByGates(standing.verdict, again=True)
    if standing.kind == "withdrawn" and standing.release is not None:
        raise WithdrawnRelease(standing.release)
    return RetrainOutcome(
        status="unchanged", sentence=standing.sentence, release=standing.release, verdict=standing.verdict
    )
