"""A clock that jumps while a command runs, for all of its processes: by libfaketime (apt-get install libfaketime).

Where it is not installed but unpacked, LIBFAKETIME is the path of its libfaketime.so.1.
Only the time of day jumps: what counts from the start of the machine goes on, as on a machine whose clock is set.
"""

import os
from pathlib import Path

from tests.recovery.phases import MARKS
from tests.recovery.trial import Outcome, Watched, compare, finish, settled, told_again
from tests.recovery.worlds import Atlas

LIBRARIES = tuple(f"/usr/lib/{machine}-linux-gnu/faketime/libfaketime.so.1" for machine in ("x86_64", "aarch64"))


def a_clock_that_jumps_ahead(atlas: Atlas) -> Outcome:
    """A year, before a release is indexed; run again, it is today once more."""
    name = "clock jumps a year ahead"
    return _jump(atlas, name, "evaluated", "retrain", "recovered", "+365d", ("champion", "retrained"))


def a_clock_that_goes_back(atlas: Atlas) -> Outcome:
    """A day, when a refresh begins."""
    return _jump(atlas, "clock goes back a day", "later", "refresh", "validated", "-1d", ("later", "refreshed"))


def _jump(
    atlas: Atlas, name: str, start: str, command: str, mark: str, jump: str, complete: tuple[str, str]
) -> Outcome:
    places = (os.environ.get("LIBFAKETIME", ""), *LIBRARIES)
    library = next((path for path in places if Path(path).is_file()), None)
    if library is None:
        return Outcome(name, "skipped: libfaketime is not installed (apt-get install libfaketime)", "", 0, ())
    world = atlas.start(start, atlas.into / "events" / name, command)
    clock = world.folder / "clock"
    clock.write_text("+0")
    faked = {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    arguments = atlas.command(command)
    with Watched(atlas, world, complete) as watched:
        running = world.start("jumped.log", *arguments, **faked)
        met = running.wait_until(lambda said: bool(MARKS[mark].search(said)))
        clock.write_text(jump)
        jumped = running.wait()
        wrong = [] if met else ["it ended before its clock could jump"]
        again = world.run("again.log", *arguments)
        wrong += settled(again) + watched.end()
    wrong += compare(atlas, world, complete[-1])
    where = f"{jump} at '{mark}': {told_again(jumped).removeprefix('run again: ')}"
    return finish(world, Outcome(name, where, told_again(again), watched.count, tuple(wrong)))
