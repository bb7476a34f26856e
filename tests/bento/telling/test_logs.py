"""One JSON line a request: with its id, and of what was asked only what the setting allows."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

import bento.telling.json_lines
from bento.app import create_app
from bento.settings import ServiceSettings
from bento.telling.json_lines import LOGGERS, JsonLines, log_as_json_lines
from bento.telling.logs import QueryTeller
from search.engine import Query
from tests.bento.hostile import JPEG, b64
from tests.bento.process.test_readiness import wait_for
from tests.bento.world import make_engine

FIELDS = {
    "key", "time", "level", "logger", "request", "method", "route", "kind", "status", "reason", "release", "hits", "ms",
    "phases_ms",
}  # fmt: skip


class Lines(logging.Handler):
    """What the log would show."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLines())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def log() -> Iterator[Lines]:
    logger, handler = logging.getLogger("etalage"), Lines()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(before)


def lines_of(log: Lines, *requests: dict[str, Any], load: Any = make_engine, **settings: Any) -> list[dict[str, Any]]:
    """The lines of these requests in the access log."""
    app = create_app(load, release=lambda: "r1", settings=ServiceSettings(**settings))
    with TestClient(app, raise_server_exceptions=False) as client:
        wait_for(client, "/readyz", 200)
        log.lines.clear()
        for request in requests:
            client.request(**{"method": "POST", "url": "/search", **request})
    return [line for line in map(json.loads, log.lines) if line["logger"] == "etalage.access"]


def test_a_request_leaves_one_line_with_its_id_kind_status_release_and_phases(log: Lines):
    line, similar, refused, lost = lines_of(
        log,
        {"json": {"text": "red dress", "k": 3}, "headers": {"X-Request-Id": "order-66"}},
        {"url": "/similar", "json": {"id": "p0"}},
        {"json": {"text": "red", "legs": ["nose"]}},
        {"method": "GET", "url": "/nothing"},
    )
    assert set(line) == FIELDS
    told = {name: line[name] for name in ("level", "request", "method", "route", "kind", "status", "release", "hits")}
    assert told == {
        "level": "info", "request": "order-66", "method": "POST", "route": "/search", "kind": "text", "status": 200,
        "release": "r1", "hits": 3,
    }  # fmt: skip
    assert {"read", "wait", "parse", "understand", "encode", "retrieve", "rank", "fetch"} == set(line["phases_ms"])
    assert sum(line["phases_ms"].values()) <= line["ms"] + 0.1
    assert (similar["kind"], similar["route"]) == ("product", "/similar")
    assert (refused["kind"], refused["status"], refused["reason"], refused["phases_ms"]) == (
        "text", 400, "invalid_query", {},
    )  # fmt: skip
    assert (lost["kind"], lost["status"], lost["route"]) == (None, 404, "other")


@pytest.mark.parametrize("sent", ["a" * 65, "two words", "new\tline", '"};{"', "ünsafe", ""])
def test_an_id_that_is_not_well_formed_is_replaced_and_the_answer_carries_the_one_in_the_log(log: Lines, sent: str):
    with TestClient(create_app(make_engine, settings=ServiceSettings())) as client:
        wait_for(client, "/readyz", 200)
        log.lines.clear()
        reply = client.post(
            "/search", json={"text": "red"}, headers={"X-Request-Id": sent.encode("latin-1", "replace")}
        )
    (line,) = map(json.loads, log.lines)
    assert reply.headers["X-Request-Id"] == line["request"] != sent
    assert len(line["request"]) == 16


def test_probes_and_scrapes_leave_no_line(log: Lines):
    quiet = [{"method": "GET", "url": path} for path in ("/readyz", "/healthz", "/livez", "/metrics")]
    assert lines_of(log, *quiet) == []


SECRETS = ("zebra", "lampshade", "sku-zebra")
ASKED = (
    {"json": {"text": "zebra", "terms": [{"text": "lampshade", "weight": 0.5}], "image": b64(JPEG)}},
    {"url": "/similar", "json": {"id": "sku-zebra"}},
    {"json": {"text": "zebra", "k": 0}},
    {"json": {"text": "zebra", "legs": ["lampshade"]}},
    {"json": {"text": "red", "filters": {"zebra": "lampshade"}}},
    {"json": {"zebra": 1}},
    {"method": "GET", "url": "/products/sku-zebra"},
    {"method": "GET", "url": "/zebra?zebra=lampshade"},
)


@pytest.mark.parametrize("how", ["none", "hash"])
def test_without_leave_not_a_word_of_a_query_gets_into_the_log(log: Lines, how: str):
    lines = lines_of(log, *ASKED, log_queries=how)
    assert len(lines) == len(ASKED)
    assert not any(secret in shown for shown in log.lines for secret in SECRETS)
    assert ["query_hash" in line for line in lines[:4]] == [how == "hash"] * 4
    assert not any("query" in line for line in lines)


def test_with_leave_the_words_stand_on_the_one_line_whatever_they_are(log: Lines):
    nasty = 'red" \n\r\u2028 {"status": 200} 裙'
    first, second = lines_of(
        log,
        {"json": {"text": nasty, "terms": [{"text": "wool"}], "image": b64(JPEG)}},
        {"url": "/similar", "json": {"id": "p0"}},
        log_queries="plain",
    )
    assert (first["query"]["text"], first["query"]["terms"]) == (nasty, [["wool", 0.5]])
    assert [len(picture) for picture in first["query"]["images"]] == [16]
    assert second["query"] == {"like": "p0"}
    assert all(shown.isascii() and len(shown.splitlines()) == 1 for shown in log.lines)


def test_hashes_compare_under_one_key_and_not_under_another():
    def hashed(text: str, key: str) -> str:
        settings = ServiceSettings(log_queries="hash", log_key=key)
        return str(QueryTeller(settings).of(Query(text=text))["query_hash"])

    assert hashed("red dress", "k1") == hashed("Red Dress", "k1")
    assert len({hashed("red dress", "k1"), hashed("red dress", "k2"), hashed("red", "k1")}) == 3
    assert hashed("red dress", "") != hashed("red dress", "")  # a new key in every process


def test_a_key_is_never_shown():
    assert "hunter2" not in repr(ServiceSettings(log_key="hunter2"))


def test_a_failure_of_our_own_is_told_with_its_request_id(log: Lines):
    class Broken:
        engine = make_engine()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.engine, name)

        def search(self, query: Query) -> Any:
            if query.text == "boom":
                raise RuntimeError("out of order")
            return self.engine.search(query)

    (line,) = lines_of(log, {"json": {"text": "boom"}, "headers": {"X-Request-Id": "order-67"}}, load=Broken)
    assert (line["status"], line["reason"], line["request"]) == (500, "internal", "order-67")
    (failure,) = (shown for shown in map(json.loads, log.lines) if shown["logger"] == "etalage.service")
    assert (failure["level"], failure["request"]) == ("error", "order-67")
    assert failure["exception"].endswith("RuntimeError: out of order")


def test_the_service_writes_json_lines_to_stdout_and_only_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    for logger in map(logging.getLogger, LOGGERS):
        monkeypatch.setattr(logger, "handlers", [])
        monkeypatch.setattr(logger, "propagate", True)
        monkeypatch.setattr(logger, "level", logging.NOTSET)
    for _ in range(2):
        log_as_json_lines()
    logging.getLogger("etalage.access").info("", extra={bento.telling.json_lines.FIELDS: {"request": "a"}})
    logging.getLogger("etalage.service").warning("not ready: %s", "why")
    logging.getLogger("opentelemetry.exporter.otlp").error("no collector")
    first, second, third = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["request"] == "a" and "message" not in first
    assert (second["level"], second["message"]) == ("warning", "not ready: why")
    assert (third["level"], third["message"]) == ("error", "no collector")
