"""What the endpoints answer."""

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from bento.asking.reason_schemas import ReasonsAnswer
from bento.asking.schemas import ErrorAnswer, SearchAnswer
from bento.feedback.schemas import FEEDBACK_EXAMPLES
from bento.openapi.document import SIMILAR_EXAMPLES, openapi, search_examples
from bento.settings import ServiceSettings
from tests.bento.hostile import JPEG, PNG, b64
from tests.bento.world import ready_client


def test_words_find_the_products_they_name_with_the_score_and_rank_of_every_leg(client: TestClient):
    answer = client.post("/search", json={"text": "red dress", "k": 3}).json()
    assert set(answer) == {"hits", "understood", "release", "took_ms", "timings_ms"}
    first, *others = answer["hits"]
    assert (first["title"], len(others)) == ("Red dress", 2)
    assert first["legs"]["lexical"]["rank"] == 1
    assert [hit["score"] for hit in answer["hits"]] == sorted((hit["score"] for hit in answer["hits"]), reverse=True)
    assert [hit["rank"] for hit in answer["hits"]] == [1, 2, 3]
    SearchAnswer.model_validate(answer)


def test_json_and_a_form_give_the_same_hits(client: TestClient):
    asked = {"text": "blue", "k": 4, "filters": {"colour": ["Blue", "Red"]}, "legs": ["dense", "image"]}
    by_json = client.post("/search", json={**asked, "image": b64(JPEG), "text_weight": 0.25}).json()
    by_form = client.post(
        "/search",
        data={
            "text": "blue",
            "k": "4",
            "filters": json.dumps(asked["filters"]),
            "legs": "dense, image",
            "text_weight": "0.25",
        },
        files={"image": ("photo.jpg", JPEG)},
    ).json()
    assert by_form["hits"] == by_json["hits"] != []
    assert set(by_json["hits"][0]["legs"]) <= {"dense", "image"}


def test_several_photos_and_terms_by_json_and_by_a_form_give_the_same_hits(client: TestClient):
    terms = [{"text": "blue", "weight": 0.75}, {"text": "dress", "weight": -0.5}, {"text": "shirt"}]
    by_json = client.post("/search", json={"image": [b64(JPEG), b64(PNG)], "terms": terms, "k": 5}).json()
    files = [("image", ("a.jpg", JPEG)), ("image", ("b.png", PNG))]
    by_form = client.post("/search", data={"terms": json.dumps(terms), "k": "5"}, files=files).json()
    assert by_form["hits"] == by_json["hits"] != []
    assert by_json["hits"] != client.post("/search", json={"image": [b64(JPEG), b64(PNG)], "k": 5}).json()["hits"]


def test_a_hit_says_what_adds_up_to_its_score_when_asked(client: TestClient):
    plain = client.post("/search", json={"text": "red dress", "image": b64(JPEG)}).json()
    by_json = client.post("/search", json={"text": "red dress", "image": b64(JPEG), "explain": True}).json()
    asked = {"data": {"text": "red dress", "explain": "true"}, "files": {"image": ("photo.jpg", JPEG)}}
    assert client.post("/search", **asked).json()["hits"] == by_json["hits"]
    for hit in by_json["hits"]:
        assert sum(hit["contributions"].values()) == pytest.approx(hit["score"], abs=1e-6)
        why = ReasonsAnswer.model_validate(hit["reasons"]).model_dump()
        assert why == hit["reasons"] and why["is_score"]  # nothing is told that the document does not know
        assert why["sum"] == pytest.approx(hit["score"], abs=1e-5)
        assert {word["text"] for word in why["words"]} == {"red", "dress"} and len(why["photos"]) == 1
        del hit["contributions"], hit["reasons"]
    assert by_json["hits"] == plain["hits"] != []
    asked["data"]["explain"] = "perhaps"
    assert client.post("/search", **asked).status_code == 422


def test_products_like_another_say_why_when_asked(client: TestClient):
    plain, told = (
        client.post("/similar", json={"id": "p0", **more}).json()["hits"] for more in ({}, {"explain": True})
    )
    assert all("reasons" not in hit for hit in plain)
    shared = {(own["field"], own["value"]) for own in told[0]["reasons"]["attributes"]}
    assert shared == {("category", "dress"), ("colour", "Red")}


def test_facets_are_counted_when_asked_by_json_and_by_a_form(client: TestClient):
    asked = {"text": "red", "filters": {"colour": "Red", "category": "dress"}}
    by_json = client.post("/search", json={**asked, "facets": ["colour", "category"]}).json()
    assert by_json["facets"]["colour"] == [{"value": "Red", "count": 3}]
    assert by_json["facets"]["category"] == [{"value": "Apparel", "count": 3}, {"value": "dress", "count": 3}]
    form = {"text": "red", "filters": json.dumps(asked["filters"]), "facets": "colour, category"}
    assert client.post("/search", data=form, files={"k": (None, "10")}).json()["facets"] == by_json["facets"]
    assert "facets" not in client.post("/search", json=asked).json()
    refused = client.post("/search", json={**asked, "facets": ["price"]})
    assert (refused.status_code, refused.json()["kind"]) == (400, "invalid_query")


def test_one_photo_alone_and_in_a_list_give_the_same_hits(client: TestClient):
    alone, listed = (client.post("/search", json={"image": image}).json() for image in (b64(JPEG), [b64(JPEG)]))
    assert alone["hits"] == listed["hits"] != []


def test_every_answer_carries_the_release_a_request_id_and_its_time(client: TestClient):
    asked = {"json": {"text": "red"}, "headers": {"X-Request-Id": "order-66.a:b_c"}}
    good, bad = client.post("/search", **asked), client.get("/nothing", headers={"X-Request-Id": "order-67"})
    assert good.headers["X-Request-Id"] == "order-66.a:b_c"
    assert bad.headers["X-Request-Id"] == "order-67"
    for reply in (good, bad, client.get("/healthz"), client.get("/products/p0")):
        assert reply.headers["X-Etalage-Release"] == "r1"
        assert reply.headers["Server-Timing"].startswith("total;dur=")
    assert good.json()["release"] == "r1"


def test_timings_name_the_phases_and_add_up_to_no_more_than_the_whole(client: TestClient):
    answer = client.post("/search", json={"text": "red dress"}).json()
    assert {"read", "wait", "parse"} < set(answer["timings_ms"])
    assert all(took >= 0 for took in answer["timings_ms"].values())
    assert answer["took_ms"] + 0.01 >= sum(answer["timings_ms"][phase] for phase in ("read", "wait", "parse"))


def test_a_product_is_shown_by_its_id_even_with_a_slash_in_it(client: TestClient):
    shown = client.get("/products/p0").json()
    assert shown["product"]["id"] == "p0" and shown["release"] == "r1"
    assert client.get("/products/sku%2F7").json()["product"]["id"] == "sku/7"


def test_similar_leaves_the_product_itself_out_and_obeys_k_and_filters(client: TestClient):
    answer = client.post("/similar", json={"id": "p0", "k": 3, "filters": {"colour": "Blue"}}).json()
    assert len(answer["hits"]) == 3
    assert "p0" not in {hit["id"] for hit in answer["hits"]}
    assert {hit["attributes"]["colour"] for hit in answer["hits"]} == {"Blue"}


def test_metrics_count_requests_hits_and_empty_answers_and_name_the_release(client: TestClient):
    def number(line: str) -> float:
        found = [shown for shown in client.get("/metrics").text.splitlines() if shown.startswith(line + " ")]
        return float(found[0].split()[-1]) if found else 0.0

    lines = {
        'etalage_requests_total{method="POST",release="r1",route="/search",status="200"}': 2,
        'etalage_requests_total{method="POST",release="r1",route="/search",status="400"}': 1,
        'etalage_hits_total{kind="text",release="r1"}': 3,
        'etalage_zero_results_total{kind="text",release="r1"}': 1,
        'etalage_phase_seconds_count{phase="parse"}': 2,
        'etalage_request_seconds_count{route="/search"}': 3,
    }
    before = {line: number(line) for line in lines}
    client.post("/search", json={"text": "red", "k": 3})
    client.post("/search", json={"text": "red", "filters": {"colour": "Turquoise"}})
    client.post("/search", json={})
    assert {line: number(line) - before[line] for line in lines} == lines
    page = client.get("/metrics").text
    assert 'etalage_release_info{collection="products_r1",encoder=' in page
    assert "etalage_ready 1.0" in page


def test_metrics_take_no_label_from_a_caller(client: TestClient):
    client.request("BREW", "/coffee-pot-7")
    client.get("/products/secret-product-7")
    page = client.get("/metrics").text
    assert "coffee-pot" not in page and "BREW" not in page and "secret-product" not in page


def test_every_example_of_the_openapi_document_is_answered(client: TestClient, tmp_path: Path):
    for name, example in search_examples().items():
        reply = client.post("/search", json=example["value"])
        assert (name, reply.status_code) == (name, 200)
    assert set(SIMILAR_EXAMPLES["similar"]["value"]) == {"id", "k"}
    for example in FEEDBACK_EXAMPLES.values():
        events = example["value"]["events"]
        with ready_client(ServiceSettings(journal_folder=tmp_path / example["summary"])) as own:
            assert own.post("/feedback", json=example["value"]).json() == {"kept": len(events), "repeated": 0}


def test_the_openapi_document_covers_every_route_and_resolves(client: TestClient):
    document = client.get("/openapi.json").json()
    assert document == json.loads(json.dumps(openapi()))
    paths = {"/search", "/similar", "/products/{id}", "/pictures/{id}", "/feedback", "/healthz", "/readyz", "/metrics"}
    assert paths == set(document["paths"])
    words = json.dumps(document)
    for reference in {part.split('"')[0] for part in words.split('"$ref": "#/components/schemas/')[1:]}:
        assert reference in document["components"]["schemas"]
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                content = response["content"].get("application/json")
                if content and status != "200":
                    ErrorAnswer.model_validate(content["example"])


def test_the_page_asks_nothing_from_outside_and_runs_only_its_own_script(client: TestClient):
    reply = client.get("/")
    assert reply.headers["content-type"].startswith("text/html")
    assert "http://" not in reply.text and "https://" not in reply.text and "//" not in reply.text
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert "unsafe" not in reply.headers["Content-Security-Policy"]
    assert "innerHTML" not in reply.text  # titles are text, whatever a shop puts into them
