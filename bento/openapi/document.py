"""OpenAPI 3.1 of the service, from the schemas, with an example for every endpoint. Served at /openapi.json."""

import base64
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bento.asking.schemas import ErrorAnswer, ProductAnswer, SearchAnswer, SearchRequest, SimilarRequest
from bento.feedback.schemas import FEEDBACK_EXAMPLES, FeedbackAnswer, FeedbackRequest
from bento.openapi.security import secured

RELEASE = "fashion-7f3a9c"
HIT = {
    "id": "15970",
    "score": 0.8312,
    "rank": 1,
    "title": "Turtle Check Men Navy Blue Shirt",
    "category": ["Apparel", "Topwear", "Shirts"],
    "legs": {"dense": {"score": 0.71, "rank": 1}, "lexical": {"score": 9.42, "rank": 3}},
}
SEARCH_EXAMPLES: dict[str, dict[str, Any]] = {
    "words": {"summary": "Words in English", "value": {"text": "red dress for women", "k": 5}},
    "chinese": {
        "summary": "Words in Chinese, with a filter",
        "value": {"text": "蓝色牛仔裤", "filters": {"colour": "Blue"}},
    },
    "range": {"summary": "A price range", "value": {"text": "watch", "filters": {"price": {"gte": 20, "lt": 90}}}},
    "wishes": {
        "summary": "A price and what is not wanted, in the text itself",
        "value": {"text": "jeans under 500, not blue", "understand": True},
    },
    "photo": {"summary": "A photo in base64", "value": {"image": "{photo}", "k": 5}},
    "both": {
        "summary": "A photo and words: like this, in red",
        "value": {"text": "in red", "image": "data:image/png;base64,{photo}", "text_weight": 0.4},
    },
    "several": {
        "summary": "Two photos, and words that pull and push",
        "value": {
            "image": ["{photo}", "{photo}"],
            "terms": [{"text": "wool", "weight": 0.5}, {"text": "black", "weight": -0.5}],
        },
    },
    "why": {"summary": "Why each hit was found", "value": {"text": "red dress", "k": 3, "explain": True}},
    "facets": {"summary": "With counts to filter by", "value": {"text": "shirt", "facets": ["category"]}},
    "legs": {"summary": "One leg only, for diagnosis", "value": {"text": "boots", "legs": ["lexical"]}},
}
SIMILAR_EXAMPLES: dict[str, dict[str, Any]] = {
    "similar": {"summary": "Like a product of the catalogue", "value": {"id": "15970", "k": 5}},
    "why": {"summary": "And why", "value": {"id": "15970", "k": 3, "explain": True}},
}
UNDERSTOOD = {
    "facets": [
        {
            "text": "jeans",
            "how": "name",
            "negated": False,
            "meanings": [{"field": "category", "value": "Jeans", "confidence": 1.0}],
        }
    ],
    "prices": [{"text": "under 500", "price": {"lte": 500.0}, "currency": None, "applied": True, "reason": ""}],
    "without": ["zip"],
    "searched": "jeans",
}
ANSWER = {
    "hits": [HIT],
    "understood": UNDERSTOOD,
    "release": RELEASE,
    "took_ms": 21.4,
    "timings_ms": {"encode": 9.1, "retrieve": 8.2},
}
REFUSALS = {
    400: ("The query cannot be answered.", "The query is empty: send text, an image, or both.", "invalid_query"),
    404: ("No such product.", "No product has the id '0'.", "unknown_product"),
    408: ("The body came too slowly.", "The request body did not arrive within 20 seconds.", "too_slow_body"),
    413: ("Too large.", "The picture is larger than 10 MB.", "too_large"),
    415: (
        "Not a picture, or not a type this endpoint reads.",
        "The picture is empty: it has 0 bytes.",
        "invalid_media",
    ),
    422: (
        "The fields are not those of this endpoint.",
        "'k' is wrong: input should be a valid integer.",
        "wrong_shape",
    ),
    429: (
        "It would have to wait too long, or this caller asks too often; see Retry-After.",
        "The service is answering as many queries as it can.",
        "busy",
    ),
    503: ("Not ready; the sentence says why.", "The release is being opened.", "not_ready"),
}
HEADERS = {
    "X-Etalage-Release": {"description": "The release that answered.", "schema": {"type": "string"}},
    "X-Request-Id": {"description": "Yours if you sent a sane one, else a new one.", "schema": {"type": "string"}},
    "Server-Timing": {"description": "Milliseconds in the service.", "schema": {"type": "string"}},
}


@cache
def openapi() -> dict[str, Any]:
    """The document. Its examples are real requests (a test sends each of them)."""
    models: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = [
        (SearchRequest, "validation"),
        (SimilarRequest, "validation"),
        (SearchAnswer, "serialization"),
        (ProductAnswer, "serialization"),
        (FeedbackRequest, "validation"),
        (FeedbackAnswer, "serialization"),
        (ErrorAnswer, "serialization"),
    ]
    _, schemas = models_json_schema(models, ref_template="#/components/schemas/{model}")
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Etalage product search", "version": "1", "license": {"name": "Apache-2.0"}},
        "paths": {
            "/search": {"post": _search()},
            "/similar": {
                "post": {
                    "operationId": "similar",
                    "summary": "Products like one of the catalogue",
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": _json("SimilarRequest", SIMILAR_EXAMPLES)},
                    },
                    "responses": _responses("SearchAnswer", ANSWER, 400, 404, 408, 413, 415, 422, 429, 503),
                }
            },
            "/products/{id}": {
                "get": {
                    "operationId": "product",
                    "summary": "One product",
                    "parameters": [
                        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}, "example": "15970"}
                    ],
                    "responses": _responses("ProductAnswer", _product(), 404, 429, 503),
                }
            },
            "/pictures/{id}": {
                "get": {
                    "operationId": "picture",
                    "summary": "A picture of a product, small",
                    "parameters": [
                        {
                            "name": "id",
                            "in": "path",
                            "required": True,
                            "schema": {"type": "string"},
                            "example": "0f343b0931126a20f133d67c",
                            "description": "Of a product's `images`.",
                        }
                    ],
                    "responses": {
                        "200": {"description": "JPEG", "headers": HEADERS, "content": {"image/jpeg": {}}},
                        **{str(status): _refused(status) for status in (404, 429, 503)},
                    },
                }
            },
            "/feedback": {
                "post": {
                    "operationId": "feedback",
                    "summary": "What users did with the hits of answers",
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": _json("FeedbackRequest", FEEDBACK_EXAMPLES)},
                    },
                    "responses": _responses(
                        "FeedbackAnswer", {"kept": 1, "repeated": 0}, 400, 408, 413, 415, 422, 429, 503
                    ),
                }
            },
            "/healthz": {"get": _small("healthz", "The process answers", {"status": "alive", "release": RELEASE})},
            "/readyz": {
                "get": _small(
                    "readyz", "A probe query is answered", {"status": "ready", "release": RELEASE, "probe_ms": 9.7}, 503
                )
            },
            "/metrics": {
                "get": {
                    "operationId": "metrics",
                    "summary": "Numbers for Prometheus",
                    "responses": {
                        "200": {
                            "description": "Prometheus text format",
                            "content": {"text/plain": {"example": 'etalage_zero_results_total{route="/search"} 3.0\n'}},
                        }
                    },
                }
            },
        },
        "components": {"schemas": schemas["$defs"]},
    }
    return secured(document, HEADERS)


def _search() -> dict[str, Any]:
    form = {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "image": {
                "type": "array",
                "items": {"type": "string", "format": "binary"},
                "description": "A picture file; the part may be repeated, up to 8 times.",
            },
            "image_url": {"type": "string", "description": "As in the JSON body."},
            "k": {"type": "integer", "default": 10},
            "filters": {"type": "string", "description": "A JSON object, as in the JSON body."},
            "legs": {"type": "string", "description": "Names with commas between them."},
            "text_weight": {"type": "number", "default": 0.5},
            "terms": {"type": "string", "description": "A JSON list, as in the JSON body."},
            "understand": {"type": "boolean", "default": True},
            "explain": {"type": "boolean", "default": False},
            "facets": {"type": "string", "description": "Names with commas between them, or *."},
        },
    }
    return {
        "operationId": "search",
        "summary": "Products for words, a photo, or both",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": _json("SearchRequest", search_examples()),
                "multipart/form-data": {"schema": form, "example": {"text": "in red", "k": 5}},
            },
        },
        "responses": _responses("SearchAnswer", ANSWER, 400, 408, 413, 415, 422, 429, 503),
    }


def search_examples() -> dict[str, dict[str, Any]]:
    """SEARCH_EXAMPLES with a real small photo in place."""
    photo = base64.b64encode(files("bento").joinpath("example.png").read_bytes()).decode()
    return {
        name: {
            **example,
            "value": {field: _filled(value, photo) for field, value in example["value"].items()},
        }
        for name, example in SEARCH_EXAMPLES.items()
    }


def _filled(value: Any, photo: str) -> Any:
    if isinstance(value, list):
        return [_filled(inner, photo) for inner in value]
    return value.replace("{photo}", photo) if isinstance(value, str) else value


def _product() -> dict[str, Any]:
    product = {field: HIT[field] for field in ("id", "title", "category")}
    return {"product": product, "release": RELEASE, "took_ms": 0.4}


def _json(model: str, examples: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {"schema": {"$ref": f"#/components/schemas/{model}"}, "examples": examples}


def _responses(model: str, example: dict[str, Any], *refusals: int) -> dict[str, Any]:
    answer = {"schema": {"$ref": f"#/components/schemas/{model}"}, "example": example}
    good = {"description": "Answered", "headers": HEADERS, "content": {"application/json": answer}}
    return {"200": good, **{str(status): _refused(status) for status in refusals}}


def _refused(status: int) -> dict[str, Any]:
    description, sentence, kind = REFUSALS[status]
    body = {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}, "example": {"error": sentence, "kind": kind}}
    return {"description": description, "headers": HEADERS, "content": {"application/json": body}}


def _small(name: str, summary: str, example: dict[str, Any], *refusals: int) -> dict[str, Any]:
    good = {"description": summary, "content": {"application/json": {"schema": {"type": "object"}, "example": example}}}
    return {
        "operationId": name,
        "summary": summary,
        "responses": {"200": good, **{str(status): _refused(status) for status in refusals}},
    }
