"""Two retrains of one workspace that start at the same moment."""

from tests.recovery.trial import Outcome, Watched, compare, finish, settled, told_again
from tests.recovery.worlds import Atlas

BUSY = 4


def two_at_once(atlas: Atlas) -> Outcome:
    """One of them does the work, the other is told that somebody is busy, or has nothing to do."""
    world = atlas.start("trained", atlas.into / "events" / "two at once", "retrain")
    arguments, complete = atlas.command("retrain"), ("champion", "retrained")
    with Watched(atlas, world, complete) as watched:
        both = [world.start(f"{name}.log", *arguments) for name in ("one", "other")]
        ended = [command.wait() for command in both]
        codes = sorted(ran.code for ran in ended if ran.code is not None)
        wrong = [] if codes in ([0, BUSY], [0, 0]) else [f"the two ended with exits {codes}"]
        again = world.run("again.log", *arguments)
        wrong += settled(again) + watched.end()
    wrong += compare(atlas, world, "retrained")
    where = f"two at once: {'; '.join(told_again(ran).removeprefix('run again: ') for ran in ended)}"
    return finish(world, Outcome("two retrains at once", where, told_again(again), watched.count, tuple(wrong)))
