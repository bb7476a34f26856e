"""POST /search with `image_url`: off by default, answers as the picture itself does, holds no thread while it waits."""

import threading
import time
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from bento.settings import ServiceSettings
from bento.telling.metrics import PHASES
from tests.bento.hostile import b64, form, part
from tests.bento.poison.test_poison import LEAKS
from tests.bento.tiny_encoder import photo
from tests.bento.world import ready_client
from tests.catalog.fetching.picture_server import Site, pictures


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """The server of pictures."""
    with pictures(photo("Red")) as running:
        yield running


@pytest.fixture(scope="module")
def shop(site: Site) -> Iterator[TestClient]:
    """A service that may fetch from it, with one thread for queries."""
    settings = ServiceSettings.model_validate(
        {
            "image_hosts": f"127.0.0.1:{site.port}", "image_http": True, "image_networks": "127.0.0.0/8",
            "image_timeout": 2.0, "threads": 1, "max_image_bytes": 2**20,
        }
    )  # fmt: skip
    with ready_client(settings) as client:
        yield client


def at(site: Site, path: str) -> str:
    return f"http://127.0.0.1:{site.port}{path}"


def test_by_default_no_url_is_fetched_and_the_caller_is_told_what_to_do(client: TestClient):
    for url in ("https://photos.example/red.jpg", "http://127.0.0.1/", "nonsense"):
        refused = client.post("/search", json={"image_url": url})
        assert (refused.status_code, refused.json()) == (
            403,
            {
                "error": "This service fetches no image URLs: send the picture itself in 'image'.",
                "kind": "image_url_refused",
            },
        )
    assert client.post("/search", json={"text": "red", "image_url": " "}).status_code == 200
    assert client.post("/search", json={"text": "red", "image_url": None}).status_code == 200
    assert client.post("/search", json={"text": "red", "image_url": ["a"]}).status_code == 422


def test_a_url_finds_what_its_picture_finds_in_json_and_in_a_form(shop: TestClient, site: Site):
    asked = {"text": "dress", "k": 5, "text_weight": 0.3}
    by_picture = shop.post("/search", json={**asked, "image": b64(photo("Red"))}).json()
    by_url = shop.post("/search", json={**asked, "image_url": at(site, "/red.jpg")}).json()
    parts = {**asked, "image_url": at(site, "/here")}
    by_form = shop.post("/search", **form(*(part(name, str(value).encode()) for name, value in parts.items()))).json()
    assert by_picture["hits"] == by_url["hits"] == by_form["hits"] != []
    several = {"image": [b64(photo("Blue"))], "k": 5}
    both = shop.post("/search", json={"image": [*several["image"], b64(photo("Red"))], "k": 5}).json()
    assert shop.post("/search", json={**several, "image_url": at(site, "/red.jpg")}).json()["hits"] == both["hits"]


def test_the_time_that_fetching_took_is_told_and_counted(shop: TestClient, site: Site):
    assert "fetch_image" not in shop.post("/search", json={"text": "red"}).json()["timings_ms"]
    told = shop.post("/search", json={"image_url": at(site, "/red.jpg")}).json()["timings_ms"]
    assert told["fetch_image"] > 0 and set(told) <= set(PHASES)
    assert 'etalage_phase_seconds_count{phase="fetch_image"}' in shop.get("/metrics").text


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/words.jpg", 415, "invalid_media"),
        ("/empty", 415, "invalid_media"),
        ("/none.jpg", 400, "image_url_failed"),
        ("/gzip", 400, "image_url_failed"),
        ("/short", 400, "image_url_failed"),
        ("/long", 413, "too_large"),
        ("/endless", 413, "too_large"),
        ("/loopback", 403, "image_url_refused"),
        ("/metadata", 403, "image_url_refused"),
        ("/file", 403, "image_url_refused"),
    ],
)
def test_what_is_no_picture_or_may_not_be_fetched_is_a_refusal_of_the_caller(
    shop: TestClient, site: Site, path: str, status: int, kind: str
):
    refused = shop.post("/search", json={"text": "red", "image_url": at(site, path)})
    assert (refused.status_code, refused.json()["kind"]) == (status, kind)
    assert not LEAKS.search(refused.json()["error"].replace("'image_url'", ""))
    assert "127.0.0.1" not in refused.text


def test_a_slow_server_holds_neither_the_one_thread_nor_the_bytes(shop: TestClient, site: Site):
    answers: list[int] = []
    slow = threading.Thread(
        target=lambda: answers.append(shop.post("/search", json={"image_url": at(site, "/silent")}).status_code)
    )
    before = len(site.asked)
    slow.start()
    while len(site.asked) == before:
        time.sleep(0.01)
    assert shop.post("/search", json={"text": "red dress", "k": 1}).status_code == 200
    assert answers == []  # the other is still waiting
    slow.join()
    assert answers == [400]
    assert shop.post("/search", json={"image_url": at(site, "/red.jpg")}).status_code == 200
