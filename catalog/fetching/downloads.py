"""Pictures by URL for an ingest: many at once, tried again, kept on disk, and asked for again only if they changed.

    with Downloads(media_settings(), folder) as downloads:
        for picture in downloads.many(urls):     # as they arrive
            picture.data or picture.refusal

An event loop in a thread of its own does the fetching; the bytes lie on disk until they are wanted.
"""

import asyncio
import queue
import ssl
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType

import httpcore

from catalog.errors import EtalageError, InvalidQuery, UrlFailed, UrlRefused
from catalog.fetching.cache import DAY, PictureCache
from catalog.fetching.client import FetchLimits, GuardedClient
from catalog.fetching.guard import Resolve
from catalog.fetching.obtaining import Obtainer
from catalog.fetching.politeness import Pause
from catalog.fetching.settings import MediaSettings
from catalog.fetching.urls import UrlRules
from catalog.media import MAX_BYTES

AHEAD = 256
"""Pictures that may be on their way, or on disk and not yet wanted."""
REFUSALS = (UrlRefused, UrlFailed, InvalidQuery)
"""What fetching a picture raises: its sentence says why there is none. InvalidMedia and MediaTooLarge are of these."""


@dataclass(frozen=True)
class Arrived:
    """A picture's bytes, or why there are none."""

    url: str
    data: bytes | None = None
    refusal: EtalageError | None = None


class Downloads:
    """The downloads of one ingest, kept in `folder`. One thread may use it, and nothing begins until it asks.

    Leaving it without an error ends the run: until then the next one goes on with what was fetched. `resolve`,
    `backend`, `tls` and `pause` replace the system's.
    """

    def __init__(
        self,
        settings: MediaSettings,
        folder: Path,
        *,
        resolve: Resolve | None = None,
        backend: httpcore.AsyncNetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self.settings = settings
        self.cache = PictureCache(folder)
        rules = UrlRules(settings.hosts or None, plain=True, networks=settings.networks)
        limits = FetchLimits(
            timeout=settings.timeout,
            connect_timeout=settings.connect_timeout,
            redirects=settings.redirects,
            max_bytes=MAX_BYTES,
            at_once=settings.at_once,
            keep=True,
        )
        proxy = settings.proxy.get_secret_value() if settings.proxy else None
        self._client = GuardedClient(rules, limits, resolve=resolve, backend=backend, tls=tls, proxy=proxy)
        self._pause = pause
        self._loop: asyncio.AbstractEventLoop | None = None
        self._obtainer: Obtainer | None = None
        self._asked: dict[str, Future[None]] = {}
        self._refused: dict[str, EtalageError] = {}

    def __enter__(self) -> "Downloads":
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        self.close()
        if kind is None and self._obtainer is not None:
            self.cache.finish(self.settings.cache_days * DAY)

    @property
    def counts(self) -> Counter[str]:
        """What became of the URLs asked for; those that gave no picture are not in it."""
        return Counter() if self._obtainer is None else self._obtainer.counts

    def ask(self, url: str) -> None:
        """Begin to fetch `url`, so that it is there when `fetch` wants it. Of it nothing is raised here."""
        if url not in self._asked and url not in self._refused:
            loop, obtainer = self._running()
            self._asked[url] = asyncio.run_coroutine_threadsafe(obtainer.obtain(url), loop)

    def fetch(self, url: str) -> bytes:
        """The bytes at `url`; whether they are a picture is for the decoder to say.

        Raises one of REFUSALS, and EtalageError where nothing can be kept on disk.
        """
        self.ask(url)
        future = self._asked.pop(url, None)
        if future is not None:
            try:
                future.result()
            except REFUSALS as error:
                self._refused[url] = error
        if url in self._refused:
            raise self._refused[url].with_traceback(None)
        data = self.cache.read(url)
        if data is None:  # damaged on disk since it was written
            self.cache.forget(url)
            return self.fetch(url)
        return data

    def many(self, urls: Iterable[str]) -> Iterator[Arrived]:
        """The pictures of `urls` as they arrive, one for each time that a URL is named; at most AHEAD are on their way.

        Raises EtalageError where nothing can be kept on disk.
        """
        arrived: queue.SimpleQueue[str] = queue.SimpleQueue()
        waiting = 0
        for url in urls:
            self.ask(url)
            waiting += 1
            if url in self._asked:
                self._asked[url].add_done_callback(partial(_put, arrived, url))
            else:
                arrived.put(url)
            if waiting == AHEAD:
                yield self._taken(arrived.get())
                waiting -= 1
        for _ in range(waiting):
            yield self._taken(arrived.get())

    def close(self) -> None:
        """Stop fetching and close all connections."""
        loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(self._stop(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join()
            loop.close()
        self._client.close()

    def _taken(self, url: str) -> Arrived:
        try:
            return Arrived(url, self.fetch(url))
        except REFUSALS as error:
            return Arrived(url, refusal=error)

    def _running(self) -> tuple[asyncio.AbstractEventLoop, Obtainer]:
        if self._loop is None or self._obtainer is None:
            began = self.cache.begin(self.settings.resume_hours * 3600)
            self._obtainer = Obtainer(self.settings, self.cache, self._client, began, self._pause)
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="downloads", daemon=True)
            self._thread.start()
        return self._loop, self._obtainer

    async def _stop(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._client.aclose()


def _put(arrived: queue.SimpleQueue[str], url: str, _: Future[None]) -> None:
    arrived.put(url)
