"""One ingest, measured from inside: python -m benchmarks.ingest.take SOURCE INTO MEMORY [ROW]

With ROW it is killed there. What the process holds is told each EVERY rows.
"""

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

from catalog.ingesting.ingest import ingest
from catalog.sources import open_source

EVERY = 1000


def main(source: str, into: str, memory: str, row: str = "0") -> None:
    """Print wall seconds, processor seconds of the whole process and what it held of memory as JSON."""
    last = int(row)
    held: list[float] = []

    def on_row(number: int) -> None:
        if number % EVERY == 0:
            held.append(resident())
        if number == last:
            os.kill(os.getpid(), signal.SIGKILL)

    started = time.perf_counter()
    done = ingest(open_source(source), Path(into), on_row, memory=Path(memory))
    wall = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    measured = {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}
    print(json.dumps({**measured, "held_mb": held, "id": done.id, "recognised": done.recognised}))


def resident() -> float:
    """Megabytes that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main(*sys.argv[1:])
