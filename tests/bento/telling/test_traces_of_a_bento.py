"""Traces of a Bento that is really served: one span a request, and none of BentoML's beside it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bento.packing.build import PROJECT
from tests.bento.running import Shop, serving
from tests.bento.telling.collector import collecting, values

pytestmark = pytest.mark.slow

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_served_bento_sends_one_span_a_request_the_last_ones_when_it_is_stopped(shop: Shop, tmp_path: Path):
    log = tmp_path / "service.log"
    with collecting() as collector:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "NO_PROXY": "127.0.0.1"}
        # Nothing is sent before the end: what arrives was flushed.
        with serving(shop, log, **variables, OTEL_BSP_SCHEDULE_DELAY="600000") as served:
            ask = {"text": "red dress"}
            served.client.post("/search", json=ask, headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
            served.client.post("/search", json=ask)
            served.client.get("/products/p0")
            assert collector.spans == []
    called, own, product = collector.requests()
    assert (called.trace_id.hex(), called.parent_span_id.hex()) == (TRACE, PARENT)
    assert (own.parent_span_id, product.parent_span_id) == (b"", b"")
    assert own.trace_id not in (called.trace_id, product.trace_id)
    assert values(own.attributes)["etalage.release"] == "r20261121-1"
    assert (product.name, collector.inside(product)) == ("GET /products/{product_id:path}", [])
    assert {span.name for span in collector.inside(own)} >= {"encode", "retrieve", "rank"}
    known = {span.span_id for span in (called, own)}
    assert all(span.parent_span_id in known for span in collector.spans if span not in (called, own, product))
    lines = [json.loads(line) for line in log.read_text().splitlines() if '"etalage.access"' in line]
    assert [line["trace"] for line in lines] == [span.trace_id.hex() for span in (called, own, product)]


def test_bentoml_makes_no_span_of_its_own_for_any_address(tmp_path: Path):
    program = """
from bento.service import Etalage
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
(tracer,) = (layer for layer in Etalage.to_asgi().user_middleware if layer.cls is OpenTelemetryMiddleware)
left_alone = tracer.kwargs["excluded_urls"].url_disabled
print([left_alone(f"http://127.0.0.1:3000{path}") for path in ("/", "/search", "/a/b")])
"""
    environment = {**os.environ, "BENTOML_HOME": str(tmp_path), "BENTOML_DO_NOT_TRACK": "true"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[True, True, True]"
