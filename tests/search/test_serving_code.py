"""The imports of a file are read from its source, in as many threads at once as build Bentos."""

import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from search.serving_code import imported_names, serving_code


@pytest.fixture
def slow_collection() -> Iterator[None]:
    """Garbage collection that lets other threads run, as a memory profiler's or a test tool's callback does."""

    def rest(phase: str, info: dict[str, int]) -> None:
        time.sleep(0.0005)

    before = gc.get_threshold()
    gc.callbacks.append(rest)
    gc.set_threshold(200)
    yield
    gc.set_threshold(*before)
    gc.callbacks.remove(rest)


@pytest.mark.usefixtures("slow_collection")
def test_two_threads_that_read_imports_at_once_both_find_them() -> None:
    paths = serving_code()[:12]
    alone = [sorted(imported_names(path)) for path in paths]
    with ThreadPoolExecutor(2) as pool:
        backwards = pool.submit(lambda: [sorted(imported_names(path)) for path in reversed(paths)])
        forwards = pool.submit(lambda: [sorted(imported_names(path)) for path in paths])
        assert forwards.result() == alone
        assert backwards.result() == alone[::-1]
