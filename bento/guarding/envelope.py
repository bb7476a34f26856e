"""What every answer carries, whatever happens inside: a request id, the release, the time it took, headers for
browsers, and a plain refusal instead of a stack trace. One line per request goes to the log (bento/telling/logs.py).
"""

import logging
import re
import secrets
import time
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from bento.errors import INTERNAL, UnknownRoute, body_of, headers_of, is_private, refusal_of
from bento.guarding.door import CALLER
from bento.guarding.headers import ON_EVERY_ANSWER, POLICY
from bento.telling.json_lines import FIELDS
from bento.telling.logs import Notes
from bento.telling.metrics import Metrics
from bento.telling.traces import Traces

access = logging.getLogger("etalage.access")
logger = logging.getLogger("etalage.service")

SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
STARTS = frozenset({"http.response.start", "websocket.http.response.start"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
QUIET = frozenset({"/healthz", "/livez", "/readyz", "/metrics"})
NOTES = "etalage.notes"
"""Key of a request's scope: the Notes that its endpoint writes on."""


class Envelope:
    """ASGI middleware around the routes. `release` tells the release id, or "" while none is known."""

    def __init__(
        self,
        app: ASGIApp,
        release: Callable[[], str],
        metrics: Metrics,
        traces: Traces,
        kept: Callable[[str, str, Notes, int, float], None],
    ) -> None:
        """`kept` hears of every query that is over: request id, release, notes, status, seconds."""
        self.app = app
        self.release = release
        self.metrics = metrics
        self.traces = traces
        self.kept = kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and put the envelope on its answer."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        asked_id = Headers(scope=scope).get("x-request-id", "")
        request_id = asked_id if SANE_ID.fullmatch(asked_id) else secrets.token_hex(8)
        notes = scope[NOTES] = Notes()
        status = 0

        async def enveloped(message: Message) -> None:
            nonlocal status
            if message["type"] in STARTS:
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers["X-Etalage-Release"] = self.release()
                headers["Server-Timing"] = f"total;dur={(time.perf_counter() - started) * 1000:.1f}"
                headers.update(ON_EVERY_ANSWER)
                headers.setdefault("Content-Security-Policy", POLICY)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if scope["type"] == "websocket":
            await _no_websocket(scope, request_id)(scope, receive, enveloped)
            return
        try:
            await self.app(scope, receive, enveloped)
        except Exception as error:  # the one place where an exception becomes an answer
            if status:
                raise
            notes.reason = refusal_of(error).kind
            self.metrics.refused(notes.reason)
            await _refusal(error, request_id)(scope, receive, enveloped)
        finally:
            self._record(scope, request_id, notes, status, started)

    def _record(self, scope: Scope, request_id: str, notes: Notes, status: int, started: float) -> None:
        seconds = time.perf_counter() - started
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in METHODS else "other"
        release = notes.release or self.release()
        self.metrics.answered(route, method, status, release, seconds)
        if notes.kind:
            self.metrics.query_over(notes.kind, status, release, seconds)
            self.kept(request_id, release, notes, status, seconds)
        if route in QUIET:
            return
        line = {
            "request": request_id,
            "method": method,
            "route": route,
            "kind": notes.kind or None,
            "status": status,
            "reason": notes.reason or None,
            "release": release,
            "key": scope.get(CALLER),
            "hits": notes.hits,
            "ms": round(seconds * 1000, 1),
            "phases_ms": {phase: round(took, 3) for phase, took in notes.phases_ms.items()},
            **notes.asked,
        }
        before = notes.began - started if notes.began else 0.0
        trace = self.traces.record(Headers(scope=scope), line, scope["scheme"], seconds, before)
        if trace is not None:
            line["trace"] = trace
        access.info("", extra={FIELDS: line})


def _no_websocket(scope: Scope, request_id: str) -> ASGIApp:
    """The service has none: a plain refusal, or an empty one from a server that cannot send it."""
    if "websocket.http.response" in scope.get("extensions", {}):
        return _refusal(UnknownRoute("There is no WebSocket here; /openapi.json lists what there is."), request_id)
    return WebSocketClose()


def _refusal(error: Exception, request_id: str) -> JSONResponse:
    refusal = refusal_of(error)
    if refusal is INTERNAL:
        logger.error("the request failed", exc_info=error, extra={FIELDS: {"request": request_id}})
    elif is_private(error):
        logger.warning("the request was refused: %s", error, extra={FIELDS: {"request": request_id}})
    return JSONResponse(body_of(error), refusal.status, headers_of(error))
