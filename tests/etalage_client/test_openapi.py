"""The client knows every operation, field, refusal and scheme of the service's own /openapi.json, and none besides.

A field that is added to the service fails here until the client has it too.
"""

import inspect
import time
from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest
from pydantic import TypeAdapter
from starlette.testclient import TestClient

from bento.errors import INTERNAL, TABLE
from bento.settings import ServiceSettings
from etalage_client import AsyncClient, Client
from etalage_client.answers import Answer, ErrorBody
from etalage_client.bodies import SearchBody, SearchOptions
from etalage_client.errors import KINDS, Refused
from etalage_client.operations import OPERATIONS
from etalage_client.wire import headers_with
from tests.bento.world import ready_client
from tests.etalage_client.local import MOST

SAID_BY_THE_SERVICE = {"title", "description", "default", "examples", "minLength", "maxLength", "minimum", "maximum"}
"""What a schema says beside names and types: the service checks it and says so in its sentence."""
BOUNDS = {"pattern", "minItems", "maxItems", "additionalProperties"}


@pytest.fixture(scope="module")
def started() -> Iterator[TestClient]:
    with ready_client(ServiceSettings()) as client:
        until = time.monotonic() + MOST
        while client.get("/readyz").status_code != 200 and time.monotonic() < until:
            time.sleep(0.1)
        yield client


@pytest.fixture
def document(started: TestClient) -> dict[str, Any]:
    """What the service serves, fresh: a test may change it."""
    found: dict[str, Any] = started.get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """operationId -> the operation, with its method and path."""
    return {
        operation["operationId"]: {**operation, "method": method.upper(), "path": path}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def plain(schema: Any, definitions: dict[str, Any]) -> Any:
    """Names and types alone: references followed, alternatives in one order, int | float as a number."""
    if isinstance(schema, list):
        return [plain(one, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return plain(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
    kept = {name: value for name, value in schema.items() if name not in SAID_BY_THE_SERVICE | BOUNDS}
    if isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = schema["additionalProperties"]
    made: dict[str, Any] = {name: plain(value, definitions) for name, value in kept.items() if name != "properties"}
    if "properties" in kept:
        made["properties"] = {name: plain(value, definitions) for name, value in kept["properties"].items()}
    if "anyOf" in made:
        kinds = sorted({str(one): one for one in made.pop("anyOf")}.items())
        if [one for _, one in kinds] == [{"type": "integer"}, {"type": "number"}]:
            return {"type": "number"}
        made["anyOf"] = [one for _, one in kinds]
    if isinstance(made.get("required"), list):
        made["required"] = sorted(made["required"])
    return made


def of_the_client(known: Any) -> Any:
    schema = TypeAdapter(known).json_schema()
    return plain(schema, schema.get("$defs", {})) | {"$defs": None}


def of_the_service(schema: dict[str, Any], document: dict[str, Any]) -> Any:
    return plain(schema, document["components"]["schemas"]) | {"$defs": None}


def test_the_client_has_every_operation_of_the_service_and_no_other(document: dict[str, Any]) -> None:
    theirs = {name: (one["method"], one["path"]) for name, one in operations(document).items()}
    assert {name: (one.method, one.path) for name, one in OPERATIONS.items()} == theirs


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_every_operation_is_a_method_of_both_clients_and_they_take_and_give_the_same(client: type) -> None:
    methods = {name for name, _ in inspect.getmembers(client, inspect.isfunction) if not name.startswith("_")}
    assert methods - {"close", "aclose"} == set(OPERATIONS)
    for name, operation in OPERATIONS.items():
        assert inspect.signature(getattr(client, name)) == inspect.signature(getattr(Client, name))
        assert get_type_hints(getattr(client, name))["return"] is operation.answer
    assert inspect.signature(client) == inspect.signature(Client)


@pytest.mark.parametrize("name", [name for name, one in OPERATIONS.items() if one.body is not None])
def test_a_body_has_the_fields_and_types_that_the_service_reads(name: str, document: dict[str, Any]) -> None:
    theirs = operations(document)[name]["requestBody"]["content"]["application/json"]["schema"]
    assert of_the_client(OPERATIONS[name].body) == of_the_service(theirs, document)


def test_the_operations_without_a_body_take_none_at_the_service(document: dict[str, Any]) -> None:
    without = {name for name, one in operations(document).items() if "requestBody" not in one}
    assert {name for name, one in OPERATIONS.items() if one.body is None} == without


@pytest.mark.parametrize("name", [name for name, one in OPERATIONS.items() if issubclass(one.answer, Answer)])
def test_an_answer_has_the_fields_and_types_that_the_service_gives(name: str, document: dict[str, Any]) -> None:
    theirs = operations(document)[name]["responses"]["200"]["content"]["application/json"]
    known: Any = OPERATIONS[name].answer
    if "$ref" in theirs["schema"]:
        assert of_the_client(known) == of_the_service(theirs["schema"], document)
    else:  # a probe: the document has an example, and no schema of fields
        assert set(known.model_fields) == set(theirs["example"])
    assert known.model_validate(theirs["example"]).model_dump(exclude_unset=True) == theirs["example"]


def test_the_answers_of_probes_are_those_of_a_running_service(started: TestClient) -> None:
    for name in ("healthz", "readyz"):
        known: Any = OPERATIONS[name].answer
        told = started.get(OPERATIONS[name].path).json()
        assert set(known.model_fields) == set(told) and known.model_validate(told)


def test_a_search_can_be_given_every_field_of_its_body() -> None:
    assert set(SearchOptions.__annotations__) == set(SearchBody.__annotations__) - {"text", "image_url"}
    assert list(inspect.signature(Client.search).parameters) == ["self", "text", "options"]
    similar = set(inspect.signature(Client.similar).parameters) - {"self"}
    assert similar == set(OPERATIONS["similar"].body.__annotations__)  # type: ignore[union-attr]


def test_every_kind_of_refusal_is_a_class_and_every_class_a_kind() -> None:
    told = {(refusal.kind, refusal.status) for refusal in (*TABLE.values(), INTERNAL)}
    assert set(KINDS) == {kind for kind, _ in told}
    assert len(set(KINDS.values())) == len(KINDS)
    for kind, status in told:
        assert (KINDS[kind].__doc__ or "").startswith(f"{status}: "), kind
        assert issubclass(KINDS[kind], Refused)


def test_the_refusals_of_the_document_are_bodies_that_the_client_reads(document: dict[str, Any]) -> None:
    seen = set()
    for operation in operations(document).values():
        for status, told in operation["responses"].items():
            if status == "200":
                continue
            content = told["content"]["application/json"]
            assert of_the_client(ErrorBody) == of_the_service(content["schema"], document)
            assert content["example"]["kind"] in KINDS
            seen.add(int(status))
    assert {400, 401, 403, 404, 408, 413, 415, 422, 429, 503} <= seen


def test_the_key_is_sent_as_one_of_the_schemes_of_the_document(document: dict[str, Any]) -> None:
    scheme = document["components"]["securitySchemes"]["bearer"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert headers_with("k")["Authorization"] == "Bearer k"


@pytest.mark.parametrize("model", ["SearchRequest", "HitAnswer", "FeedbackEvent", "UnderstoodAnswer", "FeedbackAnswer"])
def test_a_field_that_is_added_to_the_service_or_changes_its_type_is_found(model: str, started: TestClient) -> None:
    changed, retyped = (started.get("/openapi.json").json() for _ in range(2))
    changed["components"]["schemas"][model]["properties"]["new"] = {"type": "string"}
    first = next(iter(retyped["components"]["schemas"][model]["properties"]))
    retyped["components"]["schemas"][model]["properties"][first] = {"type": "boolean"}
    for other in (changed, retyped):
        differing = 0
        for name, one in OPERATIONS.items():
            pairs = []
            if one.body is not None:
                body = operations(other)[name]["requestBody"]["content"]["application/json"]["schema"]
                pairs.append((one.body, body))
            answered = operations(other)[name]["responses"]["200"]["content"].get("application/json", {})
            if "$ref" in answered.get("schema", {}):
                pairs.append((one.answer, answered["schema"]))
            differing += sum(of_the_client(known) != of_the_service(theirs, other) for known, theirs in pairs)
        assert differing > 0
