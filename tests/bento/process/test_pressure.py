"""Too many at once, too slow, broken off: the service says so and goes on."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from bento.app import create_app
from bento.settings import ServiceSettings
from search.engine import Answer, Query, SearchEngine
from tests.bento.world import make_engine


class Gated:
    """A real engine whose queries for "wait" wait until the gate opens."""

    def __init__(self) -> None:
        self.engine = make_engine()
        self.gate = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def search(self, query: Query) -> Answer:
        if query.text == "wait":
            self.gate.wait(10)
        return self.engine.search(query)


def run(scenario: Callable[[httpx.AsyncClient, Any], Any], load: Callable[[], Any], **settings: Any) -> Any:
    """Run a scenario against a started application on one event loop."""

    async def whole() -> Any:
        app = create_app(load, release=lambda: "r1", settings=ServiceSettings(**settings))
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://t") as client,
        ):
            for _ in range(200):
                if (await client.get("/readyz")).status_code == 200:
                    break
                await asyncio.sleep(0.02)
            return await scenario(client, app)

    return asyncio.run(whole())


def ask(client: httpx.AsyncClient, text: str) -> Any:
    return client.post("/search", json={"text": text, "k": 1})


def test_a_full_queue_says_429_with_retry_after_and_the_event_loop_stays_free():
    gated = Gated()

    async def scenario(client: httpx.AsyncClient, app: Any) -> None:
        waiting = [asyncio.create_task(ask(client, "wait")) for _ in range(3)]  # 2 threads + 1 place in the queue
        await asyncio.sleep(0.2)
        refused = await ask(client, "red")
        assert (refused.status_code, refused.json()["kind"], refused.headers["Retry-After"]) == (429, "busy", "1")
        assert (await client.get("/healthz")).status_code == 200
        gated.gate.set()
        assert [reply.status_code for reply in await asyncio.gather(*waiting)] == [200, 200, 200]
        assert (await ask(client, "red")).status_code == 200

    run(scenario, lambda: gated, threads=2, queue=1)


def test_a_query_over_its_time_is_a_503_and_its_place_is_given_back_when_its_thread_is_done():
    gated = Gated()

    async def scenario(client: httpx.AsyncClient, app: Any) -> None:
        slow, queued = await asyncio.gather(ask(client, "wait"), ask(client, "red"))
        assert (slow.status_code, slow.json()["kind"]) == (503, "timeout")
        assert queued.status_code == 503  # it waited behind the slow one
        busy = [await ask(client, "wait") for _ in range(2)]
        assert [reply.status_code for reply in busy] == [503, 503]
        gated.gate.set()
        await asyncio.sleep(0.2)
        assert (await ask(client, "red")).status_code == 200

    run(scenario, lambda: gated, threads=1, queue=1, query_timeout=0.2)


def test_sixteen_callers_at_once_all_get_their_own_answer():
    async def scenario(client: httpx.AsyncClient, app: Any) -> None:
        colours = ["Red", "Blue", "Green", "Black"] * 4
        replies = await asyncio.gather(
            *(client.post("/search", json={"text": "dress", "k": 1, "filters": {"colour": c}}) for c in colours)
        )
        assert [reply.json()["hits"][0]["attributes"]["colour"] for reply in replies] == colours

    run(scenario, make_engine)


async def call(app: Any, chunks: AsyncIterator[bytes], headers: dict[str, str]) -> tuple[int, bytes]:
    """One POST /search as a server makes it from what came over the wire: the headers may lie about the body."""
    sent: list[Any] = []

    async def receive() -> Any:
        try:
            chunk = await anext(chunks)
        except StopAsyncIteration:
            return {"type": "http.request", "body": b"", "more_body": False}
        return (
            {"type": "http.disconnect"} if chunk is None else {"type": "http.request", "body": chunk, "more_body": True}
        )

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/search",
        "raw_path": b"/search",
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


JSON = {"content-type": "application/json"}


async def pieces(*given: bytes | None, pause: float = 0.0) -> AsyncIterator[Any]:
    for piece in given:
        await asyncio.sleep(pause)
        yield piece


async def endless(taken: list[int]) -> AsyncIterator[bytes]:
    while True:
        taken.append(1)
        yield b" " * 2**20


@pytest.mark.parametrize("length", ["2", "0", "-5", "abc", "9" * 40, "٣"])
def test_a_content_length_that_lies_changes_nothing_but_an_honest_refusal(length: str):
    async def scenario(client: httpx.AsyncClient, app: Any) -> None:
        headers = {**JSON, "content-length": length}
        status, reply = await call(app, pieces(b'{"text": ', b'"red"}'), headers)
        assert status == (413 if length == "9" * 40 else 200), reply

    run(scenario, make_engine)


def test_an_endless_body_is_refused_once_the_limit_is_reached():
    async def scenario(client: httpx.AsyncClient, app: Any) -> None:
        taken: list[int] = []
        status, reply = await call(app, endless(taken), JSON)
        assert (status, b"too_large" in reply) == (413, True)
        assert len(taken) == 15  # fourteen megabytes fit, the fifteenth does not

    run(scenario, make_engine)


def test_a_body_that_drips_is_a_408():
    async def scenario(client: httpx.AsyncClient, app: Any) -> None:
        started = time.monotonic()
        status, reply = await call(app, pieces(*[b" "] * 100, pause=0.05), JSON)
        assert (status, b"too_slow_body" in reply) == (408, True)
        assert time.monotonic() - started < 2

    run(scenario, make_engine, body_timeout=0.2)


def test_a_caller_who_goes_away_in_the_middle_leaves_nothing_behind():
    async def scenario(client: httpx.AsyncClient, app: Any) -> None:
        for _ in range(5):
            await call(app, pieces(b'{"text": ', None), JSON)
        assert (await ask(client, "red")).status_code == 200
        # 5 x 9 bytes were given back: two more bodies of nearly the whole limit are read, one after the other
        for _ in range(2):
            reply = await client.post("/search", json={"text": "red", "image": "A" * 900})
            assert reply.status_code == 415

    run(scenario, make_engine, max_held_bytes=1000)


def test_bodies_held_together_have_a_limit_and_one_more_is_told_429():
    async def scenario(client: httpx.AsyncClient, app: Any) -> None:
        slow = asyncio.create_task(call(app, pieces(b'{"text": "red"' + b" " * 800, b"}", pause=0.2), JSON))
        await asyncio.sleep(0.3)
        refused = await client.post("/search", json={"text": "red", "image": "A" * 900})
        assert refused.status_code == 429
        assert (await slow)[0] == 200

    run(scenario, make_engine, max_held_bytes=1000)


def test_an_engine_that_breaks_is_a_500_that_tells_nothing_of_itself():
    class Broken(Gated):
        def search(self, query: Query) -> Answer:
            if query.text == "boom":
                raise RuntimeError("secret: password=hunter2")
            return self.engine.search(query)

    async def scenario(client: httpx.AsyncClient, app: Any) -> None:
        reply = await ask(client, "boom")
        assert (reply.status_code, reply.json()["kind"]) == (500, "internal")
        assert "hunter2" not in reply.text and "RuntimeError" not in reply.text
        assert (await ask(client, "red")).status_code == 200

    run(scenario, Broken)


def test_the_engine_type_is_what_the_application_expects():
    assert isinstance(make_engine(), SearchEngine)


def test_a_query_to_a_store_over_the_network_has_a_limit_whatever_its_client_does(monkeypatch: pytest.MonkeyPatch):
    gated = Gated()

    async def scenario(client: httpx.AsyncClient, app: Any) -> None:
        reply = await ask(client, "wait")  # answered while the gate is shut
        assert (reply.status_code, reply.json()["kind"]) == (503, "timeout")
        assert "within 0.4 seconds" in reply.json()["error"]
        gated.gate.set()

    monkeypatch.setenv("ETALAGE_MILVUS_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("ETALAGE_MILVUS_QUERY_TIMEOUT_S", "0.1")
    run(scenario, lambda: gated)
