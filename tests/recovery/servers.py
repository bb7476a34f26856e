"""Servers beside the workspace that go away in the middle: Milvus while rows are written, Prefect while a flow runs."""

import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from search.milvus.store import MilvusStore
from tests.bento.running import free_port
from tests.pipeline.workspace import prefect_server
from tests.recovery.phases import MARKS
from tests.recovery.state import state_of
from tests.recovery.trial import Outcome, Watched, compare, finish, settled, told_again
from tests.recovery.worlds import Atlas
from tests.search.milvus_server import MilvusServer

AWAY = 8.0  # seconds without a Prefect server


def milvus_killed(atlas: Atlas) -> Outcome:
    """A retrain that fills another Milvus with the champion; that server is killed as the collection takes shape.

    Milvus Lite's own server, over the network. The service answers from the embedded store all the while.
    """
    name = "Milvus killed mid-insert"
    world = atlas.start("champion", atlas.into / "events" / name, "retrain")
    place = {}
    with Watched(atlas, world, ("champion",)) as watched, MilvusServer(world.folder / "milvus") as server:
        place["ETALAGE_MILVUS_URI"] = server.uri
        running = world.start("killed.log", "retrain", **place)
        running.wait_until(lambda _: holds_rows(server.folder))
        server.kill()
        left = sum(path.stat().st_size for path in server.folder.rglob("*") if path.is_file())
        without = running.wait()
        server.start()
        again = world.run("again.log", "retrain", **place)
        wrong = settled(again) + watched.end()
        wrong += [] if without.code else ["it succeeded without a server"]
        store = MilvusStore(server.uri)
        ours = collections(state_of(world.workspace, store))
        store.close()
        server.kill()  # an end in order takes longer than it waits for on a busy machine
    theirs = collections(atlas.end("champion").state)
    wrong += [] if ours == theirs else [f"the collection is {ours}, not {theirs}"]
    where = f"server killed with {left} bytes in its folder: {told_again(without).removeprefix('run again: ')}"
    return finish(world, Outcome(name, where, told_again(again), watched.count, tuple(wrong)))


def holds_rows(folder: Path) -> bool:
    """Whether a server has begun to write rows: they come to its log before they come to a table."""
    return any(path.stat().st_size for path in folder.glob("**/wal/wal_data_*.arrow"))


def collections(state: object) -> dict[str, str]:
    """The part of a state that tells of collections."""
    assert isinstance(state, dict)
    return {key: value for key, value in state.items() if key.startswith("collection: ")}


def prefect_restarted(atlas: Atlas) -> Outcome:
    """The server that a retrain tells of its tasks is killed while it indexes, and comes back on the same port."""
    name, complete = "Prefect server restarted mid-flow", ("champion", "retrained")
    world = atlas.start("evaluated", atlas.into / "events" / name, "retrain")
    port, arguments = free_port(), atlas.command("retrain")
    with ExitStack() as first, ExitStack() as second:
        url = first.enter_context(prefect_server(world.folder / "prefect", port))
        world = replace(world, prefect=url)
        with Watched(atlas, world, complete) as watched:
            running = world.start("restarted.log", *arguments)
            met = running.wait_until(lambda said: bool(MARKS["recovered"].search(said)))
            first.close()
            time.sleep(AWAY)
            second.enter_context(prefect_server(world.folder / "prefect", port))
            ended = running.wait()
            wrong = [] if met else ["it ended before the server could be killed"]
            again = world.run("again.log", *arguments)
            wrong += settled(again) + watched.end()
        wrong += compare(atlas, world, "retrained")
    where = f"server away for {AWAY:g} s: {told_again(ended).removeprefix('run again: ')}"
    return finish(world, Outcome(name, where, told_again(again), watched.count, tuple(wrong)))
