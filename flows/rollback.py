"""The flow `rollback`: back to the champion before this one.

etalage rollback --reason "hits for shoes look wrong"
"""

from catalog.errors import GateRefused
from flows import promotion
from flows.durable import one_writer
from flows.environment import home_folder
from flows.notifying.hooks import TOLD
from flows.opening import milvus
from flows.orchestration import RETRIED, flow, say, task
from flows.promote import package_release, prove_release, recover, vouch
from flows.releases import ChampionRecord, ReleaseStore


@task(name="move-back", **RETRIED)
def move_back(to: str, by: str, reason: str) -> ChampionRecord:
    """Move alias and champion record back together, unless a cut-short attempt of this task did."""
    store = ReleaseStore(home_folder())
    champion = store.champion()
    if champion is not None and champion.release == to:
        return champion
    champion = promotion.roll_back(store, milvus(), by=by, reason=reason)
    say(f"Release {champion.release} answers again since {champion.since}.")
    return champion


@flow(name="rollback", **TOLD)
def rollback(reason: str = "", by: str = "somebody", instead_of: str = "") -> ChampionRecord:
    """Make the champion before this one answer again. Raises ReleaseNotFound when there is none.

    `instead_of`: only if this release, or the one whose id starts so, is the champion still; raises GateRefused else.
    """
    with one_writer(home_folder()):
        recover()
        store = ReleaseStore(home_folder())
        previous = store.require_previous()
        champion = store.champion()
        assert champion is not None  # it has a previous one
        if instead_of and not champion.release.startswith(instead_of):
            raise GateRefused(
                f"Release {champion.release} is the champion and not {instead_of}: nothing was rolled back."
            )
        vouch(previous)
        prove_release(previous)
        package_release(previous)
        return move_back(previous, by, reason)
