"""What /metrics tells Prometheus. Labels are routes and phases of this code, never anything a caller sent."""

import os
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from search.engine import SearchEngine

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The counters of one application. Several worker processes are added up where BentoML starts several."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "etalage_requests", "Requests answered.", ["route", "method", "status"], registry=registry
        )
        self.request_seconds = Histogram(
            "etalage_request_seconds", "Whole requests.", ["route"], buckets=SECONDS, registry=registry
        )
        self.phase_seconds = Histogram(
            "etalage_phase_seconds", "Phases of a query.", ["phase"], buckets=SECONDS, registry=registry
        )
        self.hits = Counter("etalage_hits", "Hits returned.", ["route"], registry=registry)
        self.zero_results = Counter(
            "etalage_zero_results", "Queries answered without a hit.", ["route"], registry=registry
        )
        self.in_flight = Gauge(
            "etalage_queries_in_flight", "Queries running or waiting.", registry=registry, multiprocess_mode="livesum"
        )
        self.ready = Gauge(
            "etalage_ready", "1 while the release answers.", registry=registry, multiprocess_mode="livemin"
        )
        self.release = Gauge(
            "etalage_release_info",
            "1 for the release, encoder and collection that answer.",
            ["release", "encoder", "collection"],
            registry=registry,
            multiprocess_mode="livemax",
        )

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """One request is over, whatever its outcome."""
        self.requests.labels(route, method, str(status)).inc()
        self.request_seconds.labels(route).observe(seconds)

    def searched(self, route: str, hits: int, timings_ms: Mapping[str, float]) -> None:
        """One query was answered with `hits` hits."""
        self.hits.labels(route).inc(hits)
        self.zero_results.labels(route).inc(0 if hits else 1)
        for phase, milliseconds in timings_ms.items():
            self.phase_seconds.labels(phase).observe(milliseconds / 1000)

    def answers_from(self, engine: SearchEngine | None) -> None:
        """Tell which release answers, or that none does."""
        self.ready.set(0 if engine is None else 1)
        if engine is not None:
            self.release.labels(engine.release, engine.encoder.fingerprint, engine.collection.name).set(1)

    def page(self) -> bytes:
        """The text that Prometheus reads (CONTENT_TYPE)."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)
