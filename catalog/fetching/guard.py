"""Connections go to addresses that were checked, and to no others.

A name is resolved once for each connection and the connection goes to the very address that was checked, so a second
answer of the name server (DNS rebinding) is never asked for.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any

import httpcore

from catalog.errors import UnknownHost, UrlRefused
from catalog.fetching.addresses import Address, may_connect
from catalog.fetching.urls import UrlRules

MAX_ADDRESSES = 4
"""Addresses of one name that are tried, one after the other, within the time of the whole fetch."""
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""A name and a port to addresses as text. Raises OSError."""


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Sockets to the hosts that requests name, where every address of the host is allowed.

    `resolve` and `backend` replace the system's resolver, asked in `threads` threads of its own, and its sockets.
    """

    def __init__(
        self,
        rules: UrlRules,
        threads: int,
        resolve: Resolve | None = None,
        backend: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self.rules = rules
        self.plain = backend or httpcore.AnyIOBackend()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")
        self._resolve = resolve or self._ask_system

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address of `host` that answers. Raises UrlRefused, UnknownHost."""
        found = await self.addresses(host, port)
        if not found:
            raise UnknownHost(self._sentence, why=f"{host} is not known")
        *others, last = found
        for address in others:
            try:
                return await self.plain.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self.plain.connect_tcp(str(last), port, timeout, local_address, socket_options)

    async def addresses(self, host: str, port: int) -> list[Address]:
        """Where to connect; none where the name is not known.

        Every address must be allowed: one that is not makes all of them suspect. Raises UrlRefused.
        """
        try:
            found = [ip_address(address) for address in await self._resolve(host, port)]
        except (OSError, ValueError):
            found = []
        for address in found:
            if not may_connect(address, self.rules.networks):
                raise UrlRefused(self._sentence, why=f"{host} is {address}")
        return list(dict.fromkeys(found))[:MAX_ADDRESSES]

    async def sleep(self, seconds: float) -> None:
        """As the backend sleeps."""
        await self.plain.sleep(seconds)

    def close(self) -> None:
        """Resolve no more names."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    @property
    def _sentence(self) -> str:
        """One for unknown and forbidden alike, so that nobody maps a network by asking."""
        return f"The host of {self.rules.subject} has no public address."

    async def _ask_system(self, host: str, port: int) -> Sequence[str]:
        """The system's resolver, in threads of our own: a slow name server must hold up nothing else."""
        loop = asyncio.get_running_loop()
        rows = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        )
        return [str(row[4][0]) for row in rows]
