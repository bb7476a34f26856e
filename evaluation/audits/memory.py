"""Does a process grow by answering? The same questions again and again, and resident memory after each round.

The first round fills what may be filled (caches, pools) and does not count. What the process has freed is given back to
the system before each reading: a leak would fill such holes for a long time before resident memory grew.
"""

import ctypes
import gc
from collections.abc import Sequence
from itertools import pairwise

import psutil

from evaluation.queries.judgements import EvaluationQuery
from evaluation.results import Memory
from evaluation.runs import Photos, ask
from search.engine import SearchEngine

ROUNDS = 5
MOST = 60  # questions of a round


def growth(engine: SearchEngine, queries: Sequence[EvaluationQuery], photos: Photos) -> Memory:
    """Ask up to MOST of `queries`, spread over all, ROUNDS times and once before. Raises ValueError without any."""
    if not queries:
        raise ValueError("growth of memory needs at least one query.")
    count = min(MOST, len(queries))
    chosen = [queries[place * len(queries) // count] for place in range(count)]
    seen = []
    for _ in range(ROUNDS + 1):
        ask(engine, chosen, photos, None)
        seen.append(_resident_kb())
    return Memory(queries=count, grown_kb=tuple(after - before for before, after in pairwise(seen)))


def _resident_kb() -> float:
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc; other libraries give back by themselves
    if trim is not None:
        trim(0)
    return float(psutil.Process().memory_info().rss) / 1024
