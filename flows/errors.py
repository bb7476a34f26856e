"""What only the flows can run into, as branches of the one exception tree, and the exit code of each branch.

0 ok, 1 refused by validation or gates, 2 wrong usage or bad input, 3 something is missing,
4 a store or workspace is busy or unreachable, 5 a step broke (its own output says why) or a release was changed,
6 `etalage monitor` alarms: all was done, and something moved.
"""

from typing import TYPE_CHECKING

from catalog.errors import (
    EncoderMismatch,
    EtalageError,
    GateRefused,
    InvalidParams,
    InvalidQuery,
    InvalidSnapshot,
    InvalidSource,
    NotReady,
    ReleaseNotFound,
    TamperedRelease,
    UnknownProduct,
)
from search.keys import InvalidKeys

if TYPE_CHECKING:
    from flows.verdict import Verdict


class SnapshotMissing(InvalidSnapshot):
    """There is no data/ to work on."""


class SnapshotUnknown(SnapshotMissing):
    """The snapshot that the champion serves cannot be read here, so nothing is held against it."""


class WorkspaceBusy(NotReady):
    """Another run is writing in this workspace or home."""


class RefusedByGates(GateRefused):
    """The gates said no; carries their whole answer, for a table."""

    def __init__(self, verdict: "Verdict", *, again: bool = False) -> None:
        super().__init__(("Nothing was recomputed. " if again else "") + verdict.sentence())
        self.verdict = verdict


class WithdrawnRelease(GateRefused):
    """The same inputs gave a release that was rolled back: only a named person brings it back."""

    def __init__(self, release: str) -> None:
        super().__init__(
            f"This is release {release}, which was rolled back. To bring it back: etalage promote {release}"
        )


class AnswerNotFound(EtalageError):
    """The journal of answers does not know this request."""


class StageFailed(EtalageError):
    """A DVC stage broke for another reason than a refusal."""


class NotRebuilt(EtalageError):
    """A release was made again from what its manifest names, and is not the same."""


class DriftAlarm(EtalageError):
    """What is asked, answered, clicked or sold has moved farther than params.yaml allows."""


class StaleReport(EtalageError):
    """A report speaks of other inputs than the ones in the workspace."""


OK, REFUSED, USAGE, MISSING, BUSY, BROKEN, MOVED = range(7)

# The first branch that fits decides, so narrower ones come first.
EXIT_CODES: tuple[tuple[type[EtalageError], int], ...] = (
    (SnapshotMissing, MISSING),
    (ReleaseNotFound, MISSING),
    (AnswerNotFound, MISSING),
    (UnknownProduct, MISSING),
    (GateRefused, REFUSED),
    (InvalidSnapshot, REFUSED),
    (InvalidParams, USAGE),
    (InvalidSource, USAGE),
    (InvalidQuery, USAGE),
    (InvalidKeys, USAGE),
    (TamperedRelease, BROKEN),
    (NotReady, BUSY),
    (EncoderMismatch, BUSY),
    (DriftAlarm, MOVED),
    (EtalageError, BROKEN),
)


def exit_code(error: EtalageError) -> int:
    """The exit code of the command line for `error`."""
    return next(code for branch, code in EXIT_CODES if isinstance(error, branch))
