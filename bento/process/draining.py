"""The HTTP server of one process: it accepts when it is told to, and loses no request when it ends.

uvicorn's own shutdown closes idle keep-alive connections at once, also those with a request on its way. Here every
answer first tells its client that the connection ends, and idle ones are left until their keep-alive time is over.
"""

import asyncio
import contextlib
import socket
from types import FrameType

import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bento.process.listener import BACKLOG


class LastAnswers:
    """ASGI middleware: while `ending`, every answer tells its client to close the connection."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.ending = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; whether it is one of the last is known when its answer starts."""

        async def told(message: Message) -> None:
            if self.ending and message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self.app(scope, receive, told)


class DrainingServer(uvicorn.Server):
    """Serves `app` on `listener`, a bound socket. SIGTERM and SIGINT drain it; a second one ends it at once.

    `keep_alive`: seconds for which an idle connection is kept; `limit`: seconds that draining may take.
    """

    def __init__(self, app: ASGIApp, listener: socket.socket, keep_alive: int, limit: float) -> None:
        self._last = LastAnswers(app)
        self._listener = listener
        self._limit = limit
        self._running = asyncio.Event()
        self._signalled = False
        super().__init__(
            uvicorn.Config(
                self._last,
                lifespan="on",
                log_config=None,
                access_log=False,  # the service writes its own lines
                server_header=False,
                timeout_keep_alive=keep_alive,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, and accept nothing yet."""
        await super().startup(sockets=[])
        self._running.set()

    async def accept(self) -> None:
        """Accept connections from now on, once the application runs; nothing where it is to end already."""
        await self._running.wait()
        if not self.should_exit:
            loop = asyncio.get_running_loop()
            # One connection at a time: where several processes accept, the one that has time takes the next.
            self.servers.append(await loop.create_server(self._protocol, sock=self._listener, backlog=1))
            self._listener.listen(BACKLOG)  # asyncio's `backlog` is both, and the kernel may keep more

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, answer what was accepted, and stop the application."""
        self._last.ending = True
        started = asyncio.get_running_loop().time()
        taken = self._stop_accepting()
        await asyncio.gather(*taken, return_exceptions=True)  # who has gone by now gets no answer
        await asyncio.sleep(0.1)  # connections that asyncio took before are made
        waited, most = 0.1, min(self.config.timeout_keep_alive, self._limit)
        while self.server_state.connections and waited < most and not self.force_exit:
            await asyncio.sleep(0.05)
            waited = asyncio.get_running_loop().time() - started
        # What is idle now was idle for all that time; the rest is given what is left of the limit.
        self.config.timeout_graceful_shutdown = max(1, round(self._limit - waited))
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal to end. Unlike uvicorn, it is not raised again afterwards: to have drained is success."""
        self.force_exit = self._signalled
        # Answers tell it from now on: uvicorn looks at should_exit ten times a second only.
        self._signalled = self.should_exit = self._last.ending = True

    def _stop_accepting(self) -> list[asyncio.Future[object]]:
        """Take every connection that waits in the kernel, then close the listener, with nothing in between.

        Where another process holds the socket too, what comes later is left to that one.
        """
        loop = asyncio.get_running_loop()
        taken: list[asyncio.Future[object]] = []
        if self.servers:
            with contextlib.suppress(BlockingIOError):
                while True:
                    connection, _ = self._listener.accept()
                    connection.setblocking(False)
                    taken.append(asyncio.ensure_future(loop.connect_accepted_socket(self._protocol, connection)))
        for server in self.servers:
            server.close()
        self._listener.close()
        return taken

    def _protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
