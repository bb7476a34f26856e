"""One picture by its URL onto the disk, as its server has it now: asked politely, tried again, kept. Async."""

import asyncio
from collections import Counter

from catalog.errors import InvalidQuery, UnknownHost, UrlFailed
from catalog.fetching.cache import Entry, PictureCache
from catalog.fetching.client import Fetched, GuardedClient, Headers, could_not_be_asked
from catalog.fetching.politeness import Host, Pause
from catalog.fetching.settings import MediaSettings
from catalog.fetching.urls import read_target, spelled


class Obtainer:
    """Fills `cache` through `client`. What was asked for since `began` (nanoseconds) is taken as it is.

    `counts` tells what became of the URLs.
    """

    def __init__(
        self, settings: MediaSettings, cache: PictureCache, client: GuardedClient, began: int, pause: Pause
    ) -> None:
        self.settings, self.cache, self.client, self.began = settings, cache, client, began
        self.counts: Counter[str] = Counter()
        self._pause = pause
        self._hosts: dict[str, Host] = {}
        self._slots = asyncio.Semaphore(settings.at_once)

    async def obtain(self, url: str) -> None:
        """See to it that the picture of `url` is in the cache.

        A picture that was kept before stays, counted, while its server does not answer.
        Raises UrlRefused, UrlFailed, InvalidQuery, InvalidMedia, MediaTooLarge; EtalageError where nothing can be kept.
        """
        entry = self.cache.entry(url)
        if entry is not None and entry.asked_ns >= self.began:
            self.counts["fetched before"] += 1
            return
        wired = spelled(url)
        name = read_target(wired, self.client.rules).authority
        host = self._hosts.setdefault(name, Host(self.settings.per_host, self.settings.give_up, self._pause))
        try:
            async with host.slots:
                got = await self._tried(wired, entry, host)
        except UrlFailed as error:
            if entry is None or not error.again:
                raise
            self.counts["kept, as the server did not answer"] += 1
            return
        if got.unchanged:
            self.cache.confirm(url)
        else:
            told = got.headers
            self.cache.write(url, got.data, told.get(b"etag", ""), told.get(b"last-modified", ""))
        self.counts["unchanged" if got.unchanged else "downloaded"] += 1

    async def _tried(self, wired: str, entry: Entry | None, host: Host) -> Fetched:
        """What the server sent at last, tried again while that may help."""
        left, wait = self.settings.retries, self.settings.backoff
        while True:
            await host.open()
            if host.gone:
                self.counts["not asked, as their server was silent"] += 1
                raise UrlFailed(could_not_be_asked(self.client.rules), again=True)
            try:
                async with self._slots:  # not while it waits for another attempt
                    got = await self.client.get(wired, headers=_if_changed(entry))
            except UnknownHost:
                failed = UrlFailed("The name of the URL's server is not known.", again=True)
            except UrlFailed as error:
                failed = error
            except InvalidQuery:  # too large, or empty
                host.answered()
                raise
            else:
                host.answered()
                return got
            host.failed(failed)
            pause = wait if failed.wait is None else failed.wait
            if not failed.again or left == 0 or pause > self.settings.longest_wait:
                raise failed
            await self._pause(pause)
            left, wait = left - 1, wait * 2


def _if_changed(entry: Entry | None) -> Headers:
    """The headers that ask for a picture only if it is another than the one that is kept."""
    if entry is None:
        return ()
    said = ((b"If-None-Match", entry.etag), (b"If-Modified-Since", entry.modified))
    return tuple((name, value.encode("latin-1")) for name, value in said if value)
