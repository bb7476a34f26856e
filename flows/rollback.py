"""The flow `rollback`: back to the champion before this one.

etalage rollback --reason "hits for shoes look wrong"
"""

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
def rollback(reason: str = "", by: str = "somebody") -> ChampionRecord:
    """Make the champion before this one answer again. Raises ReleaseNotFound when there is none."""
    with one_writer(home_folder()):
        recover()
        previous = ReleaseStore(home_folder()).require_previous()
        vouch(previous)
        prove_release(previous)
        package_release(previous)
        return move_back(previous, by, reason)
