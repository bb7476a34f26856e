"""Search at the sizes of catalogues: what serves here, Milvus, and what exact search costs by itself.

    python -m benchmarks.search_scale 10000 100000
    ETALAGE_MILVUS_URI=http://127.0.0.1:19530 python -m benchmarks.search_scale 1000000 --ways numpy memory server

Made catalogues, the same at every run (benchmarks/scale/world.py); one thread a query. Every way is built in a process
of its own and asked in turns with exact numpy: 50 queries a round, p50 and p95 in milliseconds, medians of the rounds;
"x exact numpy" is the ratio of the p50s under the same filter (three words: to a vector without one).
Memory is what the process grew by. A server is asked when ETALAGE_MILVUS_URI names one; its memory is told when it
runs on this machine and --server-pid names its process. Rows are printed as they are measured.
"""

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
MOST_IN_LITE = 100_000
"""Products up to which Milvus Lite takes part unless it is named."""
SIZES = (10_000, 100_000)
DIM = 256  # model.dim of params.yaml


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    for name in ONE_THREAD:
        os.environ[name] = "1"  # before numpy is loaded, here and in the processes that measure
    from benchmarks.scale.run import HEAD, Asking, lines_of
    from benchmarks.scale.ways import WAYS
    from benchmarks.scale.world import write_vectors

    asked = _parser(tuple(WAYS)).parse_args(arguments)
    asking = Asking(asked.queries, asked.rounds, asked.server_pid)
    print(f"D = {asked.dim}, {asked.queries} queries, {asked.rounds} rounds\n{HEAD}", flush=True)
    for size in asked.sizes:
        with TemporaryDirectory(prefix="etalage-scale-", dir=asked.folder) as name:
            folder = Path(name)
            write_vectors(folder, size, asked.dim)
            for way in asked.ways or ways_for(size, server=bool(os.environ.get("ETALAGE_MILVUS_URI"))):
                with ProcessPoolExecutor(1, get_context("spawn")) as own:
                    print("\n".join(own.submit(lines_of, way, folder, asking).result()), flush=True)


def ways_for(size: int, *, server: bool) -> list[str]:
    """What is measured at `size` products when nothing else is said."""
    lite = ["hnsw", "written", "opened", "asked"] if size <= MOST_IN_LITE else ["memory"]
    return ["numpy", "flat", *lite, *(["server"] if server else [])]


def _parser(ways: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.search_scale", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="products")
    parser.add_argument("--dim", type=int, default=DIM, help="width of the vectors")
    parser.add_argument("--ways", nargs="+", choices=ways, help="opened and asked need written before them")
    parser.add_argument("--queries", type=int, default=50, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--server-pid", type=int, help="the server's process, to tell its memory")
    parser.add_argument("--folder", type=Path, help="where the made catalogue lies while it runs; a temporary one")
    return parser


if __name__ == "__main__":
    main()
