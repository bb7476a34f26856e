"""The endpoints that ask the engine, and how a query gets its thread: /search, /similar, /products/{id}."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from bento.asking.bodies import BodyReader
from bento.asking.fetching import ImageFetcher
from bento.asking.reading import parse_fields, parse_search
from bento.asking.schemas import SearchRequest, SimilarRequest
from bento.guarding.envelope import NOTES
from bento.process.admission import Admission
from bento.process.readiness import Readiness
from bento.process.threads import QueryThreads
from bento.settings import ServiceSettings
from bento.telling.logs import UNREAD, Notes, QueryTeller
from bento.telling.metrics import Metrics
from catalog.words.tokens import language_of
from search.engine import Answer, Hit, Query, SearchEngine
from search.facets import FacetCounts
from search.query import WeightedTerm
from search.settings import SearchSettings

Found = TypeVar("Found")
BEYOND_THE_STORE = 0.3
"""Seconds that a query may take besides what a store over the network takes, waiting for a thread included."""
SMALL = 16 * 2**10
"""Bytes of a body that holds words only; one that is larger, is taken for one with a picture."""


@dataclass(frozen=True)
class Unfetched:
    """A query whose picture has to be fetched from `url`; `goes_on` answers it, with the seconds that parsing took."""

    url: str
    goes_on: Callable[[SearchEngine, bytes], tuple[Answer, float]]


class Queries:
    """What answers queries while the service runs. `readiness` holds the engine."""

    def __init__(self, settings: ServiceSettings, readiness: Readiness, metrics: Metrics) -> None:
        self.settings, self.readiness, self.metrics = settings, readiness, metrics
        self.admission = Admission(settings.threads, settings.queue, settings.patience)
        store, timeout = SearchSettings(), settings.query_timeout
        if store.asks_a_server:  # also where its client hangs in a way that has no time limit
            timeout = min(timeout, store.milvus_query_timeout_s + BEYOND_THE_STORE)
        self.threads = QueryThreads(self.admission, timeout, told=metrics.queued)
        self.reader = BodyReader(settings)
        self.fetcher = ImageFetcher(settings)
        self.teller = QueryTeller(settings)

    def close(self) -> None:
        """Take no more queries."""
        self.threads.close()
        self.fetcher.close()

    async def search(self, request: Request) -> Response:
        """POST /search."""
        notes: Notes = request.scope[NOTES]

        def ask(engine: SearchEngine, body: bytes) -> tuple[Answer, float] | Unfetched:
            started = time.perf_counter()
            fields, images = parse_search(body, request.headers.get("content-type", ""), self.settings)
            parsed = time.perf_counter() - started
            if fields.image_url is not None:
                return Unfetched(
                    fields.image_url, lambda engine, fetched: (find(engine, fields, (*images, fetched)), parsed)
                )
            return find(engine, fields, images), parsed

        def find(engine: SearchEngine, fields: SearchRequest, images: tuple[bytes, ...]) -> Answer:
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
                facets=tuple(fields.facets),
            )
            notes.kind, notes.asked = query.kind(), self.teller.of(query)
            words = query.words()
            notes.language = None if words is None else language_of(words)
            notes.k, notes.filters = query.k, tuple(query.filters)
            return engine.search(query)

        return await self._answered(request, ask)

    async def similar(self, request: Request) -> Response:
        """POST /similar."""
        notes: Notes = request.scope[NOTES]

        def ask(engine: SearchEngine, body: bytes) -> tuple[Answer, float]:
            started = time.perf_counter()
            fields = parse_fields(SimilarRequest, body, request.headers.get("content-type", ""), self.settings)
            parsed = time.perf_counter() - started
            notes.kind, notes.asked = "product", self.teller.like(fields.id)
            notes.k, notes.filters = fields.k, tuple(fields.filters)
            return engine.similar(fields.id, fields.k, fields.filters, explain=fields.explain), parsed

        return await self._answered(request, ask)

    async def _answered(
        self, request: Request, ask: Callable[[SearchEngine, bytes], tuple[Answer, float] | Unfetched]
    ) -> Response:
        started = time.perf_counter()
        notes: Notes = request.scope[NOTES]
        notes.kind, notes.began = UNREAD, started
        self.readiness.engine()
        self.admission.check()  # before the body is read; its place is taken after that: slow bodies hold none
        with self.reader.holding() as hold:
            body = await hold.read(request)
            read = time.perf_counter() - started
            size = "small" if len(body) <= SMALL else "large"
            found, waited = await self._asked(request, size, lambda engine: ask(engine, body))
            fetching = {}
            if isinstance(found, Unfetched):  # no thread is held while another server is waited for
                began, goes_on = time.perf_counter(), found.goes_on
                picture = await self.fetcher.fetch(found.url, hold.take)
                fetching = {"fetch_image": (time.perf_counter() - began) * 1000}
                (answer, parsed), again = await self._asked(request, "large", lambda engine: goes_on(engine, picture))
                waited += again
            else:
                answer, parsed = found
        timings = {"read": read * 1000, "wait": waited * 1000, "parse": parsed * 1000, **fetching}
        timings |= {phase: took for phase, took in answer.took_ms.items() if phase != "total"}
        notes.release, notes.hits, notes.phases_ms = answer.release, len(answer.hits), timings
        notes.answer = answer
        self.metrics.searched(notes.kind, answer, timings)
        return as_json(
            {
                "hits": [_hit(hit) for hit in answer.hits],
                "understood": None if answer.understood is None else answer.understood.to_json(),
                **({} if answer.facets is None else {"facets": _facets(answer.facets)}),
                "release": answer.release,
                "took_ms": round((time.perf_counter() - started) * 1000, 3),
                "timings_ms": {phase: round(took, 3) for phase, took in timings.items()},
            }
        )

    async def _asked(self, request: Request, size: str, work: Callable[[SearchEngine], Found]) -> tuple[Found, float]:
        """What `work` makes of the engine in a thread of the queries, and the seconds it waited for one."""
        until = self.readiness.until()
        return await self.threads.run(lambda: self.readiness.asked(work, until), f"{request.url.path} {size}")

    async def product(self, request: Request) -> Response:
        """GET /products/{id}."""
        started = time.perf_counter()
        self.readiness.engine()
        until, product_id = self.readiness.until(), request.path_params["product_id"]

        def ask(engine: SearchEngine) -> dict[str, Any]:
            return {"product": dict(engine.product(product_id)), "release": engine.release}

        found, _ = await self.threads.run(lambda: self.readiness.asked(ask, until), "product")
        return as_json({**found, "took_ms": round((time.perf_counter() - started) * 1000, 3)})


def _hit(hit: Hit) -> dict[str, Any]:
    legs = {leg: {"score": at.score, "rank": at.rank} for leg, at in hit.legs.items()}
    why: dict[str, Any] = {} if hit.contributions is None else {"contributions": dict(hit.contributions)}
    if hit.reasons is not None:
        why["reasons"] = hit.reasons.to_json()
    return {**hit.product, "id": hit.id, "score": hit.score, "rank": hit.rank, "legs": legs, **why}


def _facets(facets: Mapping[str, FacetCounts]) -> dict[str, Any]:
    return {field: [{"value": value, "count": count} for value, count in own] for field, own in facets.items()}


def as_json(content: dict[str, Any]) -> Response:
    """An answer, its letters as they are."""
    words = json.dumps(content, ensure_ascii=False, allow_nan=False)
    return Response(words, media_type="application/json")
