"""What the OpenAPI document says of API keys: how to send one, which scope an endpoint needs, how it refuses."""

from typing import Any

from search.keys import KeyScope

NEEDS: dict[str, KeyScope] = {
    "/search": "search",
    "/similar": "search",
    "/products/{id}": "search",
    "/pictures/{id}": "search",
    "/feedback": "feedback",
    "/metrics": "admin",
}
"""The scope each path asks for; a test compares it with the routes. What is not here is open to all."""

SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key of `etalage keys add`. Only a service on loopback may be without keys.",
    },
    "header": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "The same key in another header."},
}
CHALLENGE = {"WWW-Authenticate": {"description": "Bearer, and what is wrong.", "schema": {"type": "string"}}}
REFUSALS = {
    "401": ("No API key, or none that opens this.", "The API key is unknown or was revoked.", "unauthorized"),
    "403": (
        "The API key lacks the scope; or an image URL that this service does not fetch.",
        "The API key is not allowed to do this: it lacks the scope admin.",
        "forbidden",
    ),
}


def secured(document: dict[str, Any], headers: dict[str, Any]) -> dict[str, Any]:
    """`document` with the schemes, and with scope and refusals on every path of NEEDS.

    In 3.1 the names in a requirement may be the roles that are needed: here, the scope. `headers` are on every answer.
    """
    for path, need in NEEDS.items():
        for operation in document["paths"][path].values():
            operation["security"] = [{scheme: [need]} for scheme in SCHEMES]
            operation["responses"] |= {status: _refused(status, headers) for status in REFUSALS}
    document["components"]["securitySchemes"] = SCHEMES
    return document


def _refused(status: str, headers: dict[str, Any]) -> dict[str, Any]:
    description, sentence, kind = REFUSALS[status]
    body = {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}, "example": {"error": sentence, "kind": kind}}
    return {
        "description": description,
        "headers": {**headers, **CHALLENGE},
        "content": {"application/json": body},
    }
