"""Whatever a caller sends is answered with a 4xx and one sentence, and the next good request is answered well."""

import pytest
from starlette.testclient import TestClient

from tests.bento.hostile import JPEG, PNG, Hostile, b64, form, hostile_requests, part

REQUESTS = hostile_requests()


def send(client: TestClient, hostile: Hostile):
    request = dict(hostile.request)
    return client.request(hostile.method, hostile.path, **request)


def test_there_are_enough_of_them_and_each_has_its_own_name():
    names = [hostile.name for hostile in REQUESTS]
    assert len(names) >= 100
    assert len(set(names)) == len(names)
    assert {hostile.status for hostile in REQUESTS} == {400, 404, 405, 413, 415, 422}


@pytest.mark.parametrize("hostile", REQUESTS, ids=lambda hostile: hostile.name)
def test_a_hostile_request_gets_its_4xx_and_one_plain_sentence(client: TestClient, hostile: Hostile):
    reply = send(client, hostile)
    assert (reply.status_code, reply.text) == (hostile.status, reply.text)
    refusal = reply.json()
    assert set(refusal) == {"error", "kind"}
    sentence = refusal["error"]
    assert 10 < len(sentence) <= 300
    assert sentence[0] != " " and sentence[-1] in ".?!…"
    assert sentence.isprintable()
    assert "Traceback" not in sentence and "Error" not in sentence and "/site-packages" not in sentence
    assert reply.headers["X-Request-Id"] and reply.headers["X-Etalage-Release"] == "r1"
    good = client.post("/search", json={"text": "red dress", "k": 1})
    assert good.status_code == 200 and len(good.json()["hits"]) == 1


GOOD_TEXTS = {
    "Chinese": "红色连衣裙",
    "English and Chinese": "Nike 黑色 running 鞋",
    "right to left": "فستان أحمر",
    "right to left marks": "\u202ered dress\u202c",
    "emoji of several characters": "👗👨‍👩‍👧‍👦 red",
    "characters without width": "red\u200b\u200d\ufeffdress",
    "a thousand combining marks": "e" + "\u0301" * 1000,
    "new lines and tabs": "red\n\tdress\r\n",
    "an injection for SQL": "'; DROP TABLE products; --",
    "an injection for Milvus": '" || id != "" || "',
    "an injection for a template": "{{ 7 * 7 }} ${jndi:ldap://x}",
    "a private character": "\ue000\U0010ffff red",
    "two thousand characters": "a " * 1000,
}


@pytest.mark.parametrize("text", GOOD_TEXTS.values(), ids=GOOD_TEXTS.keys())
def test_strange_but_sound_text_is_answered(client: TestClient, text: str):
    reply = client.post("/search", json={"text": text, "k": 3})
    assert (reply.status_code, len(reply.json()["hits"])) == (200, 3)


GOOD_PICTURES = {
    "base64": b64(PNG),
    "base64 in lines": "\r\n".join(b64(JPEG)[at : at + 76] for at in range(0, len(b64(JPEG)), 76)),
    "base64 without its padding": b64(JPEG).rstrip("="),
    "base64 for addresses": b64(JPEG).replace("+", "-").replace("/", "_"),
    "a data: URL": "data:image/jpeg;base64," + b64(JPEG),
    "a data: URL in capitals, with a parameter": "DATA:image/png;name=a.png;BASE64," + b64(PNG),
}


@pytest.mark.parametrize("image", GOOD_PICTURES.values(), ids=GOOD_PICTURES.keys())
def test_every_honest_way_to_write_a_picture_is_read(client: TestClient, image: str):
    reply = client.post("/search", json={"image": image, "k": 2})
    assert (reply.status_code, len(reply.json()["hits"])) == (200, 2)


def test_a_filter_value_that_looks_like_an_expression_is_only_a_value(client: TestClient):
    for value in ('Red" or "1" == "1', "Red' || true", "%", "\\", "Red%"):
        reply = client.post("/search", json={"text": "red dress", "filters": {"colour": value}})
        assert (reply.status_code, reply.json()["hits"]) == (200, [])


def test_a_form_as_a_browser_sends_it_with_no_photo_chosen_is_a_text_query(client: TestClient):
    parts = [part("text", "红色连衣裙".encode()), part("image", b"", ""), part("k", b" 2 "), part("legs", b"")]
    reply = client.post("/search", **form(*parts))
    assert (reply.status_code, len(reply.json()["hits"])) == (200, 2)


@pytest.mark.parametrize("sent", ["", "x" * 65, "a b", "<script>", "é", "a\tb"])
def test_a_request_id_that_is_not_sane_is_replaced(client: TestClient, sent: str):
    reply = client.get("/healthz", headers={"X-Request-Id": sent.encode("latin-1")})
    assert reply.headers["X-Request-Id"] != sent
    assert len(reply.headers["X-Request-Id"]) == 16
