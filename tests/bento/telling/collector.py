"""A collector of traces: a real OTLP/HTTP server on this machine that keeps the spans it is sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SERVER = Span.SpanKind.SPAN_KIND_SERVER
ERROR = 2


class Collector:
    """What was sent to `endpoint`."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.spans: list[Span] = []
        self.resource: dict[str, Any] = {}
        self.raw = b""

    def take(self, body: bytes) -> None:
        """One request of an exporter."""
        self.raw += body
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resource = values(group.resource.attributes)
            self.spans += [span for scope in group.scope_spans for span in scope.spans]

    def requests(self) -> list[Span]:
        """The spans of whole requests, in the order in which they began."""
        return sorted((span for span in self.spans if span.kind == SERVER), key=lambda span: span.start_time_unix_nano)

    def inside(self, parent: Span) -> list[Span]:
        """The spans in another one, in their order."""
        found = [span for span in self.spans if span.parent_span_id == parent.span_id and span.kind != SERVER]
        return sorted(found, key=lambda span: (span.start_time_unix_nano, span.end_time_unix_nano))


def values(attributes: Any) -> dict[str, Any]:
    """Attributes as a dictionary."""

    def value(one: KeyValue) -> Any:
        return getattr(one.value, one.value.WhichOneof("value"))

    return {one.key: value(one) for one in attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector while it listens."""

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf"
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector that the environment names."""
    with collecting() as listening:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", listening.endpoint)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield listening
