"""How long pictures take to become pixels, told to whoever asks: so the engine tells decoding and encoding apart."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_heard: ContextVar[list[float] | None] = ContextVar("decodings", default=None)


@contextmanager
def decodings() -> Iterator[list[float]]:
    """The seconds of every decoding that this thread does inside; none where the vectors are remembered."""
    took: list[float] = []
    token = _heard.set(took)
    try:
        yield took
    finally:
        _heard.reset(token)


@contextmanager
def decoding() -> Iterator[None]:
    """What is done inside is decoding."""
    started = time.perf_counter()
    yield
    if (took := _heard.get()) is not None:
        took.append(time.perf_counter() - started)
