"""Traces: a span a request with its phases inside, sent where the environment says; nothing at all by default."""

import json
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import bento.telling.traces
from bento.app import create_app
from bento.packing.build import PROJECT
from bento.process.serve import serve_command
from bento.settings import ServiceSettings
from bento.telling.traces import Traces, TraceSettings
from catalog.errors import NotReady
from tests.bento.hostile import JPEG, b64
from tests.bento.process.test_readiness import wait_for
from tests.bento.telling.collector import ERROR, Collector, collector, values
from tests.bento.telling.test_logs import ASKED, SECRETS, Lines, lines_of, log
from tests.bento.world import make_engine

__all__ = ["collector", "log"]

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CALLER = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
PHASES = ["read", "wait", "parse", "understand", "encode", "retrieve", "rank", "fetch"]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of tracing in the environment but what a test puts there."""
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


def test_a_search_is_a_span_inside_its_callers_with_its_phases_inside_in_their_order(collector: Collector, log: Lines):
    search = {"json": {"text": "red dress", "k": 3}, "headers": {**CALLER, "X-Request-Id": "order-66"}}
    (line,) = lines_of(log, search)
    (span,) = collector.requests()
    assert (span.trace_id.hex(), span.parent_span_id.hex(), span.name) == (TRACE, PARENT, "POST /search")
    assert values(span.attributes) == {
        "http.request.method": "POST", "http.route": "/search", "http.response.status_code": 200, "url.scheme": "http",
        "etalage.release": "r1", "etalage.kind": "text", "etalage.request_id": "order-66", "etalage.hits": 3,
    }  # fmt: skip
    assert collector.resource["service.name"] == "etalage"
    assert line["trace"] == TRACE
    phases = collector.inside(span)
    assert [phase.name for phase in phases] == PHASES
    ends = [span.start_time_unix_nano]
    for phase in phases:
        assert phase.trace_id == span.trace_id
        assert ends[-1] <= phase.start_time_unix_nano <= phase.end_time_unix_nano
        ends.append(phase.end_time_unix_nano)
    assert ends[-1] <= span.end_time_unix_nano
    took = {phase.name: (phase.end_time_unix_nano - phase.start_time_unix_nano) / 1e6 for phase in phases}
    assert took == pytest.approx(line["phases_ms"], abs=1e-3)


def test_a_photo_has_a_span_for_its_decoding_before_that_of_its_encoding(collector: Collector, log: Lines):
    lines_of(log, {"json": {"image": b64(JPEG)}}, {"url": "/similar", "json": {"id": "p0"}})
    photo, similar = (
        [phase.name for phase in collector.inside(span) if phase.name in ("decode", "encode")]
        for span in collector.requests()
    )
    assert (photo, similar) == (["decode", "encode"], ["encode"])


def test_a_request_without_a_caller_begins_a_trace_and_a_caller_that_is_nonsense_is_none(
    collector: Collector, log: Lines
):
    nonsense = ["", "zebra", f"00-{'0' * 32}-{PARENT}-01", f"ff-{TRACE}-{PARENT}-01"]
    search = {"json": {"text": "red"}}
    lines = lines_of(log, search, *({**search, "headers": {"traceparent": value}} for value in nonsense))
    spans = collector.requests()
    assert [span.parent_span_id for span in spans] == [b""] * 5
    assert len({span.trace_id for span in spans} - {bytes.fromhex(TRACE)}) == 5
    assert [line["trace"] for line in lines] == [span.trace_id.hex() for span in spans]


def test_what_the_caller_or_the_sampler_leaves_out_is_not_sent_and_its_line_names_no_trace(
    collector: Collector, log: Lines, monkeypatch: pytest.MonkeyPatch
):
    unsampled = {"traceparent": f"00-{TRACE}-{PARENT}-00"}
    (line,) = lines_of(log, {"json": {"text": "red"}, "headers": unsampled})
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    first, second = lines_of(log, {"json": {"text": "red"}}, {"json": {"text": "red"}, "headers": CALLER})
    assert ["trace" in one for one in (line, first, second)] == [False, False, True]
    assert [span.trace_id.hex() for span in collector.requests()] == [TRACE]


class Closed:
    """A release that cannot be opened."""

    def __call__(self) -> Any:
        raise NotReady("The store is away.")


def test_refusals_tell_status_and_reason_and_only_our_own_failures_are_errors(collector: Collector, log: Lines):
    full = ServiceSettings(max_held_bytes=1)
    requests: list[tuple[ServiceSettings, Any, dict[str, Any]]] = [
        (ServiceSettings(), make_engine, {"json": {"text": "zebra", "legs": ["nose"]}}),
        (full, make_engine, {"json": {"text": "zebra"}}),
        (ServiceSettings(), Closed(), {"json": {"text": "zebra"}}),
        (ServiceSettings(), make_engine, {"url": "/nothing"}),
        (ServiceSettings(), make_engine, {"method": "BREW"}),
    ]
    for settings, load, request in requests:
        with TestClient(create_app(load, release=lambda: "r1", settings=settings)) as client:
            if load is make_engine:
                wait_for(client, "/readyz", 200)
            client.request(**{"method": "POST", "url": "/search", **request})
    told = [(span.name, values(span.attributes), span.status.code) for span in collector.requests()]
    assert [
        (name, found["http.response.status_code"], found["etalage.reason"], found.get("error.type"), status)
        for name, found, status in told
    ] == [
        ("POST /search", 400, "invalid_query", None, 0),
        ("POST /search", 429, "busy", None, 0),
        ("POST /search", 503, "not_ready", "not_ready", ERROR),
        ("POST", 404, "unknown_route", None, 0),
        ("HTTP /search", 405, "wrong_method", None, 0),
    ]
    assert told[4][1]["http.request.method"] == "_OTHER"
    assert len(collector.spans) == 5 and b"zebra" not in collector.raw


@pytest.mark.parametrize("how", ["none", "hash"])
def test_without_leave_not_a_word_of_a_query_leaves_the_service(collector: Collector, log: Lines, how: str):
    lines = lines_of(log, *ASKED, log_queries=how)
    spans = collector.requests()
    assert len(spans) == len(ASKED)
    assert not any(secret.encode() in collector.raw for secret in SECRETS)
    hashes = [values(span.attributes).get("etalage.query_hash") for span in spans]
    assert hashes == [line.get("query_hash") for line in lines]
    assert [told is not None for told in hashes[:4]] == [how == "hash"] * 4


def test_with_leave_the_span_tells_the_query_as_the_log_does(collector: Collector, log: Lines):
    (line,) = lines_of(log, {"json": {"text": "红色 dress"}}, log_queries="plain")
    (span,) = collector.requests()
    assert json.loads(values(span.attributes)["etalage.query"]) == line["query"] == {"text": "红色 dress"}


def test_probes_and_scrapes_are_no_spans(collector: Collector, log: Lines):
    quiet = [{"method": "GET", "url": path} for path in ("/readyz", "/healthz", "/livez", "/metrics")]
    lines_of(log, *quiet)
    assert collector.spans == []


def test_the_service_is_called_what_the_environment_calls_it(
    collector: Collector, log: Lines, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop-search")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    lines_of(log, {"json": {"text": "red"}})
    assert (collector.resource["service.name"], collector.resource["deployment.environment.name"]) == (
        "shop-search",
        "test",
    )


def test_a_collector_that_hangs_costs_spans_and_no_request(
    log: Lines, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(bento.telling.traces, "FLUSH_SECONDS", 0.2)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "8")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # it takes connections and never answers
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        with caplog.at_level(logging.WARNING):
            lines = lines_of(log, *[{"json": {"text": "red"}}] * 20)
    assert [line["status"] for line in lines] == [200] * 20
    assert any("dropping Span" in record.getMessage() for record in caplog.records)
    assert any("the last spans were not taken" in shown for shown in log.lines)


def test_a_collector_that_is_not_there_costs_no_request_and_the_log_says_so(
    log: Lines, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(bento.telling.traces, "FLUSH_SECONDS", 0.2)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.1")
    with socket.create_server(("127.0.0.1", 0)) as gone:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{gone.getsockname()[1]}")
    with caplog.at_level(logging.WARNING):
        lines = lines_of(log, *[{"json": {"text": "red"}}] * 5)
    assert [line["status"] for line in lines] == [200] * 5
    assert any(record.name.startswith("opentelemetry.exporter") for record in caplog.records)


def test_the_console_gets_one_line_of_json_a_span(
    log: Lines, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    lines_of(log, {"json": {"text": "red"}, "headers": CALLER})
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(span["name"] for span in shown) == sorted([*PHASES, "POST /search"])
    assert {span["context"]["trace_id"] for span in shown} == {f"0x{TRACE}"}


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
        {"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"},
    ],
)
def test_where_tracing_is_off_a_service_that_answers_has_imported_nothing_of_it(variables: dict[str, str]):
    program = """
import sys
from starlette.testclient import TestClient
from bento.app import create_app
from tests.bento.process.test_readiness import wait_for
from tests.bento.world import make_engine
with TestClient(create_app(make_engine)) as client:
    wait_for(client, "/readyz", 200)
    print(client.post("/search", json={"text": "red"}).status_code)
print(sorted(name for name in sys.modules if name.startswith("opentelemetry")))
"""
    environment = {**os.environ, **variables}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-2:] == ["200", "[]"]


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        ({}, ()),
        ({"OTEL_TRACES_EXPORTER": ""}, ()),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, ("otlp",)),
        ({"OTEL_TRACES_EXPORTER": "console, otlp,console"}, ("console", "otlp")),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, ("otlp",)),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, ("otlp",)),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}, ()),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "TRUE"}, ()),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "no"}, ("otlp",)),
        ({"OTEL_TRACES_EXPORTER": "console", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, ("console",)),
    ],
)
def test_the_environment_says_where_spans_go(
    variables: dict[str, str], names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert TraceSettings().exporters() == names


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"OTEL_TRACES_EXPORTER": "jaeger,otlp"}, "OTEL_TRACES_EXPORTER names jaeger; there are otlp, console"),
        ({"OTEL_TRACES_EXPORTER": "otlp,none"}, "names none; there are"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "PROTOCOL is grpc"),
    ],
)
def test_what_the_service_cannot_mean_is_refused_in_one_sentence_before_anything_is_started(
    variables: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NotReady, match=told):
        Traces().open()
    with pytest.raises(NotReady, match=told):
        serve_command("etalage:r1", tmp_path)
