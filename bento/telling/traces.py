"""OpenTelemetry traces, switched by the standard environment: a span for each request, and one inside for each phase.

    OTEL_TRACES_EXPORTER=otlp|console|none   none by default; otlp where an OTEL_EXPORTER_OTLP_ENDPOINT is named

Spans are made when a request is over, from the line that the log has of it and the times that were measured anyway.
So a span says of a query what the log may say, the engine knows nothing of tracing, and nothing is imported or done
while it is off. A span is put into a bounded queue; a thread of the SDK's sends it: no request waits for a collector.
"""

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.datastructures import Headers

from catalog.errors import NotReady

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

logger = logging.getLogger("etalage.service")

FLUSH_SECONDS = 3.0
"""How long a service that stops waits for its last spans to be taken."""
SERVICE = "etalage"
ASKED = ("query", "query_hash")
"""Fields of a log line that tell of a query, where the setting allows."""
TOLD = {
    "request": "etalage.request_id",
    "kind": "etalage.kind",
    "release": "etalage.release",
    "hits": "etalage.hits",
    "key": "etalage.key",
    "reason": "etalage.reason",
}
"""Field of a log line -> attribute of a span. Not url.path nor url.query: they tell what was asked."""


class TraceSettings(BaseSettings):
    """What is read here of the standard environment; the SDK reads the rest of it (sampler, limits, headers...)."""

    model_config = SettingsConfigDict(env_prefix="OTEL_", frozen=True, extra="ignore", env_ignore_empty=True)

    traces_exporter: str = ""
    """Names with commas between them."""
    sdk_disabled: str = ""
    """Anything but "true" is false, says the standard."""
    exporter_otlp_endpoint: str = ""
    exporter_otlp_traces_endpoint: str = ""
    exporter_otlp_protocol: str = ""
    exporter_otlp_traces_protocol: str = ""

    def exporters(self) -> tuple[str, ...]:
        """Names in EXPORTERS, none where tracing is off. Raises NotReady for what the service has no exporter for."""
        endpoint = self.exporter_otlp_traces_endpoint or self.exporter_otlp_endpoint
        asked = self.traces_exporter or ("otlp" if endpoint else "none")
        names = tuple(dict.fromkeys(name.strip() for name in asked.split(",")))
        if self.sdk_disabled.strip().lower() == "true" or names == ("none",):
            return ()
        if unknown := sorted(set(names) - set(EXPORTERS)):
            there = ", ".join(EXPORTERS)
            raise NotReady(f"OTEL_TRACES_EXPORTER names {', '.join(unknown)}; there are {there}, and none alone.")
        protocol = self.exporter_otlp_traces_protocol or self.exporter_otlp_protocol or "http/protobuf"
        if "otlp" in names and protocol != "http/protobuf":
            raise NotReady(f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol}; traces are sent by http/protobuf only.")
        return names


class Traces:
    """The tracer of one application; it does nothing until it is opened, nor where the environment says so."""

    def __init__(self) -> None:
        self._provider: TracerProvider | None = None
        self._tracer: Tracer | None = None

    def open(self) -> None:
        """Begin, if the environment asks for it. Raises NotReady for what it cannot mean."""
        names = TraceSettings().exporters()
        if not names:
            return
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        named = OTELResourceDetector().detect().attributes  # OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME
        # Not the process's global provider: nothing else is to send spans because the service does.
        provider = TracerProvider(resource=Resource.create({"service.name": SERVICE, **named}), shutdown_on_exit=False)
        for name in names:
            provider.add_span_processor(BatchSpanProcessor(EXPORTERS[name]()))
        self._provider, self._tracer = provider, provider.get_tracer(SERVICE)
        logger.info("traces go to: %s", ", ".join(names))

    def record(
        self, headers: Headers, line: Mapping[str, Any], scheme: str, seconds: float, before: float = 0.0
    ) -> str | None:
        """Make the spans of a request that is over just now; returns the id of its trace, None where it has none.

        `headers` of the request may name the caller's span (W3C `traceparent`); `line` is its line in the log;
        `seconds`: its time; `before`: how much of it passed before the first of the line's phases began.
        """
        if self._tracer is None:
            return None
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        ended = time.time_ns()
        started = ended - _nanoseconds(seconds)
        sent = {name: headers.getlist(name) for name in ("traceparent", "tracestate") if name in headers}
        # An empty context: the current one may hold a span of BentoML's, which is sent nowhere.
        caller = TraceContextTextMapPropagator().extract(sent, Context())
        attributes = _attributes(line, scheme)
        name = " ".join(str(attributes[key]) for key in ("http.request.method", "http.route") if key in attributes)
        span = self._tracer.start_span(
            name.replace("_OTHER", "HTTP"), caller, SpanKind.SERVER, attributes=attributes, start_time=started
        )
        inside, at = set_span_in_context(span, Context()), started + _nanoseconds(before)
        if span.is_recording():
            # One after the other, as they run; only `understand` is really in two parts, before and after `encode`.
            for phase, milliseconds in line["phases_ms"].items():
                child = self._tracer.start_span(phase, inside, start_time=at)
                at += _nanoseconds(milliseconds / 1000)
                child.end(at)
        if line["status"] >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended)
        context = span.get_span_context()
        return format(context.trace_id, "032x") if context.trace_flags.sampled else None

    def close(self) -> None:
        """Send what waits, for FLUSH_SECONDS at most: a collector that is away must not hold up the service's end."""
        provider, self._provider, self._tracer = self._provider, None, None
        if provider is None:
            return
        flush = threading.Thread(target=provider.shutdown, name="last spans", daemon=True)
        flush.start()
        flush.join(FLUSH_SECONDS)
        if flush.is_alive():
            logger.warning("the last spans were not taken within %g seconds", FLUSH_SECONDS)


def _attributes(line: Mapping[str, Any], scheme: str) -> dict[str, str | int]:
    """By the semantic conventions for HTTP servers, and what the log line tells beside them."""
    found: dict[str, str | int] = {
        "http.request.method": "_OTHER" if line["method"] == "other" else line["method"],
        "url.scheme": scheme,
    }
    if line["route"] != "other":
        found["http.route"] = line["route"]
    if line["status"]:  # 0: the caller left before an answer
        found["http.response.status_code"] = line["status"]
    if line["status"] >= 500:
        found["error.type"] = line["reason"] or str(line["status"])
    found |= {attribute: line[field] for field, attribute in TOLD.items() if line[field] not in (None, "")}
    for field in ASKED:
        if field in line:
            told = line[field]
            found[f"etalage.{field}"] = told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
    return found


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)


def _otlp() -> "SpanExporter":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _console() -> "SpanExporter":
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter

    return ConsoleSpanExporter(out=sys.stdout, formatter=lambda span: f"{span.to_json(indent=None)}\n")


EXPORTERS: dict[str, Callable[[], "SpanExporter"]] = {"otlp": _otlp, "console": _console}
