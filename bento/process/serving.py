"""A server that begins to accept, and ends, when its process is told to; see bento/process/worker.py."""

import asyncio
import contextlib
import socket

import httpx
from starlette.types import ASGIApp

from bento.process.draining import DrainingServer
from bento.settings import ServiceSettings

ACCEPT = b"accept"
READY = b"ready"
WAITING = b"waiting"
LOOK = 0.25
"""Seconds between two looks at whether the release answers."""


async def serve(app: ASGIApp, listener: socket.socket, lifeline: socket.socket | None) -> None:
    """Serve `app` until the process is told to end, or its parent is gone, and all is answered."""
    settings = ServiceSettings()
    server = DrainingServer(app, listener, settings.keep_alive, settings.drain_timeout)
    if lifeline is None:
        beside = [asyncio.create_task(server.accept())]
    else:
        reader, writer = await asyncio.open_unix_connection(sock=lifeline)
        beside = [asyncio.create_task(_obey(reader, server)), asyncio.create_task(_tell(app, writer, server))]
    try:
        await server.serve()
    finally:
        for task in beside:
            task.cancel()


async def _obey(reader: asyncio.StreamReader, server: DrainingServer) -> None:
    with contextlib.suppress(ConnectionError):
        while line := await reader.readline():
            if line.strip() == ACCEPT:
                await server.accept()
    server.should_exit = True


async def _tell(app: ASGIApp, writer: asyncio.StreamWriter, server: DrainingServer) -> None:
    """Ask the application itself, as a probe would, until it is ready."""
    told = b""
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    with contextlib.suppress(ConnectionError):  # without a parent there is nobody to tell
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            while told != READY:
                await asyncio.sleep(LOOK)
                if not server.started:
                    continue
                found = await client.get("/readyz")
                state = READY if found.status_code == 200 else WAITING + b" " + found.json()["error"].encode()
                if state != told:
                    told = state
                    writer.write(state + b"\n")
                    await writer.drain()
