"""What /metrics counts, by numbers that can be worked out by hand."""

import asyncio
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from bento.asking.verdict import is_doubtful, legs_asked, legs_that_gave_it
from bento.telling.metrics import KINDS, PHASES, Metrics
from search.engine import Answer, Hit, LegScore
from search.ranking import LEGS_OF_KIND
from tests.bento.hostile import JPEG, b64
from tests.bento.process.test_pressure import Gated, ask, run
from tests.bento.world import cached_service

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(page: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def value(samples: Samples, metric: str, **labels: str) -> float:
    """The value of one series; KeyError when it is not there."""
    return samples[(metric, frozenset(labels.items()))]


def answer(*ranks: dict[str, int | None]) -> Answer:
    """Hits with these ranks in the legs."""
    hits = tuple(
        Hit(f"p{n}", 1.0, n + 1, {leg: LegScore(None if rank is None else 0.5, rank) for leg, rank in legs.items()}, {})
        for n, legs in enumerate(ranks)
    )
    return Answer(hits, "r1", {})


@pytest.mark.parametrize(
    ("legs", "gave", "doubtful"),
    [
        ({"dense": 1, "lexical": 10}, ("dense", "lexical"), False),
        ({"dense": 1, "lexical": 11}, ("dense",), True),
        ({"dense": None, "lexical": 3, "image": None}, ("lexical",), True),
        ({"dense": 11, "lexical": 12}, (), True),
        ({"dense": 1, "lexical": None, "image": 4}, ("dense", "image"), False),
        ({"dense": 99}, (), False),  # one leg alone cannot disagree
    ],
)
def test_an_answer_is_doubtful_when_fewer_than_two_legs_have_its_best_hit_among_their_best_ten(
    legs: dict[str, int | None], gave: tuple[str, ...], doubtful: bool
):
    found = answer(legs, dict.fromkeys(legs, 1))
    assert (legs_asked(found), legs_that_gave_it(found), is_doubtful(found)) == (tuple(legs), gave, doubtful)


def test_an_answer_without_a_hit_is_no_doubtful_one():
    assert (legs_asked(answer()), legs_that_gave_it(answer()), is_doubtful(answer())) == ((), (), False)


def test_doubtful_answers_and_legs_are_counted_as_the_verdict_says():
    metrics = Metrics()
    metrics.searched("text", answer({"dense": 1, "lexical": 40}), {"encode": 1.0})
    metrics.searched("text", answer({"dense": 2, "lexical": 1}), {"encode": 1.0})
    metrics.searched("text", answer(), {"encode": 1.0})
    samples = read(metrics.page().decode())
    one = {"kind": "text", "release": "r1"}
    assert value(samples, "etalage_low_confidence_total", **one) == 1
    assert value(samples, "etalage_zero_results_total", **one) == 1
    assert value(samples, "etalage_leg_answers_total", leg="lexical", **one) == 2
    assert value(samples, "etalage_leg_top_hits_total", leg="lexical", **one) == 1
    assert value(samples, "etalage_leg_top_hits_total", leg="dense", **one) == 2
    assert value(samples, "etalage_phase_seconds_sum", phase="encode") == pytest.approx(0.003)


@pytest.fixture
def service() -> Any:
    """A service whose encoder has a cache that counts in its metrics."""
    with cached_service() as client:
        yield client


def scrape(client: TestClient) -> Samples:
    return read(client.get("/metrics").text)


def test_queries_are_counted_by_kind_status_and_release_and_refusals_by_reason(service: TestClient):
    service.post("/search", json={"text": "red"})
    service.post("/search", json={"image": b64(JPEG)})
    service.post("/search", json={"text": "red", "image": b64(JPEG)})
    service.post("/similar", json={"id": "p0"})
    service.post("/similar", json={"id": "nobody"})
    service.post("/search", json={"text": "red", "k": 0})
    service.post("/search", content=b"{", headers={"content-type": "application/json"})
    service.get("/products/p0")
    service.get("/nothing")
    samples = scrape(service)
    counted = {
        (labels["kind"], labels["status"]): number
        for (name, pairs), number in samples.items()
        if name == "etalage_queries_total" and number and (labels := dict(pairs))["release"] == "r1"
    }
    assert counted == {
        ("text", "200"): 1, ("image", "200"): 1, ("text+image", "200"): 1, ("product", "200"): 1,
        ("product", "404"): 1, ("text", "400"): 1, ("unread", "400"): 1,
    }  # fmt: skip
    reasons = {
        dict(pairs)["reason"]: n for (name, pairs), n in samples.items() if n and name == "etalage_refusals_total"
    }
    reasons.pop("not_ready", None)  # of the probes before the release was open
    assert reasons == {"unknown_product": 1, "invalid_query": 2, "unknown_route": 1}
    for kind in KINDS:
        assert value(samples, "etalage_query_seconds_count", kind=kind) == 1
    assert value(samples, "etalage_phase_seconds_count", phase="parse") == 4


def test_the_phases_named_are_those_that_answers_tell(service: TestClient):
    told = set(service.post("/search", json={"text": "red", "image": b64(JPEG)}).json()["timings_ms"])
    told |= set(service.post("/similar", json={"id": "p0", "explain": True}).json()["timings_ms"])
    assert told == set(PHASES) - {"fetch_image"}  # which tests/bento/asking/test_searching_by_url.py sees


def test_the_cache_tells_its_hits_misses_and_size_and_the_probe_is_not_among_them(service: TestClient):
    before = scrape(service)
    for modality in ("text", "image"):
        for outcome in ("hit", "miss"):
            assert (
                value(before, "etalage_query_cache_lookups_total", modality=modality, outcome=outcome, release="r1")
                == 0
            )
    for text in ("red", "RED", "blue", "red"):
        service.post("/search", json={"text": text})
    service.post("/search", json={"image": b64(JPEG)})
    after = scrape(service)
    counted = {
        (modality, outcome): value(
            after, "etalage_query_cache_lookups_total", modality=modality, outcome=outcome, release="r1"
        )
        for modality in ("text", "image")
        for outcome in ("hit", "miss")
    }
    assert counted == {("text", "hit"): 2, ("text", "miss"): 2, ("image", "hit"): 0, ("image", "miss"): 1}
    assert value(after, "etalage_query_cache_vectors") == 3
    assert value(after, "etalage_query_cache_bytes") == 3 * 8 * 4
    assert value(after, "etalage_query_cache_limit_vectors") == 50
    assert value(after, "etalage_query_cache_evictions_total", release="r1") == 0


def test_every_series_of_a_release_begins_at_zero(service: TestClient):
    samples = scrape(service)
    for kind in KINDS:
        assert value(samples, "etalage_zero_results_total", kind=kind, release="r1") == 0
        assert value(samples, "etalage_low_confidence_total", kind=kind, release="r1") == 0
        for leg in LEGS_OF_KIND[kind]:
            assert value(samples, "etalage_leg_top_hits_total", leg=leg, kind=kind, release="r1") == 0
    assert value(samples, "etalage_refusals_total", reason="busy") == 0


def test_the_queue_tells_how_many_are_in_it_and_how_many_wait():
    gated = Gated()

    async def scenario(client: httpx.AsyncClient, app: Any) -> None:
        async def queue() -> tuple[float, ...]:
            samples = read((await client.get("/metrics")).text)
            names = ("query_places", "queries_in_flight", "queries_waiting")
            return tuple(value(samples, f"etalage_{name}") for name in names)

        assert await queue() == (5, 0, 0)
        waiting = [asyncio.create_task(ask(client, "wait")) for _ in range(4)]
        await asyncio.sleep(0.2)
        assert await queue() == (5, 4, 2)
        gated.gate.set()
        await asyncio.gather(*waiting)
        await asyncio.sleep(0.1)
        assert await queue() == (5, 0, 0)

    run(scenario, lambda: gated, threads=2, queue=3)


def test_no_label_ever_holds_what_was_asked(service: TestClient):
    service.post("/search", json={"text": "zebra lamp"}, headers={"X-Request-Id": "zebra-1"})
    service.post("/similar", json={"id": "zebra"})
    assert "zebra" not in service.get("/metrics").text
