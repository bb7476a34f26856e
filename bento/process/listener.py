"""Opening the socket that a service listens on, with one sentence for whatever forbids it."""

import errno
import os
import socket

from catalog.errors import InvalidQuery, NotReady

BACKLOG = 2048
"""Connections that may wait in the kernel until a process takes them."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that is bound and listens. Raises NotReady where the port is taken, InvalidQuery for a bad host."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise InvalidQuery(f"'{host}' is no address to listen on: {error.strerror}.") from None
    try:
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise NotReady(f"Port {port} of {host} is in use: choose another one.") from None
        raise NotReady(f"Cannot listen on {host}, port {port}: {os.strerror(error.errno or 0)}.") from None
