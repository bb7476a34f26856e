"""Who comes in when more is asked than can be answered. Time is a number; expected waits are worked out by hand."""

import asyncio
import math
import random
from typing import Any

import httpx
import pytest

from bento.errors import Busy
from bento.process.admission import Admission, Place
from tests.bento.process.simulated import Simulation, Took
from tests.bento.process.test_pressure import Gated, ask, run


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def made(threads: int = 2, queue: int = 32, patience: float = 4.0, **takes: float) -> tuple[Admission, Clock]:
    """An admission that has seen one query of each kind, alone, in the order given."""
    clock = Clock()
    admission = Admission(threads, queue, patience, clock)
    for kind, seconds in takes.items():
        answer(admission, clock, begin(admission, clock, kind), seconds)
    return admission, clock


def begin(admission: Admission, clock: Clock, kind: str) -> Place:
    place = admission.enter(kind)
    place.began = clock.now
    return place


def answer(admission: Admission, clock: Clock, place: Place, seconds: float) -> None:
    clock.now += seconds
    place.ended, place.answered = clock.now, True
    admission.leave(place)


def test_the_expected_wait_is_when_the_first_thread_is_through_with_what_is_ahead():
    admission, clock = made(words=2.0, photo=8.0, patience=100)
    begin(admission, clock, "photo")
    assert admission.expected_wait() == 0  # the other thread is free
    begin(admission, clock, "words")
    clock.now += 0.5
    assert admission.expected_wait() == 1.5  # the words have 2.0 - 0.5 to go
    admission.enter("words")
    assert admission.expected_wait() == 3.5
    admission.enter("photo")
    assert admission.expected_wait() == 7.5  # the first photo ends at 8.0 - 0.5, the second one not before 11.5
    assert admission.in_flight == 4


def test_a_query_that_ended_and_has_not_left_yet_holds_no_thread():
    admission, clock = made(words=2.0)
    places = [begin(admission, clock, "words") for _ in range(2)]
    places[0].ended = clock.now
    assert admission.expected_wait() == 0


def test_an_overdue_query_is_expected_to_stay_overdue_for_as_long_again():
    admission, clock = made(threads=1, words=2.0)
    begin(admission, clock, "words")
    for now, wait in ((1.5, 0.5), (2.0, 0.0), (5.0, 3.0), (20.0, 18.0)):
        clock.now = 2.0 + now
        assert admission.expected_wait() == wait


def test_a_query_that_would_wait_longer_than_patience_allows_is_told_when_to_come_again():
    admission, clock = made(words=2.0)  # 4 usual queries of 2 s over two threads: 4 s
    assert admission.longest_wait == 4.0
    for _ in range(2):
        begin(admission, clock, "words")
    for _ in range(4):  # they are expected to wait 2, 2, 4 and 4 s
        admission.enter("words")
    with pytest.raises(Busy) as refused:
        admission.check()
    assert (admission.expected_wait(), refused.value.headers) == (6.0, {"Retry-After": "2"})
    clock.now += 1.99
    with pytest.raises(Busy) as refused:
        admission.enter("words")
    assert refused.value.headers == {"Retry-After": "1"}  # a whole second at least
    assert admission.in_flight == 6


def test_a_query_that_finds_a_free_thread_comes_in_whatever_is_expected():
    admission, clock = made(patience=0, words=2.0)
    begin(admission, clock, "words")
    admission.enter("words")
    with pytest.raises(Busy):
        admission.check()


def test_until_something_was_measured_the_ceiling_alone_decides_and_it_always_does():
    for admission in (made(queue=3)[0], made(queue=3, patience=1000, words=0.001)[0]):
        for _ in range(5):
            admission.enter("words")
        with pytest.raises(Busy):
            admission.check()


def test_what_is_usual_is_learned_while_nobody_waits_and_from_answers_only():
    admission, clock = made(threads=1, patience=100, words=2.0)
    first, second = begin(admission, clock, "words"), admission.enter("words")
    answer(admission, clock, first, 2.0)
    second.began = clock.now
    answer(admission, clock, second, 50.0)  # it had waited: it says what words take now, and not what is usual
    assert admission.usual == 2.0
    assert begin(admission, clock, "words") and admission.expected_wait() == pytest.approx(2.0 + 0.1 * 48.0)
    failed, clock = made(threads=1, words=2.0)
    place = begin(failed, clock, "words")
    place.ended = clock.now + 0.001
    failed.leave(place)
    assert failed.usual == 2.0 and begin(failed, clock, "words") and failed.expected_wait() == 2.0


MEANS = {"words": 0.010, "photo": 0.030}


def constant(kind: str, luck: random.Random) -> float:
    return MEANS[kind]


def scattered(kind: str, luck: random.Random) -> float:
    """Lognormal: the deviation is half of the mean."""
    sigma = math.sqrt(math.log(1.25))
    return MEANS[kind] * luck.lognormvariate(-sigma * sigma / 2, sigma)


@pytest.mark.parametrize("threads", [2, 8])
@pytest.mark.parametrize("took", [constant, scattered])
@pytest.mark.parametrize("photos", [0.0, 0.1, 0.5])
def test_at_twice_the_capacity_the_p99_of_who_is_accepted_is_under_twice_that_at_60_percent(
    threads: int, took: Took, photos: float
):
    simulation = Simulation(took, lambda luck: "photo" if luck.random() < photos else "words", threads, 32, 5.0)
    capacity = threads / (photos * MEANS["photo"] + (1 - photos) * MEANS["words"])
    simulation.run(0.6 * capacity, 2_000 / capacity)
    normal = simulation.run(0.6 * capacity, 10_000 / capacity)
    storm = simulation.run(2 * capacity, 5_000 / capacity)
    assert normal.share_refused() < 0.02
    assert storm.p99() < 2 * normal.p99()
    assert 0.45 < storm.share_refused() < 0.55  # the threads are kept busy: half of it cannot be answered
    assert min(storm.refused) >= 1
    after = simulation.run(0.6 * capacity, 2_000 / capacity)
    assert after.share_refused() < 0.02 and after.p99() < 1.5 * normal.p99()
    assert simulation.admission.in_flight == 0


def test_without_patience_for_a_measure_a_long_queue_is_what_a_storm_fills():
    """The test above can fail: with the ceiling alone, who is accepted waits behind 32 others."""
    simulation = Simulation(constant, lambda luck: "words", 2, 32, 1e9)
    normal, storm = simulation.run(120, 40), simulation.run(400, 10)
    assert storm.p99() > 4 * normal.p99()


def test_in_a_storm_everybody_is_answered_or_told_when_to_come_and_nothing_is_left_behind():
    gated = Gated()

    async def scenario(client: httpx.AsyncClient, app: Any, service: Any) -> None:
        for _ in range(3):
            assert (await ask(client, "red")).status_code == 200  # a query takes milliseconds: that is what is usual
        storm = [asyncio.create_task(ask(client, "wait")) for _ in range(40)]
        while (
            service.queries.admission.in_flight < 2
            or sum(task.done() for task in storm) < 40 - service.queries.admission.in_flight
        ):
            await asyncio.sleep(0.01)
        accepted = service.queries.admission.in_flight
        assert 2 <= accepted < 34
        gated.gate.set()
        replies = await asyncio.gather(*storm)
        told = [reply for reply in replies if reply.status_code == 429]
        assert [reply.status_code for reply in replies].count(200) == accepted == 40 - len(told)
        assert all(int(reply.headers["Retry-After"]) >= 1 for reply in told)
        assert {reply.json()["kind"] for reply in told} == {"busy"}
        while service.queries.admission.in_flight:
            await asyncio.sleep(0.01)
        assert service.queries.reader.held == 0
        assert (await ask(client, "red")).status_code == 200

    run_with_service(scenario, gated)


def test_who_is_refused_is_refused_before_a_byte_of_the_body_was_read():
    gated = Gated()

    async def scenario(client: httpx.AsyncClient, app: Any, service: Any) -> None:
        waiting = [asyncio.create_task(ask(client, "wait")) for _ in range(3)]
        while service.queries.admission.in_flight < 3:
            await asyncio.sleep(0.01)
        read: list[int] = []

        async def body() -> Any:
            read.append(1)
            yield b'{"text": "red"}'

        refused = await client.post("/search", content=body(), headers={"content-type": "application/json"})
        assert (refused.status_code, read) == (429, [])
        gated.gate.set()
        assert [reply.status_code for reply in await asyncio.gather(*waiting)] == [200] * 3

    run_with_service(scenario, gated, queue=1)


def run_with_service(scenario: Any, gated: Gated, **settings: Any) -> None:
    """As `run`, with the Service of the application beside it."""

    async def whole(client: httpx.AsyncClient, app: Any) -> None:
        service = next(route.endpoint.__self__ for route in app.routes if route.path == "/search")
        await scenario(client, app, service)

    run(whole, lambda: gated, threads=2, **settings)
