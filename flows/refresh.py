"""The flow `refresh`: a changed catalogue reaches the index that answers now, without retraining.

    etalage refresh

validate -> what changed -> encode only that -> write it into the champion's collection. Killed anywhere, run it again
and it ends in the same place; a service that runs follows.
"""

from catalog.workspace import DATA
from flows import dvc
from flows.durable import one_writer
from flows.environment import home_folder
from flows.first_steps import find_snapshot, look_back, validate
from flows.opening import milvus
from flows.orchestration import RETRIED, WAITING, flow, say, show_table, task
from flows.packaging import demand_follower
from flows.promote import recover
from flows.refreshing.steps import Refresh, Refreshed
from flows.releases import ReleaseStore
from flows.revision import data_md5


@task(name="version-snapshot", **WAITING)
def version_snapshot() -> None:
    """DVC knows data/ afterwards."""
    if data_md5() is None:
        dvc.add(str(DATA))


@task(name="refresh-index", **RETRIED)
def refresh_index(snapshot: str) -> Refreshed:
    """Encode what changed and write it."""
    store, collections = ReleaseStore(home_folder()), milvus()
    try:
        return Refresh(store, collections, snapshot).run(data_md5())
    finally:
        collections.close()


@flow(name="refresh")
def refresh() -> Refreshed:
    """Bring the champion's collection to the catalogue in data/.

    Raises ReleaseNotFound without a champion, InvalidSnapshot for a catalogue that is unfit, GateRefused for one that
    lost what the champion's had, NotReady for a Milvus that
    does not answer, and TamperedRelease where the champion's encoder is not what its manifest says.
    """
    with one_writer(home_folder()):
        recover()
        store = ReleaseStore(home_folder())
        demand_follower(store.champion_manifest().release, store.home)
        snapshot = find_snapshot()
        validate(snapshot)
        look_back(snapshot)
        version_snapshot()
        done = refresh_index(snapshot)
    rows = [{"products": what, "count": count} for what, count in done.changes.model_dump().items()]
    show_table("refresh", rows, f"Release {done.release}, snapshot {done.snapshot}, {done.encoded} encoded")
    say(f"{done.encoded} products were encoded, {done.seconds:g} s.")
    return done
