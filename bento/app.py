"""The HTTP application: Starlette routes around one SearchEngine. It knows nothing of BentoML.

POST /search /similar /feedback  GET /products/{id} /pictures/{id} / /page/{file} /openapi.json /healthz /livez
/readyz /metrics
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import BinaryIO

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from bento.asking.pictures import Pictures
from bento.asking.queries import Queries, as_json
from bento.errors import UnknownRoute, WrongMethod
from bento.feedback.endpoint import Feedback
from bento.guarding.addresses import listening
from bento.guarding.door import Door, needs
from bento.guarding.envelope import Envelope
from bento.journals.answered import answered
from bento.journals.journal import Journal, feedback_folder, journal_folder
from bento.openapi.document import openapi
from bento.page.files import HOME, page_file
from bento.process.readiness import Readiness
from bento.settings import ServiceSettings
from bento.telling.logs import Notes
from bento.telling.metrics import CONTENT_TYPE, Metrics
from bento.telling.traces import Traces
from search.engine import SearchEngine
from search.in_use import hold
from search.keys import KeyScope
from search.settings import SearchSettings

logger = logging.getLogger("etalage.service")


def create_app(
    load: Callable[[], SearchEngine],
    *,
    release: Callable[[], str] = str,
    settings: ServiceSettings | None = None,
    bound: Callable[[], tuple[str, ...]] = listening,
    metrics: Metrics | None = None,
) -> Starlette:
    """An application that opens its engine with `load` once it is started, again and again until it works.

    `load` runs in a thread and raises NotReady, EncoderMismatch or ReleaseNotFound with the reason while it cannot.
    `release` tells the id before the engine is open, "" if unknown. `settings` come from the environment by default.
    `bound` tells at the start which addresses are listened on: without API keys, only this machine may reach them.
    `metrics`: those that what `load` builds counts in too; its own by default.
    """
    service = Service(load, release, settings, bound, metrics or Metrics())
    search, admin = needs("search", service.admit), needs("admin", service.admit)
    app = Starlette(
        routes=[
            Route("/search", service.search, methods=["POST"], middleware=search),
            Route("/similar", service.similar, methods=["POST"], middleware=search),
            Route("/products/{product_id:path}", service.product, methods=["GET"], middleware=search),
            Route("/feedback", service.report, methods=["POST"], middleware=needs("feedback", service.admit)),
            Route("/healthz", service.alive, methods=["GET"]),
            Route("/livez", service.alive, methods=["GET"]),
            Route("/readyz", service.ready, methods=["GET"]),
            Route("/metrics", service.show_metrics, methods=["GET"], middleware=admin),
            Route("/openapi.json", service.show_openapi, methods=["GET"]),
            Route("/pictures/{picture_id}", service.picture, methods=["GET"], middleware=search),
            Route("/", service.show_page, methods=["GET"]),
            Route("/page/{name}", service.show_page, methods=["GET"]),
        ],
        middleware=[
            Middleware(
                Envelope,
                release=service.release,
                metrics=service.metrics,
                traces=service.traces,
                kept=service.keep,
            )
        ],
        exception_handlers={HTTPException: _routing_error},
        lifespan=service.running,
    )
    app.router.redirect_slashes = False
    return app


def _routing_error(request: Request, error: Exception) -> Response:
    """Starlette's own refusals, told in the words of the table."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        raise WrongMethod(f"This path does not answer to {request.method[:10]}.")
    raise UnknownRoute("There is nothing at this path; /openapi.json lists what there is.")


class Service:
    """The endpoints of one application, and what they share while it runs."""

    def __init__(
        self,
        load: Callable[[], SearchEngine],
        release: Callable[[], str],
        settings: ServiceSettings | None,
        bound: Callable[[], tuple[str, ...]],
        metrics: Metrics,
    ) -> None:
        self._load = load
        self._release = release
        self._settings = settings
        self._bound = bound
        self.metrics = metrics
        self.traces = Traces()
        self.journal = Journal(metrics.journalled)
        self.reports = Journal(lambda *_: None, of="feedback events", durable=True)  # counted by what becomes of each

    @contextlib.asynccontextmanager
    async def running(self, _: Starlette) -> AsyncIterator[None]:
        """Start to open the release, and stop when the server does."""
        self.settings = self._settings or ServiceSettings()
        self.traces.open()
        self.door = Door(self.settings, self._bound)
        self.door.tell()
        store = SearchSettings()
        patience = store.milvus_query_timeout_s if store.asks_a_server else self.settings.query_timeout
        self.readiness = Readiness(self._load, self.settings, patience)
        self.queries = Queries(self.settings, self.readiness, self.metrics)
        self.feedback = Feedback(self.settings, self.reports, self.metrics, self.queries.teller)
        self.pictures = Pictures(self.settings.pictures)
        self.metrics.started(self.settings)
        for journal, folder in ((self.journal, journal_folder), (self.reports, feedback_folder)):
            where = folder(SearchSettings().home, self.settings)
            journal.open(where, self.settings.journal_bytes, self.settings.journal_days)
        held = self._hold()
        opening = asyncio.create_task(self.readiness.keep_open())
        try:
            yield
        finally:
            if held is not None:
                held.close()
            opening.cancel()
            self.readiness.close()
            self.queries.close()
            self.feedback.close()
            ends = (self.traces.close, self.journal.close, self.reports.close)
            await asyncio.gather(*map(asyncio.to_thread, ends))

    def _hold(self) -> BinaryIO | None:
        """Let `etalage gc` see what is served here, where there is a home. Raises NotReady while it removes it."""
        home, release = SearchSettings().home, self._release()
        if not release or not home.is_dir():
            return None
        try:
            return hold(home, release)
        except OSError as error:
            logger.warning("`etalage gc` cannot see that release %s is served: %s", release, error.strerror or error)
            return None

    def release(self) -> str:
        """The id of the release that answers, as far as it is known."""
        engine = self.readiness.opened()
        return self._release() if engine is None else engine.release

    def keep(self, request: str, release: str, notes: Notes, status: int, seconds: float) -> None:
        """Put a query that is over into the journal."""
        if self.journal.is_open:
            self.journal.note(answered(request, release, notes, status, seconds, self.settings.journal_hits))

    def admit(self, scope: Scope, need: KeyScope) -> None:
        """Let the request pass to a route that needs `need`, or raise why not."""
        self.door.admit(scope, need)

    async def search(self, request: Request) -> Response:
        """POST /search."""
        return await self.queries.search(request)

    async def similar(self, request: Request) -> Response:
        """POST /similar."""
        return await self.queries.similar(request)

    async def product(self, request: Request) -> Response:
        """GET /products/{id}."""
        return await self.queries.product(request)

    async def report(self, request: Request) -> Response:
        """POST /feedback."""
        return await self.feedback.report(request)

    async def alive(self, _: Request) -> Response:
        """GET /healthz, /livez: the process answers, ready or not."""
        return as_json({"status": "alive", "release": self.release()})

    async def ready(self, _: Request) -> Response:
        """GET /readyz: 200 when a probe query was answered just now, 503 with the reason otherwise."""
        self.door.keys()
        proof = await self.readiness.prove()
        return as_json({"status": "ready", "release": self.release(), "probe_ms": round(proof.took_ms, 3)})

    async def show_metrics(self, _: Request) -> Response:
        """GET /metrics."""
        self.metrics.answers_from(self.readiness.opened())
        return Response(self.metrics.page(), media_type=CONTENT_TYPE)

    async def show_openapi(self, _: Request) -> Response:
        """GET /openapi.json."""
        return JSONResponse(openapi())

    async def picture(self, request: Request) -> Response:
        """GET /pictures/{id}."""
        return await self.pictures.show(request)

    async def show_page(self, request: Request) -> Response:
        """GET /, and the files of the page: it needs nothing from outside."""
        return page_file(request.path_params.get("name", HOME), request)
