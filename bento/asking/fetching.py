"""Fetching the picture of an image URL for one caller: the guarded client under the service's settings.

Runs on the event loop. Names, addresses, redirects and limits are catalog.fetching's.
"""

import logging
import ssl
from collections.abc import Callable

import httpcore

from bento.errors import Busy, one_sentence
from bento.settings import ServiceSettings
from catalog.errors import UrlFailed, UrlRefused
from catalog.fetching.client import FetchLimits, GuardedClient
from catalog.fetching.guard import Resolve
from catalog.fetching.urls import UrlRules

logger = logging.getLogger("etalage.service")


class ImageFetcher:
    """Fetches what the settings allow; `fetches` of them at the same time, each on a connection of its own.

    `resolve`, `backend` and `tls` replace the system's resolver, sockets and certificates.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        resolve: Resolve | None = None,
        backend: httpcore.AsyncNetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.settings = settings
        rules = UrlRules(settings.image_hosts, settings.image_http, settings.image_networks, "'image_url'")
        limits = FetchLimits(
            timeout=settings.image_timeout,
            connect_timeout=settings.image_connect_timeout,
            redirects=settings.image_redirects,
            max_bytes=settings.max_image_bytes,
            at_once=settings.image_fetches,
        )
        self._client = GuardedClient(rules, limits, resolve=resolve, backend=backend, tls=tls)
        self._running = 0

    async def fetch(self, url: str, take: Callable[[int], None]) -> bytes:
        """The bytes at `url`; whether they are a picture is for the decoder to say. `take` counts them as they come.

        Raises UrlRefused for what may not be fetched, UrlFailed for what cannot be, InvalidQuery, InvalidMedia,
        MediaTooLarge, Busy, and what `take` raises.
        """
        if not self.settings.image_hosts:
            raise UrlRefused("This service fetches no image URLs: send the picture itself in 'image'.")
        if self._running >= self.settings.image_fetches:
            raise Busy("The service is fetching as many pictures as it can: try again in a second.")
        self._running += 1
        try:
            return (await self._client.get(url, take)).data
        except (UrlFailed, UrlRefused) as error:
            if error.why:
                level = logging.WARNING if isinstance(error, UrlRefused) else logging.INFO
                logger.log(level, "an image URL was not fetched: %s", one_sentence(error.why))
            raise
        finally:
            self._running -= 1

    def close(self) -> None:
        """Resolve no more names."""
        self._client.close()
