"""The pages of the admin view over one home, and the one thing that can be done there: rolling back.

GET / /compare /slices /worst /quality /rollback /rollback/progress /pictures/{id} /releases/{id}/reports/{page}
GET /login /style.css   POST /login /logout /rollback
"""

import asyncio
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from bento.errors import UnknownRoute
from flows.admin import views
from flows.admin.catalogue import Catalogue
from flows.admin.entrance import (
    COOKIE,
    LOG_IN,
    Entrance,
    Gatekeeper,
    demand_proof,
    give_cookie,
    inside,
    visitor_of,
    wants_a_page,
)
from flows.admin.forms import read_form
from flows.admin.pages import page, style_sheet
from flows.admin.refusals import told
from flows.admin.rolling import Carry, Rollbacks, wish_of
from flows.releases import ReleaseStore

REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"
"""Content-Security-Policy of a report page that is kept with a release: all of it is inside, and nothing of it runs."""
EVERY_S = "3"
"""How often the page of a rollback that is under way is asked for again."""


def create_app(store: ReleaseStore, gatekeeper: Gatekeeper, catalogue: Catalogue, carry: Carry) -> ASGIApp:
    """The application. `carry` does a rollback."""
    reading, entering = Reading(store, catalogue), Entering(gatekeeper)
    moving = Moving(store, Rollbacks(store, carry))
    routes = [
        Route("/", reading.releases, methods=["GET"]),
        Route("/compare", reading.compare, methods=["GET"]),
        Route("/slices", reading.slices, methods=["GET"]),
        Route("/worst", reading.worst, methods=["GET"]),
        Route("/quality", reading.quality, methods=["GET"]),
        Route("/releases/{release}/reports/{name}", reading.report, methods=["GET"]),
        Route("/pictures/{picture_id}", catalogue.picture, methods=["GET"]),
        Route("/rollback", moving.ask, methods=["GET"]),
        Route("/rollback", moving.begin, methods=["POST"]),
        Route("/rollback/progress", moving.progress, methods=["GET"]),
        Route(LOG_IN, entering.ask, methods=["GET"]),
        Route(LOG_IN, entering.log_in, methods=["POST"]),
        Route("/logout", entering.log_out, methods=["POST"]),
        Route("/style.css", style, methods=["GET"]),
    ]
    return Entrance(Router(routes, default=nothing_here), gatekeeper, refused)


class Reading:
    """The pages that only show."""

    def __init__(self, store: ReleaseStore, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue

    async def releases(self, request: Request) -> Response:
        """All releases, newest first."""
        return await shown(request, "releases", partial(views.releases, self._store))

    async def compare(self, request: Request) -> Response:
        """Those that were chosen, side by side."""
        chosen = request.query_params.getlist("release")
        return await shown(request, "compare", partial(views.compare, self._store, self._catalogue, chosen))

    async def slices(self, request: Request) -> Response:
        """Their slices as heat maps."""
        chosen = request.query_params.getlist("release")
        return await shown(request, "slices", partial(views.slices, self._store, chosen))

    async def worst(self, request: Request) -> Response:
        """The worst queries of one of them."""
        asked, chosen = request.query_params, request.query_params.getlist("release")
        of, kind = asked.get("of", ""), asked.get("kind", "")
        return await shown(request, "worst", partial(views.worst, self._store, self._catalogue, chosen, of, kind))

    async def quality(self, request: Request) -> Response:
        """All releases over time."""
        return await shown(request, "quality", partial(views.quality, self._store))

    async def report(self, request: Request) -> Response:
        """A report page that is kept with a release."""
        path = await run_in_threadpool(views.report, self._store, **request.path_params)
        content = await run_in_threadpool(path.read_bytes)
        return Response(content, media_type="text/html", headers={"Content-Security-Policy": REPORT_POLICY})


class Moving:
    """The pages that roll back."""

    def __init__(self, store: ReleaseStore, rollbacks: Rollbacks) -> None:
        self._store = store
        self._rollbacks = rollbacks

    async def ask(self, request: Request) -> Response:
        """What would change, and the form that does it."""
        if self._rollbacks.under_way is not None:
            return RedirectResponse("/rollback/progress", 303)
        return await shown(request, "rollback", partial(views.rollback, self._store))

    async def begin(self, request: Request) -> Response:
        """Begin. A browser is sent to see how it goes; a script is answered when it is over."""
        form, visitor = await read_form(request), visitor_of(request)
        demand_proof(visitor, form)
        task = self._rollbacks.begin(wish_of(form, visitor.name))
        if wants_a_page(request.headers):
            return RedirectResponse("/rollback/progress", 303)
        outcome = await asyncio.shield(task)  # whoever hangs up stops nothing
        return PlainTextResponse(outcome.sentence + "\n", 200 if outcome.done else 409)

    async def progress(self, request: Request) -> Response:
        """How the last one goes, or went."""
        reply = await shown(request, "progress", partial(views.progress, self._store, self._rollbacks))
        if self._rollbacks.under_way is not None:
            reply.headers["Refresh"] = EVERY_S
        return reply


class Entering:
    """Logging in and out."""

    def __init__(self, gatekeeper: Gatekeeper) -> None:
        self._gatekeeper = gatekeeper

    async def ask(self, request: Request) -> Response:
        """The form that takes a key."""
        return HTMLResponse(page("login", request, next=inside(request.query_params.get("next", "")), wrong=""))

    async def log_in(self, request: Request) -> Response:
        """A session for the right key; else the form again, with a sentence."""
        form = await read_form(request)
        after = inside(form.get("next", ""))
        try:
            token = self._gatekeeper.log_in(request, form.get("key", ""))
        except Exception as error:  # noqa: BLE001 - every refusal is told on the form
            status, sentence, headers = told(error)
            return HTMLResponse(page("login", request, next=after, wrong=sentence), status, dict(headers))
        reply = RedirectResponse(after, 303)
        give_cookie(request, reply, token)
        return reply

    async def log_out(self, request: Request) -> Response:
        """End the session."""
        demand_proof(visitor_of(request), await read_form(request))
        self._gatekeeper.log_out(request)
        reply = RedirectResponse(LOG_IN, 303)
        reply.delete_cookie(COOKIE, path="/")
        return reply


async def shown(request: Request, name: str, read: "partial[views.Told]") -> Response:
    """The page `name` of what `read` finds; both in a thread, since files are read."""

    def made() -> str:
        return page(name, request, **read())

    return HTMLResponse(await run_in_threadpool(made))


def refused(request: Request, sentence: str) -> str:
    """A page with one sentence."""
    return page("refused", request, sentence=sentence)


async def style(request: Request) -> Response:
    """The style sheet of all pages."""
    return Response(style_sheet(), media_type="text/css", headers={"Cache-Control": "no-cache"})


async def nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    """Every other path."""
    raise UnknownRoute("There is no such page.")
