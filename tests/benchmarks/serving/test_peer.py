"""The search by hand is a real one: the trained model's vectors, and the nearest products of the store."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from starlette.testclient import TestClient

from benchmarks.query_latency import floor
from benchmarks.serving.asked import as_http
from benchmarks.serving.floor import found_of_floor
from benchmarks.serving.paths import PEER_PHOTOS, PEER_READY
from benchmarks.serving.peer import TorchEncoder, create_app
from benchmarks.serving.peer_store import COLLECTION, write_store
from models.prefixes import unit_prefix
from search.milvus.session import embedded
from search.query import Query
from tests.models.tiny_towers import square, tiny_model
from tests.search.worlds import Floats, WordEncoder, catalogue, embeddings_of

PRODUCTS = catalogue()
EMBEDDINGS = embeddings_of(PRODUCTS)
QUERIES = [
    Query(text="red dress", k=10),
    Query(images=(b"blue shirt",), k=10),
    Query(text="blue", images=(b"red dress",), k=10),
]


class ByWords:
    """The tests' own encoder, as the search by hand asks it."""

    def text(self, text: str) -> Floats:
        return WordEncoder().encode_text([text])[0]

    def photo(self, photo: bytes) -> Floats:
        return WordEncoder().encode_image([photo])[0]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    store = tmp_path_factory.mktemp("store") / "by_hand.db"
    write_store(store, EMBEDDINGS, {product.id: product.title for product in PRODUCTS})
    with embedded(store, wait_s=10) as client:
        client.load_collection(COLLECTION)
        yield TestClient(create_app(ByWords(), client))


@pytest.mark.parametrize("query", QUERIES)
def test_it_answers_the_nearest_with_their_cosines_and_titles(asked: TestClient, query: Query) -> None:
    sent = as_http(query, PEER_PHOTOS)
    answer = asked.post(sent.path, content=sent.body, headers={"content-type": sent.content_type}).json()
    words = [] if query.text is None else [query.text]
    vector = WordEncoder().encode_text([*words, *(photo.decode() for photo in query.images)]).sum(axis=0)
    cosines = EMBEDDINGS.fused @ (vector / np.linalg.norm(vector))
    at = {product_id: row for row, product_id in enumerate(EMBEDDINGS.ids)}
    found = [at[hit["id"]] for hit in answer["hits"]]
    assert np.allclose(cosines[found], np.sort(cosines)[::-1][:10], atol=1e-5)
    assert np.allclose([hit["score"] for hit in answer["hits"]], cosines[found], atol=1e-5)
    assert [hit["title"] for hit in answer["hits"]] == [PRODUCTS[row].title for row in found]


def test_it_is_ready_once_it_answers(asked: TestClient) -> None:
    assert asked.get(PEER_READY).status_code == 200


def test_agreement_with_the_floor_is_a_share_of_its_ten() -> None:
    query = QUERIES[0]
    ten = [{"id": EMBEDDINGS.ids[row]} for row in floor(query, WordEncoder(), EMBEDDINGS)]
    half = [*ten[:5], *({"id": f"none {number}"} for number in range(5))]
    told = [{"hits": ten}, {"hits": half}]
    assert found_of_floor(told, [query, query], WordEncoder(), EMBEDDINGS) == pytest.approx(0.75)


@pytest.mark.parametrize("dim", [8, 4])
def test_its_vectors_are_those_of_the_trained_towers_cut_to_the_collection(dim: int) -> None:
    model = tiny_model().eval()
    encoder, photo = TorchEncoder(model, dim), square("Red", 1)
    with torch.no_grad():
        text = unit_prefix(model.encode_text(["red shirt"]), dim)[0].numpy()
    assert np.array_equal(encoder.text("red shirt"), text)
    assert encoder.photo(photo).shape == (dim,)
    assert np.linalg.norm(encoder.photo(photo)) == pytest.approx(1, abs=1e-6)


def test_a_store_has_every_product_that_has_a_vector(tmp_path: Path) -> None:
    blank = EMBEDDINGS.fused.copy()
    blank[3] = 0
    lacking = type(EMBEDDINGS)(**{**vars(EMBEDDINGS), "fused": blank})
    write_store(tmp_path / "by_hand.db", lacking, {product.id: product.title for product in PRODUCTS})
    with embedded(tmp_path / "by_hand.db", wait_s=10) as client:
        client.load_collection(COLLECTION)
        rows = client.query(COLLECTION, filter="", output_fields=["id"], limit=100)
    assert {row["id"] for row in rows} == set(EMBEDDINGS.ids) - {EMBEDDINGS.ids[3]}
