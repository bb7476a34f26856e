"""The ways to search, by name: each is built in a block of its own, in a process of its own (benchmarks.scale.run).

with WAYS["hnsw"](world, folder) as built:
    built.way.search(query, 10, None)
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.scale.clock import Searches
from benchmarks.scale.exact import ExactNumpy
from benchmarks.scale.faiss_indexes import FaissIndex, flat, hnsw
from benchmarks.scale.served import RELEASE, Asked
from benchmarks.scale.server import filled
from benchmarks.scale.world import World, make_rows
from search.memory import MemoryCollection
from search.milvus.store import MilvusStore
from search.settings import SearchSettings

_TIMEOUT_S = 900.0


@dataclass(frozen=True)
class Built:
    """`way` is None where there is only a time to tell: `seconds`, of building it. `elsewhere`: in another process."""

    name: str
    seconds: float
    way: Searches | None = None
    elsewhere: bool = False


@contextmanager
def in_numpy(world: World, folder: Path) -> Iterator[Built]:
    """The yardstick from a copy of its own, which says what the map of the file costs: nothing."""
    started = time.perf_counter()
    own = World(np.array(world.vectors), world.queries, world.prices)
    yield Built("exact numpy", _since(started), ExactNumpy(own))


@contextmanager
def in_process(world: World, folder: Path) -> Iterator[Built]:
    """What answers with the embedded store, over rows that are there."""
    rows = make_rows(world)
    started = time.perf_counter()
    collection = MemoryCollection(rows, name="scale", release=RELEASE)
    yield Built("in process", _since(started), Asked(collection))


@contextmanager
def written(world: World, folder: Path) -> Iterator[Built]:
    """The embedded store is filled as a release is indexed; `opened` and `asked` need it."""
    rows = make_rows(world)
    started = time.perf_counter()
    _store(folder).write(rows, RELEASE)
    yield Built("Milvus Lite, written", _since(started))


@contextmanager
def opened(world: World, folder: Path) -> Iterator[Built]:
    """A service's start: every row out of the embedded store, ready to be searched in process."""
    started = time.perf_counter()
    collection = _store(folder).open(RELEASE)
    yield Built("in process, read from Milvus Lite", _since(started), Asked(collection))


@contextmanager
def asked(world: World, folder: Path) -> Iterator[Built]:
    """Milvus Lite's own search, from which nothing is served."""
    started = time.perf_counter()
    with _store(folder).asked(RELEASE) as collection:
        yield Built("Milvus Lite, asked", _since(started), Asked(collection))


@contextmanager
def on_server(world: World, folder: Path) -> Iterator[Built]:
    """The server that ETALAGE_MILVUS_URI names."""
    settings, started = SearchSettings(), time.perf_counter()
    with filled(world, settings.milvus_uri, settings.milvus_token) as way:
        yield Built("Milvus server, HNSW", _since(started), way, elsewhere=True)


def _faiss(name: str, make: Callable[[World], FaissIndex]) -> Callable[[World, Path], AbstractContextManager[Built]]:
    @contextmanager
    def build(world: World, folder: Path) -> Iterator[Built]:
        started = time.perf_counter()
        index = make(world)
        yield Built(name, _since(started), index)

    return build


def _store(folder: Path) -> MilvusStore:
    return MilvusStore(str(folder / "store" / "etalage.db"), timeout_s=_TIMEOUT_S)


def _since(started: float) -> float:
    return time.perf_counter() - started


WAYS: Mapping[str, Callable[[World, Path], AbstractContextManager[Built]]] = {
    "numpy": in_numpy,
    "flat": _faiss("faiss Flat", flat),
    "hnsw": _faiss("faiss HNSW", hnsw),
    "memory": in_process,
    "written": written,
    "opened": opened,
    "asked": asked,
    "server": on_server,
}
