"""A server that drains answers what waits in the kernel, what is half sent, and idle connections once more."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router

from bento.process.draining import DrainingServer

REQUEST = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
Drained = Callable[[DrainingServer, str, int], Awaitable[None]]


def drained(story: Drained) -> None:
    """Run `story` with a server that accepts; it is to call `shutdown`."""

    async def run() -> None:
        app = Router([Route("/", lambda request: PlainTextResponse("hello"))])
        listener = socket.create_server(("127.0.0.1", 0))
        server = DrainingServer(app, listener, keep_alive=30, limit=30)
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        host, port = listener.getsockname()
        await server.startup()
        await server.accept()
        await asyncio.wait_for(story(server, host, port), 60)

    asyncio.run(run())


async def answer(reader: asyncio.StreamReader) -> bytes:
    """The headers of one answer; its body is read, too."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200") and await reader.readexactly(5) == b"hello"
    return head.lower()


def test_a_connection_that_the_server_has_not_even_taken_is_answered():
    async def story(server: DrainingServer, host: str, port: int) -> None:
        waiting = [socket.create_connection((host, port)) for _ in range(20)]  # blocks: the server cannot take them
        for client in waiting:
            client.sendall(REQUEST)
        await server.shutdown()
        for client in waiting:
            client.settimeout(10)
            with client, client.makefile("rb") as answers:
                said = answers.read().lower()
            assert said.startswith(b"http/1.1 200") and b"connection: close" in said and said.endswith(b"hello")

    drained(story)


def test_idle_and_half_sent_connections_are_answered_once_more_and_told_to_close():
    async def story(server: DrainingServer, host: str, port: int) -> None:
        idle, idle_writer = await asyncio.open_connection(host, port)
        idle_writer.write(REQUEST)
        assert b"connection: close" not in await answer(idle)
        half, half_writer = await asyncio.open_connection(host, port)
        half_writer.write(REQUEST[:20])
        silent, silent_writer = await asyncio.open_connection(host, port)
        ending = asyncio.create_task(server.shutdown())
        await asyncio.sleep(0.5)  # uvicorn alone closes what is idle after 0.1
        for reader, writer, rest in (
            (half, half_writer, REQUEST[20:]),
            (idle, idle_writer, REQUEST),
            (silent, silent_writer, REQUEST),
        ):
            assert not ending.done()
            writer.write(rest)
            assert b"connection: close" in await answer(reader)
            assert await reader.read() == b""
            writer.close()
        await ending

    drained(story)


def test_who_never_asks_is_not_waited_for_longer_than_an_idle_connection_is_kept():
    async def story(server: DrainingServer, host: str, port: int) -> None:
        server.config.timeout_keep_alive = 1
        reader, writer = await asyncio.open_connection(host, port)
        await server.shutdown()
        assert await reader.read() == b""
        writer.close()

    drained(story)
