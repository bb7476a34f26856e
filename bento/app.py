"""The HTTP application: Starlette routes around one SearchEngine. It knows nothing of BentoML.

POST /search  POST /similar  GET /products/{id}  GET /  GET /openapi.json  /healthz /livez /readyz /metrics
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from bento.addresses import listening
from bento.bodies import BodyReader
from bento.door import Door, needs
from bento.envelope import NOTES, Envelope
from bento.errors import UnknownRoute, WrongMethod
from bento.headers import page_policy
from bento.logs import UNREAD, Notes, QueryTeller
from bento.metrics import CONTENT_TYPE, Metrics
from bento.openapi import openapi
from bento.readiness import Readiness
from bento.reading import parse_fields, parse_search
from bento.schemas import SimilarRequest
from bento.settings import ServiceSettings
from bento.threads import QueryThreads
from search.engine import Answer, Hit, Query, SearchEngine
from search.keys import KeyScope
from search.query import WeightedTerm

PAGE = Path(__file__).with_name("page.html")


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
            Route("/healthz", service.alive, methods=["GET"]),
            Route("/livez", service.alive, methods=["GET"]),
            Route("/readyz", service.ready, methods=["GET"]),
            Route("/metrics", service.show_metrics, methods=["GET"], middleware=admin),
            Route("/openapi.json", service.show_openapi, methods=["GET"]),
            Route("/", service.show_page, methods=["GET"]),
        ],
        middleware=[Middleware(Envelope, release=service.release, metrics=service.metrics)],
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

    @contextlib.asynccontextmanager
    async def running(self, _: Starlette) -> AsyncIterator[None]:
        """Start to open the release, and stop when the server does."""
        self.settings = self._settings or ServiceSettings()
        self.door = Door(self.settings, self._bound)
        self.door.tell()
        self.readiness = Readiness(self._load, self.settings)
        limits = (self.settings.threads, self.settings.queue, self.settings.query_timeout)
        self.threads = QueryThreads(*limits, told=self.metrics.queued)
        self.reader = BodyReader(self.settings)
        self.teller = QueryTeller(self.settings)
        self.metrics.started(self.settings)
        opening = asyncio.create_task(self.readiness.open())
        try:
            yield
        finally:
            opening.cancel()
            self.readiness.close()
            self.threads.close()

    def release(self) -> str:
        """The id of the release that answers, as far as it is known."""
        engine = self.readiness.opened()
        return self._release() if engine is None else engine.release

    def admit(self, scope: Scope, need: KeyScope) -> None:
        """Let the request pass to a route that needs `need`, or raise why not."""
        self.door.admit(scope, need)

    async def search(self, request: Request) -> Response:
        """POST /search."""
        notes: Notes = request.scope[NOTES]

        def ask(engine: SearchEngine, body: bytes) -> tuple[Answer, float]:
            started = time.perf_counter()
            fields, images = parse_search(body, request.headers.get("content-type", ""), self.settings)
            parsed = time.perf_counter() - started
            query = Query(
                text=fields.text,
                images=images,
                k=fields.k,
                filters=fields.filters,
                legs=None if fields.legs is None else tuple(fields.legs),
                text_weight=fields.text_weight,
                understand=fields.understand,
                terms=tuple(WeightedTerm(term.text, term.weight) for term in fields.terms),
                explain=fields.explain,
            )
            notes.kind, notes.asked = query.kind(), self.teller.of(query)
            return engine.search(query), parsed

        return await self._answered(request, ask)

    async def similar(self, request: Request) -> Response:
        """POST /similar."""
        notes: Notes = request.scope[NOTES]

        def ask(engine: SearchEngine, body: bytes) -> tuple[Answer, float]:
            started = time.perf_counter()
            fields = parse_fields(SimilarRequest, body, request.headers.get("content-type", ""), self.settings)
            parsed = time.perf_counter() - started
            notes.kind, notes.asked = "product", self.teller.like(fields.id)
            return engine.similar(fields.id, fields.k, fields.filters), parsed

        return await self._answered(request, ask)

    async def _answered(self, request: Request, ask: Callable[[SearchEngine, bytes], tuple[Answer, float]]) -> Response:
        started = time.perf_counter()
        notes: Notes = request.scope[NOTES]
        notes.kind = UNREAD
        engine = self.readiness.engine()
        with self.reader.holding() as hold:
            body = await hold.read(request)
            read = time.perf_counter() - started
            (answer, parsed), waited = await self.threads.run(lambda: ask(engine, body))
        timings = {"read": read * 1000, "wait": waited * 1000, "parse": parsed * 1000}
        timings |= {phase: took for phase, took in answer.took_ms.items() if phase != "total"}
        notes.release, notes.hits, notes.phases_ms = answer.release, len(answer.hits), timings
        self.metrics.searched(notes.kind, answer, timings)
        return _json(
            {
                "hits": [_hit(hit) for hit in answer.hits],
                "understood": None if answer.understood is None else answer.understood.to_json(),
                "release": answer.release,
                "took_ms": round((time.perf_counter() - started) * 1000, 3),
                "timings_ms": {phase: round(took, 3) for phase, took in timings.items()},
            }
        )

    async def product(self, request: Request) -> Response:
        """GET /products/{id}."""
        started = time.perf_counter()
        engine = self.readiness.engine()
        product, _ = await self.threads.run(lambda: engine.product(request.path_params["product_id"]))
        took = round((time.perf_counter() - started) * 1000, 3)
        return _json({"product": dict(product), "release": engine.release, "took_ms": took})

    async def alive(self, _: Request) -> Response:
        """GET /healthz, /livez: the process answers, ready or not."""
        return _json({"status": "alive", "release": self.release()})

    async def ready(self, _: Request) -> Response:
        """GET /readyz: 200 when a probe query was answered just now, 503 with the reason otherwise."""
        self.door.keys()
        proof = await self.readiness.prove()
        return _json({"status": "ready", "release": self.release(), "probe_ms": round(proof.took_ms, 3)})

    async def show_metrics(self, _: Request) -> Response:
        """GET /metrics."""
        self.metrics.answers_from(self.readiness.opened())
        return Response(self.metrics.page(), media_type=CONTENT_TYPE)

    async def show_openapi(self, _: Request) -> Response:
        """GET /openapi.json."""
        return JSONResponse(openapi())

    async def show_page(self, _: Request) -> Response:
        """GET /: a search box that needs nothing from outside."""
        page = PAGE.read_text(encoding="utf-8")
        return HTMLResponse(page, headers={"Content-Security-Policy": page_policy(page)})


def _hit(hit: Hit) -> dict[str, Any]:
    legs = {leg: {"score": at.score, "rank": at.rank} for leg, at in hit.legs.items()}
    why = {} if hit.contributions is None else {"contributions": dict(hit.contributions)}
    return {**hit.product, "id": hit.id, "score": hit.score, "rank": hit.rank, "legs": legs, **why}


def _json(content: dict[str, Any]) -> Response:
    words = json.dumps(content, ensure_ascii=False, allow_nan=False)
    return Response(words, media_type="application/json")
