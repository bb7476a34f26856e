"""Both clients against the service itself, and against servers that answer as badly as they can."""

import asyncio
import base64
import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bento.settings import ServiceSettings
from catalog.errors import NotReady as ReleaseNotReady
from etalage_client import AsyncClient, Client, NoAnswer, Patience, Refused, Unreachable, Unreadable
from etalage_client import errors as told
from flows.keys import add_key
from search.engine import SearchEngine
from tests.bento.tiny_encoder import photo
from tests.bento.world import make_engine
from tests.etalage_client.local import CUT, answer, scripted, service

Ask = Callable[..., Any]


def wait(url: str, do: str, *args: Any, key: str | None = None, patience: Patience | None = None, **named: Any) -> Any:
    """What the client that waits gives."""
    with Client(url, key=key, patience=patience) as client:
        return getattr(client, do)(*args, **named)


def await_it(
    url: str, do: str, *args: Any, key: str | None = None, patience: Patience | None = None, **named: Any
) -> Any:
    """What the other one gives."""

    async def ask() -> Any:
        async with AsyncClient(url, key=key, patience=patience) as client:
            return await getattr(client, do)(*args, **named)

    return asyncio.run(ask())


both = pytest.mark.parametrize("ask", [wait, await_it])
QUICK = Patience(deadline=10, first=0.01, most=0.02)
RED = base64.b64encode(photo("Red")).decode()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service, with a journal."""
    with service(ServiceSettings(journal_folder=tmp_path_factory.mktemp("journal"))) as found:
        yield found


@both
def test_words_filters_terms_and_a_leg_are_asked_and_the_answer_is_typed(ask: Ask, url: str):
    answer = ask(url, "search", "red dress", k=2, filters={"price": {"lt": 25}, "colour": ["Red", "Blue"]})
    assert [type(hit).__name__ for hit in answer.hits] == ["Hit", "Hit"]
    best = answer.hits[0]
    assert (best.rank, best.title, best.own["attributes"]["colour"]) == (1, "Red dress", "Red")
    assert answer.release == "r1" and len(answer.request_id) == 16 and answer.timings_ms["encode"] > 0
    assert {"dense", "lexical"} <= set(best.legs) and best.legs["dense"].rank == 1
    lexical = ask(url, "search", "dress", legs=["lexical"], understand=False, explain=True)
    assert set(lexical.hits[0].legs) == {"lexical"} and lexical.hits[0].contributions
    assert "dress" in ask(url, "search", "连衣裙", k=1).hits[0].title
    pulled = ask(url, "search", "dress", k=1, terms=[{"text": "blue", "weight": 2}])
    assert pulled.hits[0].title == "Blue dress"


@both
@pytest.mark.parametrize(
    "made",
    [
        lambda folder: folder / "red.jpg",
        lambda folder: str(folder / "red.jpg"),
        lambda folder: photo("Red"),
        lambda folder: io.BytesIO(photo("Red")),
        lambda folder: (folder / "red.jpg").open("rb"),
        lambda folder: f"data:image/jpeg;base64,{RED}",
        lambda folder: [photo("Red"), folder / "red.jpg"],
    ],
    ids=["path", "name", "bytes", "buffer", "file", "data-url", "several"],
)
def test_a_picture_may_be_a_path_bytes_a_file_or_several(
    ask: Ask, made: Callable[[Path], Any], url: str, tmp_path: Path
):
    (tmp_path / "red.jpg").write_bytes(photo("Red"))
    answer = ask(url, "search", image=made(tmp_path), k=3)
    assert {hit.own["attributes"]["colour"] for hit in answer.hits} == {"Red"}


@both
def test_a_picture_and_words_are_one_query_and_a_missing_file_is_told_before_anything_is_sent(ask: Ask, url: str):
    assert ask(url, "search", "shoes", image=photo("Blue"), text_weight=0.5, k=1).hits[0].title == "Blue shoes"
    with pytest.raises(FileNotFoundError):
        ask("http://127.0.0.1:9", "search", image=Path("no-such-picture.jpg"))


@both
def test_a_url_is_left_to_the_service_and_its_refusal_is_typed(ask: Ask, url: str):
    with pytest.raises(told.ImageUrlRefused) as refused:
        ask(url, "search", image="https://photos.example/a.jpg")
    assert refused.value.status == 403 and str(refused.value).endswith(".") and "\n" not in str(refused.value)
    with pytest.raises(ValueError, match="one picture by its URL"):
        ask(url, "search", image=["https://a.example/1.jpg", "https://a.example/2.jpg"])


@both
def test_products_alike_one_product_feedback_and_probes(ask: Ask, url: str):
    assert {hit.title for hit in ask(url, "similar", "p0", k=2, filters={"in_stock": True}).hits} == {"Red dress"}
    for id in ("p0", "sku/7"):
        assert ask(url, "product", id).product["id"] == id
    for id in ("..", "a/../p0", "no such", "红?#%2F"):
        with pytest.raises(told.UnknownProduct, match=r"^There is no product '"):
            ask(url, "product", id)
    found = ask(url, "search", "red dress", k=1)
    event = {"request_id": found.request_id, "product_id": found.hits[0].id, "action": "click", "rank": 1}
    assert ask(url, "feedback", [event]).kept == 1
    assert (lambda told: (told.kept, told.repeated))(ask(url, "feedback", [event])) == (0, 1)
    assert ask(url, "healthz").release == "r1" and ask(url, "readyz").probe_ms > 0
    assert 'etalage_queries_total{kind="text"' in ask(url, "metrics")


@both
@pytest.mark.parametrize(
    ("asked", "kind", "sentence"),
    [
        ({}, told.InvalidQuery, "The query is empty: give it a text, an image or both."),
        ({"text": "a", "k": "3"}, told.WrongShape, "'k' is wrong: input should be a valid integer."),
        ({"text": "a", "colour": "red"}, told.WrongShape, "'colour' is not a field of this endpoint."),
        ({"image": b"Dear shop" * 99}, told.InvalidMedia, ""),
        ({"text": "a", "k": 0}, told.InvalidQuery, ""),
        ({"image": b"a" * (15 * 2**20)}, told.TooLarge, ""),
    ],
)
def test_a_refusal_is_a_class_of_its_own_with_the_services_sentence(
    ask: Ask, asked: dict[str, Any], kind: type[Refused], sentence: str, url: str
):
    with pytest.raises(kind) as refused:
        ask(url, "search", **asked)
    words = str(refused.value)
    assert words.endswith(".") and "\n" not in words and (not sentence or words == sentence)
    assert len(refused.value.request_id) == 16


@both
def test_a_key_opens_what_its_scope_opens_and_is_told_by_no_log_error_or_repr(
    ask: Ask, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    keys = tmp_path / "keys.json"
    secret = add_key(keys, "web", ("search",))[1]
    caplog.set_level(logging.DEBUG)
    with service(ServiceSettings(keys=keys, rate=0.01, burst=2, journal=False)) as url:
        assert ask(url, "search", "red dress", key=secret, k=1).hits
        raised = []
        for do, key, kind in (
            (["search", "red"], None, told.Unauthorized),
            (["search", "red"], "etl_wrong", told.Unauthorized),
            (["metrics"], secret, told.Forbidden),
            (["search", "red"], secret, told.RateLimited),
        ):
            with pytest.raises(kind) as refused:
                for _ in range(4):  # the rate lets two of a key through
                    ask(url, *do, key=key, patience=Patience(tries=1))
            raised.append(refused.value)
    for shown in (caplog.text, *map(repr, raised), *(repr(error.__cause__) for error in raised)):
        assert secret not in shown and secret.split("_")[-1] not in shown
    assert secret not in repr(vars(Client(url, key=secret)))


@pytest.mark.parametrize("made", [Client, AsyncClient])
def test_a_key_that_no_header_can_hold_and_a_url_that_is_none_are_refused_without_being_told(made: Any):
    for key in ("secret-1\n", "secret 1", "sécret-1", ""):
        with pytest.raises(ValueError, match="printable ASCII") as refused:
            made("http://127.0.0.1:1", key=key)
        assert "cret" not in str(refused.value)
    for url in ("127.0.0.1:3000", "ftp://a", "http://", "https://user:secret@shop.example", "http://a/?b=1"):
        with pytest.raises(ValueError, match="must look like") as refused:
            made(url)
        assert "secret" not in str(refused.value)


# Storms: the service really refuses, and the client comes back until it is answered.


def test_forty_searches_over_the_rate_are_all_answered_in_the_end():
    async def ask(url: str) -> list[Any]:
        async with AsyncClient(url, patience=Patience(deadline=60, tries=50)) as client:
            return await asyncio.gather(*(client.search("red dress", k=1) for _ in range(40)))

    with service(ServiceSettings(rate=10, burst=5, queue=64, patience=100)) as url:
        answers = asyncio.run(ask(url))
        page = httpx.get(f"{url}/metrics").text
    assert len(answers) == 40 and {answer.hits[0].title for answer in answers} == {"Red dress"}
    assert float(page.split('etalage_refusals_total{reason="rate_limited"} ')[1].split()[0]) >= 1


@both
def test_a_service_that_is_not_ready_yet_is_asked_again_until_it_is(ask: Ask):
    opened = threading.Event()

    def load() -> SearchEngine:
        if not opened.is_set():
            raise ReleaseNotReady("The release is being opened.")
        return make_engine()

    with service(ServiceSettings(retry_seconds=0.05), load, ready=False) as url:
        with pytest.raises(told.NotReady, match=r"^The release is being opened\.$") as refused:
            ask(url, "search", "red", patience=Patience(deadline=1.9))
        assert refused.value.after == 2  # later than the deadline, so it was not waited for
        with pytest.raises(told.NotReady):
            ask(url, "readyz")
        threading.Timer(0.3, opened.set).start()
        long = Patience(deadline=120, tries=60)
        assert ask(url, "search", "red dress", k=1, patience=long).hits[0].title == "Red dress"


REFUSAL = '{"error": "Come back.", "kind": "busy"}'
GOOD = '{"hits": [], "release": "r1", "took_ms": 1.0, "timings_ms": {}}'


@both
def test_retry_after_is_waited_for_and_a_broken_or_missing_answer_asked_for_again(ask: Ask):
    acts = [
        answer(429, REFUSAL, "Retry-After: 1"),
        CUT,
        answer(503, "<html>no such upstream</html>"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{",  # breaks off
        b"HTTP/1.1 20",
        answer(200, GOOD, "X-Request-Id: abc"),
    ]
    with scripted(acts) as script:
        found = ask(script.url, "search", "red", patience=Patience(tries=6, first=0.01, most=0.02))
    assert found.request_id == "abc" and len(script.requests) == 6
    assert script.at[1] - script.at[0] >= 1
    assert {request.partition(b"\r\n\r\n")[2] for request in script.requests} == {b'{"text":"red"}'}


@both
def test_feedback_whose_answer_was_lost_is_told_again_and_kept_once(ask: Ask, tmp_path: Path):
    with service(ServiceSettings(journal_folder=tmp_path)) as url:

        def pass_on_and_cut(connection: socket.socket) -> None:
            passed = httpx.post(f"{url}/feedback", content=script.requests[-1].partition(b"\r\n\r\n")[2],
                                headers={"content-type": "application/json"})  # fmt: skip
            assert passed.json() == {"kept": 1, "repeated": 0}

        def pass_on(connection: socket.socket) -> None:
            passed = httpx.post(f"{url}/feedback", content=script.requests[-1].partition(b"\r\n\r\n")[2],
                                headers={"content-type": "application/json"})  # fmt: skip
            connection.sendall(answer(passed.status_code, passed.text))

        with scripted([pass_on_and_cut, pass_on]) as script:
            event = {"request_id": "a1", "product_id": "p0", "action": "buy"}
            told = ask(script.url, "feedback", [event], patience=QUICK)
    assert (told.kept, told.repeated) == (0, 1)
    lines = [line for file in (tmp_path / "feedback").glob("*.jsonl") for line in file.read_text().splitlines()]
    assert len(lines) == 1 and '"buy"' in lines[0]


@both
def test_what_is_not_worth_a_retry_is_asked_once(ask: Ask):
    for act, kind in (
        (answer(400, '{"error": "No.", "kind": "invalid_query"}'), told.InvalidQuery),
        (answer(503, '{"error": "No journal.", "kind": "no_journal"}'), told.NoJournal),
        (answer(418, '{"error": "New.", "kind": "teapot"}'), Refused),
        (answer(307, "", "Location: http://127.0.0.1:9/"), Refused),
        (answer(200, "<html>Sign in</html>"), Unreadable),
        (answer(200, '{"hits": "none"}'), Unreadable),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", Unreadable),
    ):
        with scripted([act]) as script, pytest.raises(kind) as raised:
            ask(script.url, "search", "red", patience=QUICK)
        assert len(script.requests) == 1 and "\n" not in str(raised.value), kind


@both
def test_probes_are_asked_once(ask: Ask):
    for do in ("healthz", "readyz", "metrics"):
        with scripted([answer(503, REFUSAL)]) as script, pytest.raises(Refused):
            ask(script.url, do, patience=QUICK)
        assert len(script.requests) == 1


def hang(connection: socket.socket) -> None:
    connection.recv(1)


def drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
    for _ in range(200):
        connection.sendall(b" ")
        time.sleep(0.05)


@both
@pytest.mark.parametrize("act", [hang, drip])
def test_nothing_lasts_beyond_the_deadline(ask: Ask, act: Callable[[socket.socket], None]):
    with scripted([act]) as script:
        with pytest.raises(NoAnswer, match=r"^There was no answer within 0\.5 seconds\.$"):
            ask(script.url, "search", "red", patience=Patience(deadline=0.5))
        assert len(script.requests) == 1


@both
def test_nobody_there_is_said_in_one_sentence_after_every_try(ask: Ask):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable, match=rf"^http://127\.0\.0\.1:{port} does not answer: .*[^.]\.$"):
        ask(f"http://127.0.0.1:{port}", "search", "red", patience=QUICK)


def test_threads_share_one_client(url: str):
    found: list[str] = []
    with Client(url, patience=Patience(tries=20)) as client:

        def ask() -> None:
            found.append(client.search("red dress", k=1).hits[0].title)

        threads = [threading.Thread(target=ask) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == ["Red dress"] * 10


def test_a_field_of_a_newer_service_is_passed_over():
    with scripted([answer(200, GOOD[:-1] + ', "new": {"a": 1}}')]) as script:
        assert wait(script.url, "search", "red").release == "r1"
