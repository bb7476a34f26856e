"""What /metrics tells Prometheus; docs/operations says what each is for. Labels are kinds, phases, legs and releases of
this code, never anything a caller sent.
"""

import os
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from bento.asking.verdict import is_doubtful, legs_asked, legs_that_gave_it
from bento.errors import reasons
from bento.journals.reported import Reported
from bento.process.admission import Admission
from bento.settings import ServiceSettings
from bento.telling.logs import UNREAD
from catalog.actions import ACTIONS
from search.engine import Answer, SearchEngine
from search.query_cache import MODALITIES, Lookup
from search.ranking import LEGS_OF_KIND, QueryKind

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
KINDS: tuple[QueryKind, ...] = ("text", "image", "text+image", "product")
PHASES = (
    "read",
    "wait",
    "parse",
    "fetch_image",
    "understand",
    "decode",
    "encode",
    "retrieve",
    "rank",
    "fetch",
    "explain",
)


class Metrics:
    """The counters of one application; where several processes share PROMETHEUS_MULTIPROC_DIR, each tells their sum."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._shown = ""
        by_kind = ["kind", "release"]

        self.requests = self._counter("requests", "Requests answered.", ["route", "method", "status", "release"])
        self.request_seconds = self._histogram("request_seconds", "Whole requests.", "route")
        self.refusals = self._counter("refusals", "Requests refused, by the kind in the answer's body.", ["reason"])

        self.queries = self._counter(
            "queries", "Queries: searches, and products like one.", ["kind", "status", "release"]
        )
        self.query_seconds = self._histogram("query_seconds", "Whole requests that answered a query.", "kind")
        self.phase_seconds = self._histogram("phase_seconds", "Phases of an answered query.", "phase")
        self.hits = self._counter("hits", "Hits returned.", by_kind)
        self.zero_results = self._counter("zero_results", "Queries answered without a hit.", by_kind)
        self.low_confidence = self._counter(
            "low_confidence",
            "Answers whose best hit fewer than two of the legs asked have among their best 10.",
            by_kind,
        )
        self.leg_answers = self._counter(
            "leg_answers", "Answers with hits that a leg was asked for.", ["leg", *by_kind]
        )
        self.leg_top_hits = self._counter(
            "leg_top_hits", "Answers whose best hit a leg has among its own best 10.", ["leg", *by_kind]
        )

        self.in_flight = self._gauge("queries_in_flight", "Queries running or waiting.", "livesum")
        self.waiting = self._gauge("queries_waiting", "Queries waiting for a thread.", "livesum")
        self.places = self._gauge("query_places", "Most queries that may run or wait.", "livesum")
        self.expected_wait = self._gauge(
            "query_expected_wait_seconds", "Expected wait of the next query for a thread.", "livemax"
        )
        self.longest_wait = self._gauge(
            "query_longest_wait_seconds", "Expected wait from which queries are told 429; 0: not measured.", "livemax"
        )

        self.cache_lookups = self._counter(
            "query_cache_lookups", "Looks into the cache of query vectors.", ["modality", "outcome", "release"]
        )
        self.cache_evictions = self._counter("query_cache_evictions", "Vectors forgotten for newer ones.", ["release"])
        self.cache_vectors = self._gauge("query_cache_vectors", "Vectors held.", "livesum")
        self.cache_bytes = self._gauge("query_cache_bytes", "Bytes of the vectors held.", "livesum")
        self.cache_limit = self._gauge("query_cache_limit_vectors", "Most vectors held; 0 is no cache.", "livesum")

        self.journal_lines = self._counter("journal_lines", "Lines for the journal of answers.", ["outcome"])

        self.feedback = self._counter("feedback_events", "Events of feedback.", ["action", "outcome"])

        self.ready = self._gauge("ready", "1 while a process answers from its release.", "livemax")
        self.release = Gauge(
            "etalage_release_info",
            "1 for the release, encoder and collection that answer.",
            ["release", "encoder", "collection"],
            registry=self.registry,
            multiprocess_mode="livemax",
        )

    def started(self, settings: ServiceSettings) -> None:
        """Tell the limits that the service runs with."""
        for outcome in ("written", "lost"):
            self.journal_lines.labels(outcome)
        for action, kept in product(ACTIONS, ("kept", "repeated", "lost")):
            self.feedback.labels(action, kept)
        self.places.set(settings.threads + settings.queue)
        self.cache_limit.set(settings.query_cache)

    def answered(self, route: str, method: str, status: int, release: str, seconds: float) -> None:
        """One request is over, whatever its outcome."""
        self.requests.labels(route, method, str(status), release).inc()
        self.request_seconds.labels(route).observe(seconds)

    def refused(self, reason: str) -> None:
        """One request was refused; `reason` is a kind of bento.errors."""
        self.refusals.labels(reason).inc()

    def query_over(self, kind: str, status: int, release: str, seconds: float) -> None:
        """One request to an endpoint that searches is over; `kind` is one of KINDS, or UNREAD."""
        self.queries.labels(kind, str(status), release).inc()
        if status == 200:
            self.query_seconds.labels(kind).observe(seconds)

    def searched(self, kind: str, answer: Answer, timings_ms: Mapping[str, float]) -> None:
        """The engine answered one query."""
        self.hits.labels(kind, answer.release).inc(len(answer.hits))
        self.zero_results.labels(kind, answer.release).inc(0 if answer.hits else 1)
        self.low_confidence.labels(kind, answer.release).inc(1 if is_doubtful(answer) else 0)
        for leg in legs_asked(answer):
            self.leg_answers.labels(leg, kind, answer.release).inc()
        for leg in legs_that_gave_it(answer):
            self.leg_top_hits.labels(leg, kind, answer.release).inc()
        for phase, milliseconds in timings_ms.items():
            self.phase_seconds.labels(phase).observe(milliseconds / 1000)

    def queued(self, admission: Admission) -> None:
        """A query came or went."""
        self.in_flight.set(admission.in_flight)
        self.waiting.set(max(0, admission.in_flight - admission.threads))
        self.expected_wait.set(admission.expected_wait())
        self.longest_wait.set(admission.longest_wait or 0.0)

    def cached(self, lookup: Lookup) -> None:
        """One look into the cache of query vectors."""
        self.cache_lookups.labels(lookup.modality, "hit" if lookup.hit else "miss", lookup.release).inc()
        self.cache_evictions.labels(lookup.release).inc(lookup.evicted)
        self.cache_vectors.set(lookup.vectors)
        self.cache_bytes.set(lookup.nbytes)

    def journalled(self, outcome: str, lines: int) -> None:
        """Lines of the journal were "written" or "lost"."""
        self.journal_lines.labels(outcome).inc(lines)

    def reported(self, outcome: str, lines: Iterable[Reported]) -> None:
        """Events of feedback were "kept", known already ("repeated"), or "lost"."""
        for line in lines:
            self.feedback.labels(line.action, outcome).inc()

    def answers_from(self, engine: SearchEngine | None) -> None:
        """Tell which release answers, or that none does."""
        self.ready.set(0 if engine is None else 1)
        if engine is not None:
            self.release.labels(engine.release, engine.encoder.fingerprint, engine.collection.name).set(1)
            if engine.release != self._shown:
                self._shown = engine.release
                self._at_zero(engine.release)

    def page(self) -> bytes:
        """The text that Prometheus reads (CONTENT_TYPE)."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        _forget_the_dead(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def _at_zero(self, release: str) -> None:
        """Let every series of a release begin at 0: `rate` does not see the first event of one that begins at 1."""
        for kind, status in product((*KINDS, UNREAD), (200, 429, 500, 503)):
            self.queries.labels(kind, str(status), release)
        for kind in KINDS:
            self.query_seconds.labels(kind)
            for counter in (self.hits, self.zero_results, self.low_confidence):
                counter.labels(kind, release)
            for leg in LEGS_OF_KIND[kind]:
                self.leg_answers.labels(leg, kind, release)
                self.leg_top_hits.labels(leg, kind, release)
        for phase in PHASES:
            self.phase_seconds.labels(phase)
        for reason in reasons():
            self.refusals.labels(reason)
        for modality, outcome in product(MODALITIES, ("hit", "miss")):
            self.cache_lookups.labels(modality, outcome, release)
        self.cache_evictions.labels(release)

    def _counter(self, name: str, words: str, labels: list[str]) -> Counter:
        return Counter(f"etalage_{name}", words, labels, registry=self.registry)

    def _histogram(self, name: str, words: str, label: str) -> Histogram:
        return Histogram(f"etalage_{name}", words, [label], buckets=SECONDS, registry=self.registry)

    def _gauge(self, name: str, words: str, mode: str) -> Gauge:
        # The last of a worker's writes counts, and workers that have gone count no more.
        return Gauge(f"etalage_{name}", words, registry=self.registry, multiprocess_mode=mode)  # type: ignore[arg-type]


def _forget_the_dead(folder: Path) -> None:
    """Gauges are of processes that run; what a process has counted stays when it ends, however it ended."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)  # asks whether it is there, and sends nothing
        except ProcessLookupError:
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
