"""One GET of a picture, under limits, at addresses that were checked. Runs on an event loop.

httpcore knows no cookies, redirects or decompression, and a proxy only where it is given one.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urlsplit

import httpcore

from catalog.errors import InvalidMedia, MediaTooLarge, UrlFailed
from catalog.fetching.guard import GuardedBackend, Resolve
from catalog.fetching.hosts import Target
from catalog.fetching.urls import UrlRules, read_target, redirected

REDIRECTS = frozenset({301, 302, 303, 307, 308})
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that may be others a moment later."""
UNCHANGED = 304
ASKED = ((b"Accept", b"image/*"), (b"Accept-Encoding", b"identity"))
CLOSED = ((b"Connection", b"close"),)
Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class FetchLimits:
    """Of one fetch: `timeout` for names, connections, redirects and bytes together; times in seconds.

    `at_once` fetches at the same time, on connections that are kept where `keep`, else each on one of its own.
    """

    timeout: float
    connect_timeout: float
    redirects: int
    max_bytes: int
    at_once: int
    keep: bool = False


@dataclass(frozen=True)
class Fetched:
    """What a server sent; header names are lower-case. `unchanged`: nothing, as what the caller has is right."""

    data: bytes
    headers: Mapping[bytes, str]
    unchanged: bool = False


class GuardedClient:
    """Fetches what the rules allow. `resolve`, `backend` and `tls` replace the system's resolver, sockets and TLS.

    With a `proxy` (http://user:password@host:port) it is the proxy that connects: what this machine knows of a name is
    checked all the same.
    """

    def __init__(
        self,
        rules: UrlRules,
        limits: FetchLimits,
        *,
        resolve: Resolve | None = None,
        backend: httpcore.AsyncNetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
        proxy: str | None = None,
    ) -> None:
        self.rules, self.limits = rules, limits
        self._guard = GuardedBackend(rules, limits.at_once, resolve, backend)
        self._tls = tls
        self._proxy = proxy
        self._kept: httpcore.AsyncConnectionPool | None = None

    async def get(self, url: str, take: Callable[[int], None] = lambda size: None, headers: Headers = ()) -> Fetched:
        """What is at `url`; whether it is a picture is for the decoder to say. `take` counts its bytes as they come.

        Raises UrlRefused for what may not be fetched, UrlFailed for what cannot be, InvalidQuery, InvalidMedia,
        MediaTooLarge, and what `take` raises.
        """
        target = read_target(url, self.rules)
        try:
            async with asyncio.timeout(self.limits.timeout):
                return await self._follow(target, take, headers)
        except TimeoutError:
            raise UrlFailed(
                f"The picture at {self.rules.subject} did not arrive within {self.limits.timeout:g} seconds.",
                again=True,
            ) from None

    async def aclose(self) -> None:
        """Close the connections that were kept."""
        if self._kept is not None:
            await self._kept.aclose()

    def close(self) -> None:
        """Resolve no more names."""
        self._guard.close()

    async def _follow(self, target: Target, take: Callable[[int], None], headers: Headers) -> Fetched:
        for _ in range(self.limits.redirects + 1):
            async with self._asked(target, headers) as answer:
                told = {name.lower(): value.decode("latin-1") for name, value in answer.headers}
                if answer.status not in REDIRECTS:
                    if answer.status == UNCHANGED and headers:
                        return Fetched(b"", told, unchanged=True)
                    return Fetched(await self._read(answer, told, take), told)
            target = redirected(target, told.get(b"location", ""), self.rules)
        raise UrlFailed(f"{self.rules.opening} was redirected more than {self.limits.redirects} times.")

    @asynccontextmanager
    async def _asked(self, target: Target, headers: Headers) -> AsyncIterator[httpcore.Response]:
        """The answer of the target's server."""
        if self._proxy is not None:
            await self._guard.addresses(target.host, target.port)
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        sent = [(b"Host", target.authority.encode()), *ASKED, *(() if self.limits.keep else CLOSED), *headers]
        wait = {"connect": self.limits.connect_timeout}
        try:
            async with (
                self._pool() as pool,
                pool.stream("GET", url, headers=sent, extensions={"timeout": wait}) as answer,
            ):
                yield answer
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            raise UrlFailed(
                could_not_be_asked(self.rules),
                again=True,
                why=f"{type(error).__name__} {error}",
            ) from None
        except httpcore.ProxyError as error:
            raise UrlFailed("The proxy did not let the picture through.", why=str(error)) from None

    @asynccontextmanager
    async def _pool(self) -> AsyncIterator[httpcore.AsyncConnectionPool]:
        self._tls = self._tls or httpcore.default_ssl_context()
        if not self.limits.keep:
            async with self._new_pool(1) as pool:
                yield pool
            return
        self._kept = self._kept or self._new_pool(self.limits.at_once)
        yield self._kept

    def _new_pool(self, connections: int) -> httpcore.AsyncConnectionPool:
        if self._proxy is None:
            return httpcore.AsyncConnectionPool(
                self._tls, max_connections=connections, keepalive_expiry=5.0, network_backend=self._guard
            )
        named = urlsplit(self._proxy)
        login = (unquote(named.username), unquote(named.password or "")) if named.username else None
        return httpcore.AsyncHTTPProxy(
            f"{named.scheme}://{named.hostname}:{named.port or 8080}/",
            proxy_auth=login,
            ssl_context=self._tls,
            max_connections=connections,
            keepalive_expiry=5.0,
            network_backend=self._guard.plain,
        )

    async def _read(self, answer: httpcore.Response, told: dict[bytes, str], take: Callable[[int], None]) -> bytes:
        subject, most = self.rules.subject, self.limits.max_bytes
        if answer.status != 200:
            raise UrlFailed(
                f"The server of {subject} answered with the status {answer.status}.",
                status=answer.status,
                again=answer.status in PASSING,
                wait=_seconds(told.get(b"retry-after", "")),
            )
        if told.get(b"content-encoding", "identity").lower() not in ("identity", ""):
            raise UrlFailed(f"The server of {subject} sent the picture compressed, though asked not to.")
        length = told.get(b"content-length", "")
        if length.isdigit() and (len(length) > 15 or int(length) > most):
            raise self._too_large()
        data = bytearray()
        async for chunk in answer.aiter_stream():
            if len(data) + len(chunk) > most:
                raise self._too_large()
            take(len(chunk))
            data += chunk
        if not data:
            raise InvalidMedia(f"The picture at {subject} is empty: it has 0 bytes.")
        return bytes(data)

    def _too_large(self) -> MediaTooLarge:
        most = self.limits.max_bytes / 2**20
        return MediaTooLarge(f"The picture at {self.rules.subject} is larger than {most:.3g} MB.")


def could_not_be_asked(rules: UrlRules) -> str:
    """What is told of a server that does not answer."""
    return f"The server of {rules.subject} could not be asked for the picture."


def _seconds(words: str) -> float | None:
    """Retry-After, which is a number of seconds or a date; None where it is neither."""
    if words.isascii() and words.isdigit() and len(words) < 10:
        return float(words)
    try:
        return max(0.0, parsedate_to_datetime(words).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
