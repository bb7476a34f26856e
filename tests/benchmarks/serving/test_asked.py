"""What the benchmark sends is what the service reads: the same words, photos, k and legs."""

import pytest

from benchmarks.serving.asked import as_http, in_turns
from benchmarks.serving.plan import PLANS
from bento.asking.reading import parse_search
from bento.settings import ServiceSettings
from search.query import Query

PHOTO = b"\xff\xd8 not a picture, \r\n--but bytes\x00"


@pytest.mark.parametrize(
    "query",
    [
        Query(text="red dress"),
        Query(text="红色连衣裙", k=3),
        Query(images=(PHOTO,)),
        Query(text="in 蓝色", images=(PHOTO,)),
        Query(text="red dress", legs=("dense",)),
        Query(text="in blue", images=(PHOTO,), legs=("dense",)),
    ],
)
def test_the_service_reads_what_was_meant(query: Query) -> None:
    sent = as_http(query)
    fields, images = parse_search(sent.body, sent.content_type, ServiceSettings())
    assert (fields.text, images, fields.k) == (query.text, query.images, query.k)
    assert fields.legs == (None if query.legs is None else list(query.legs))
    assert fields.understand is (query.legs is None)
    assert sent.path == "/search"


def test_only_photos_go_to_another_path() -> None:
    assert as_http(Query(text="red"), "/photos").path == "/search"
    assert as_http(Query(images=(PHOTO,)), "/photos").path == "/photos"


def test_kinds_take_turns_to_the_end_of_the_longest() -> None:
    a, b, c = Query(text="a"), Query(text="b"), Query(text="c")
    assert in_turns([[a, c], [b]]) == [a, b, c]


def test_every_client_of_a_plan_asks_several_times() -> None:
    for plan in PLANS.values():
        assert all(plan.requests_of(clients) >= max(plan.requests, 3 * clients) for clients in plan.clients)
