"""One ingest, measured from inside: python -m benchmarks.ingest.take SOURCE INTO"""

import json
import resource
import sys
import time
from pathlib import Path

from catalog.ingest import ingest
from catalog.sources import open_source


def main(source: str, into: str) -> None:
    """Print wall and processor seconds and the peak of memory as JSON."""
    started = time.perf_counter()
    ingest(open_source(source), Path(into))
    wall = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}))


if __name__ == "__main__":
    main(*sys.argv[1:])
