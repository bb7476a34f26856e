"""The flow `gc`: remove what no longer has to stay; flows.retention.keeping decides, flows.retention.disposal removes.

etalage gc --dry-run
etalage gc --keep 5
"""

from dataclasses import asdict

from flows.durable import one_writer
from flows.environment import home_folder
from flows.opening import milvus
from flows.orchestration import RETRIED, flow, say, show_table, task
from flows.promote import recover
from flows.releases import ReleaseStore
from flows.retention import disposal
from flows.retention.keeping import KEEP, SPARE, Fate


@task(name="collect", **RETRIED)
def collect(keep: int, spare: int, by: str) -> tuple[Fate, ...]:
    """Remove what does not stay. Tried again, it goes on."""
    collections = milvus()
    done = disposal.collect(ReleaseStore(home_folder()), collections, keep, spare, by=by)
    collections.close()
    return done


@flow(name="gc")
def gc(keep: int = KEEP, by: str = "etalage gc", spare: int = SPARE) -> tuple[Fate, ...]:
    """Keep the champion, the one before it, `keep` more, and all that is served; what became of everything.

    The embedding cache goes with the encoders of releases; `spare` MiB of entries that nothing asks for may stay.
    """
    with one_writer(home_folder()):
        recover()
        done = collect(keep, spare, by)
    rows = [{**asdict(fate), "parts": ", ".join(fate.parts)} for fate in done]
    show_table("retention", rows, f"What stays and what was removed, with {keep} beside champion and previous one")
    say(f"{sum(not fate.stays for fate in done)} removed, {sum(fate.stays for fate in done)} kept.")
    return done
