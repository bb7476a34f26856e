"""Which addresses this process listens on, and whether strangers reach them."""

import ipaddress
import os
import socket
import stat
from collections.abc import Iterable
from pathlib import Path

from catalog.errors import NotReady

OPEN_FILES = Path("/dev/fd")
"""One entry for each open file of this process, on Linux and macOS."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`. A name other than localhost counts as reachable: it may change."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback


def listening() -> tuple[str, ...]:
    """The IP addresses that sockets of this process are bound to, without those of connections to somewhere, sorted.

    BentoML's worker is given its socket bound, and is not told the address. Raises NotReady where it cannot be known.
    """
    try:
        files = [int(entry) for entry in os.listdir(OPEN_FILES)]  # noqa: PTH208, names are all that is wanted
    except OSError as error:
        raise NotReady(f"This system does not tell which addresses are listened on: {error.strerror}.") from None
    return tuple(sorted({address for file in files for address in _bound_to(file)}))


def strangers_reach(addresses: Iterable[str]) -> list[str]:
    """Those of `addresses` that are not loopback."""
    return [address for address in addresses if not is_loopback(address)]


def _bound_to(file: int) -> list[str]:
    """The address of a socket that waits for connections. A file that is no socket, or closed by now, has none."""
    try:
        if not stat.S_ISSOCK(os.fstat(file).st_mode):
            return []
        copy = os.dup(file)
    except OSError:
        return []
    with socket.socket(fileno=copy) as there:  # asks the system for the family; fromfd would have to be told
        if there.type != socket.SOCK_STREAM or _is_connected(there):
            return []
        name = there.getsockname()
    # A Unix socket's name is its path: who may open that is said by the file system.
    return [str(name[0])] if isinstance(name, tuple) and name[1:2] != (0,) else []


def _is_connected(there: socket.socket) -> bool:
    try:
        there.getpeername()
    except OSError:
        return False
    return True
