"""Pictures of products over HTTP: small, from packed media, and nothing else of the disk."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

from bento.settings import ServiceSettings
from catalog.media import media_id
from catalog.shards import write_shards
from tests.bento.tiny_encoder import photo
from tests.bento.world import ready_client

LARGE = photo("Red", side=900)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("media")
    write_shards([(media_id(LARGE), LARGE), ("broken", LARGE[:-2000])], folder)
    with ready_client(ServiceSettings(pictures=folder)) as client:
        yield client


def test_a_picture_is_a_small_jpeg_that_may_be_kept(shown: TestClient):
    for _ in range(2):
        reply = shown.get(f"/pictures/{media_id(LARGE)}")
        assert (reply.status_code, reply.headers["content-type"]) == (200, "image/jpeg")
        assert "immutable" in reply.headers["Cache-Control"]
        assert Image.open(io.BytesIO(reply.content)).size == (320, 320)


@pytest.mark.parametrize("name", ["none", "broken", "..%2F..%2Fetc%2Fpasswd", "%00"])
def test_what_is_no_picture_is_not_found(shown: TestClient, name: str):
    reply = shown.get(f"/pictures/{name}")
    assert reply.status_code == 404 and set(reply.json()) == {"error", "kind"}


def test_without_a_folder_there_are_no_pictures(client: TestClient):
    reply = client.get(f"/pictures/{media_id(LARGE)}")
    assert (reply.status_code, reply.json()["kind"]) == (404, "unknown_picture")
