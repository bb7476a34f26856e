"""Who comes in, what every answer carries, and the one place where an exception becomes an answer.

A browser comes with the cookie of a log-in, a script with the header that the service takes. Both need a key with the
scope `admin`, looked up anew at every request: one that is revoked opens nothing from then on.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from bento.errors import NoKey, UnknownKey
from bento.guarding.door import CALLER, Door
from bento.guarding.headers import ON_EVERY_ANSWER
from bento.telling.json_lines import FIELDS
from flows.admin.refusals import Forged, told
from flows.admin.sessions import SECONDS, Session, Sessions
from search.keys import ADMIN, Key

logger = logging.getLogger("etalage.admin")

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""Content-Security-Policy: its own style sheet, its own pictures, forms to itself; no script at all."""

COOKIE = "etalage_admin"
LOG_IN = "/login"
OPEN = frozenset({LOG_IN, "/style.css"})
VISITOR = "etalage.visitor"
HERE = frozenset({"same-origin", "none"})
"""Values of Sec-Fetch-Site of a form of ours, or of an address that was typed."""
KEY_HEADERS = ("authorization", "x-api-key")


@dataclass(frozen=True)
class Visitor:
    """Whoever was let in: by `session` in a browser, by a header where there is none."""

    key: Key
    session: Session | None

    @property
    def name(self) -> str:
        """For the record of what is done here."""
        return f"{self.key.name} (key {self.key.id}, etalage admin)"


class Gatekeeper:
    """Keys and sessions. `door` is the service's: it counts wrong keys by address, and reads the key file anew."""

    def __init__(self, door: Door, sessions: Sessions) -> None:
        self._door = door
        self._sessions = sessions

    def admit(self, request: Request) -> Visitor:
        """Raises NoKey, UnknownKey, WrongScope, RateLimited, and InvalidKeys for a broken key file."""
        if any(name in request.headers for name in KEY_HEADERS):
            return Visitor(self._by_header(request.scope), None)
        session = self._sessions.of(request.cookies.get(COOKIE, ""))
        if session is None:
            raise NoKey("This needs an API key with the scope admin: send it as Authorization: Bearer KEY, or log in.")
        key = self._key(session.key)
        if key is None or not key.allows(ADMIN):
            self._sessions.end(request.cookies[COOKIE])
            raise UnknownKey("The API key of this log-in was revoked.")
        return Visitor(key, session)

    def log_in(self, request: Request, secret: str) -> str:
        """The token of a new session, for a secret that somebody typed. Raises as `admit` does."""
        if not secret:
            raise NoKey("Type an API key first.")
        sent = {**request.scope, "headers": [(b"x-api-key", secret.encode("latin-1", "replace"))]}
        key = self._by_header(sent)
        logger.info("%s logged in", key.name, extra={FIELDS: {"key": key.id}})
        return self._sessions.begin(key.id)

    def log_out(self, request: Request) -> None:
        """End this browser's session."""
        self._sessions.end(request.cookies.get(COOKIE, ""))

    def _by_header(self, scope: Scope) -> Key:
        self._door.admit(scope, ADMIN)
        key = self._key(scope[CALLER])
        assert key is not None  # the door has just seen it
        return key

    def _key(self, id: str) -> Key | None:
        keys = self._door.keys()
        return next((key for key in keys.live() if key.id == id), None) if keys else None


class Entrance:
    """ASGI middleware around the pages. `page` makes one of a sentence, for a browser."""

    def __init__(self, app: ASGIApp, gatekeeper: Gatekeeper, page: Callable[[Request, str], str]) -> None:
        self.app = app
        self._gatekeeper = gatekeeper
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, and answer with a sentence whatever goes wrong."""
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def enveloped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.update(ON_EVERY_ANSWER)
                headers.setdefault("Content-Security-Policy", POLICY)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        request = Request(scope, receive)
        try:
            if request.method == "POST" and request.headers.get("sec-fetch-site", "none") not in HERE:
                raise Forged("This form came from another site, so nothing was done.")
            if scope["path"] not in OPEN:
                scope[VISITOR] = self._gatekeeper.admit(request)
            await self.app(scope, receive, enveloped)
        except Exception as error:
            if status:
                raise
            await self._refusal(request, error)(scope, receive, enveloped)
        finally:
            line = {"method": request.method, "path": scope["path"], "status": status, "key": scope.get(CALLER)}
            line["ms"] = round((time.perf_counter() - started) * 1000, 1)
            logger.info("", extra={FIELDS: line})

    def _refusal(self, request: Request, error: Exception) -> Response:
        status, sentence, headers = told(error)
        if not wants_a_page(request.headers):
            return PlainTextResponse(sentence + "\n", status, dict(headers))
        if status == 401 and request.method in ("GET", "HEAD"):
            after = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"{LOG_IN}?next={quote(after, safe='')}", 303)
        return Response(self._page(request, sentence), status, dict(headers), "text/html")


def wants_a_page(headers: Headers) -> bool:
    """Whether a browser asks, and no script."""
    return "text/html" in headers.get("accept", "")


def visitor_of(request: Request) -> Visitor:
    """Whoever was let in."""
    visitor: Visitor = request.scope[VISITOR]
    return visitor


def demand_proof(visitor: Visitor, form: dict[str, str]) -> None:
    """Raises Forged for a form that no page of this session showed. A header is proof: no browser sends one unasked."""
    if visitor.session is not None and not visitor.session.proves(form.get("proof", "")):
        raise Forged("This form is not from a page of this log-in, so nothing was done: open the page again.")


def give_cookie(request: Request, reply: Response, token: str) -> None:
    """Let the browser keep `token`, out of reach of scripts and other sites; over TLS alone where there is TLS."""
    secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", ""))
    reply.set_cookie(COOKIE, token, max_age=SECONDS, path="/", secure=secure, httponly=True, samesite="strict")


def inside(address: str) -> str:
    """`address` where it is a path of this server, else its first page: a log-in must lead nobody elsewhere."""
    own = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if own and not address.startswith(LOG_IN) else "/"
