"""What can happen beside a kill, by name."""

from collections.abc import Callable, Mapping

from tests.recovery.clock import a_clock_that_goes_back, a_clock_that_jumps_ahead
from tests.recovery.disk import full_disk
from tests.recovery.servers import milvus_killed, prefect_restarted
from tests.recovery.storage import broken_object, lost_remote, torn_lock_file
from tests.recovery.trial import Outcome
from tests.recovery.twice import two_at_once
from tests.recovery.worlds import Atlas

EVENTS: Mapping[str, Callable[[Atlas], Outcome]] = {
    "full disk": full_disk,
    "Milvus killed mid-insert": milvus_killed,
    "Prefect server restarted mid-flow": prefect_restarted,
    "two retrains at once": two_at_once,
    "clock jumps a year ahead": a_clock_that_jumps_ahead,
    "clock goes back a day": a_clock_that_goes_back,
    "lost DVC remote": lost_remote,
    "corrupted file in DVC's cache": broken_object,
    "dvc.lock cut in half": torn_lock_file,
}
