"""What /openapi.json promises, held against the running service by schemathesis: sound and unsound requests from the
schemas, a fixed seed, and every answer checked for its status, content type and shape.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.bento.running import Served

pytestmark = pytest.mark.slow

CHECKS: list[Callable[..., Any]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 200
"""Of each operation that takes something, in each mode; one is enough for what takes nothing."""
SOUND, UNSOUND = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
ASKED = [
    ("POST /search", SOUND, EXAMPLES),
    ("POST /search", UNSOUND, EXAMPLES),
    ("POST /similar", SOUND, EXAMPLES),
    ("POST /similar", UNSOUND, EXAMPLES),
    ("GET /products/{id}", SOUND, EXAMPLES),
    ("GET /pictures/{id}", SOUND, EXAMPLES),
    ("POST /feedback", SOUND, EXAMPLES),
    ("POST /feedback", UNSOUND, EXAMPLES),
    ("GET /healthz", SOUND, 1),
    ("GET /readyz", SOUND, 1),
    ("GET /metrics", SOUND, 1),
]


@pytest.fixture(scope="module")
def operations(served: Served) -> dict[str, Any]:
    """The operations of the document that the service shows, by name."""
    document = schemathesis.openapi.from_url(f"http://127.0.0.1:{served.port}/openapi.json")
    return {operation.ok().label: operation.ok() for operation in document.get_all_operations()}


def test_all_that_the_document_names_is_asked(operations: dict[str, Any]):
    assert set(operations) == {name for name, _, _ in ASKED}


@pytest.mark.parametrize(("name", "mode", "examples"), ASKED)
def test_every_answer_is_one_that_the_document_promises(
    operations: dict[str, Any], name: str, mode: GenerationMode, examples: int
):
    statuses = Counter[int]()

    @seed(20261121)
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operations[name].as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        reply = case.call(timeout=15)
        case.validate_response(reply, checks=CHECKS)
        statuses[reply.status_code] += 1

    ask()
    print(f"{name}, {mode.value}: {dict(statuses)}")
    assert statuses.total() >= min(examples, 10)


KNOWN: list[tuple[str, dict[str, Any]]] = [
    (
        "POST /search",
        {"body": {"text": "red dress, not blue, under 50", "explain": True}, "media_type": "application/json"},
    ),
    ("POST /similar", {"body": {"id": "p0", "k": 200}, "media_type": "application/json"}),
    ("GET /products/{id}", {"path_parameters": {"id": "sku/7"}}),
    (
        "POST /feedback",
        {
            "body": {"events": [{"request_id": "r", "product_id": "sku/7", "action": "buy", "rank": 1}]},
            "media_type": "application/json",
        },
    ),
]


@pytest.mark.parametrize(("name", "asked"), KNOWN)
def test_a_full_answer_has_the_shape_that_the_document_promises(
    operations: dict[str, Any], name: str, asked: dict[str, Any]
):
    case = operations[name].Case(**asked)
    reply = case.call(timeout=15)
    assert reply.status_code == 200
    case.validate_response(reply, checks=CHECKS)
