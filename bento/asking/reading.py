"""From a request's body to a checked query: JSON or multipart/form-data, base64, numbers and words that are sound.

Pure functions of the bytes; they run in the engine's threads, so a hostile body never holds up the event loop.
"""

import base64
import binascii
import json
import re
from collections import Counter
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from python_multipart.multipart import parse_options_header

from bento.asking.forms import form_parts
from bento.asking.schemas import SearchRequest
from bento.errors import BodyTooLarge, UnsupportedType, WrongShape, wrong_shape
from bento.settings import ServiceSettings
from catalog.errors import InvalidMedia, InvalidQuery, MediaTooLarge

MAX_VALUES = 20_000
"""Commas, brackets and braces in a JSON body; base64 has none of them, so only structure counts."""
MAX_DEPTH = 16
HALF_CHARACTER = re.compile("[\ud800-\udfff]")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

Shape = TypeVar("Shape", bound=BaseModel)


def parse_search(body: bytes, content_type: str, settings: ServiceSettings) -> tuple[SearchRequest, tuple[bytes, ...]]:
    """A request of POST /search: the checked fields, and the bytes of the pictures. Blank text is no text.

    Raises UnsupportedType, WrongShape, InvalidQuery, InvalidMedia, MediaTooLarge, BodyTooLarge.
    """
    kind, options = _content_type(content_type)
    if kind == "application/json":
        request = _shaped(SearchRequest, parse_json(body, settings, beside="image"))
        images = tuple(decode_base64(words, settings) for words in request.image)
    elif kind == "multipart/form-data":
        fields, images = _parse_form(body, options.get(b"boundary", b""), settings)
        request = _shaped(SearchRequest, fields)
    else:
        raise UnsupportedType("POST /search reads application/json or multipart/form-data; set the Content-Type.")
    blank = {name: None for name in ("text", "image_url") if not (getattr(request, name) or "").strip()}
    return request.model_copy(update=blank), images


def parse_fields(shape: type[Shape], body: bytes, content_type: str, settings: ServiceSettings) -> Shape:
    """A JSON request of another endpoint as `shape`. Raises as parse_search."""
    if _content_type(content_type)[0] != "application/json":
        raise UnsupportedType("This endpoint reads application/json; set the Content-Type.")
    return _shaped(shape, parse_json(body, settings))


def parse_json(body: bytes, settings: ServiceSettings, beside: str = "") -> dict[str, Any]:
    """One JSON object of finite numbers and whole characters; the field `beside` has limits of its own.

    Raises InvalidQuery when it is not JSON, WrongShape when it is not an object, BodyTooLarge.
    """
    fields = _loads(body)
    if not isinstance(fields, dict):
        raise WrongShape("The request body must be one JSON object.")
    rest = {name: value for name, value in fields.items() if name != beside}
    _check_values(rest, depth=0)
    _check_size(len(json.dumps(rest, ensure_ascii=False)), settings)
    return fields


def _loads(body: bytes) -> Any:
    """Any JSON value. Raises InvalidQuery, WrongShape, BodyTooLarge."""
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > MAX_VALUES:
        raise BodyTooLarge(f"The request holds more than {MAX_VALUES:,} values.")
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_each_once)
    except UnicodeDecodeError:
        raise InvalidQuery("The request body is not UTF-8.") from None
    except RecursionError:
        raise InvalidQuery("The JSON of the request is nested too deep.") from None
    except json.JSONDecodeError as error:
        raise InvalidQuery(f"The request body is not JSON: {error.msg} at character {error.pos}.") from None
    except ValueError:
        raise InvalidQuery("The JSON of the request holds a number that is too long.") from None


def decode_base64(words: str, settings: ServiceSettings) -> bytes:
    """The bytes of a picture sent as base64 or as a data: URL. Raises InvalidQuery, InvalidMedia, MediaTooLarge."""
    if words[:5].lower() == "data:":
        head, comma, words = words.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise InvalidQuery("'image' is a data: URL without base64 content.")
    packed = re.sub(r"\s+", "", words)
    altchars = b"-_" if "-" in packed or "_" in packed else b"+/"
    try:
        data = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=altchars, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidQuery("'image' is not base64.") from None
    return _checked_image(data, settings)


def _content_type(header: str) -> tuple[str, dict[bytes, bytes]]:
    kind, options = parse_options_header(header)
    if options.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"utf8", b"us-ascii"):
        raise UnsupportedType("The request must be UTF-8.")
    return kind.decode("latin-1").lower(), options


def _shaped(shape: type[Shape], fields: dict[str, Any]) -> Shape:
    try:
        return shape.model_validate(fields)
    except ValidationError as error:
        raise wrong_shape(error) from None


def _no_constant(name: str) -> NoReturn:
    raise InvalidQuery(f"JSON has no {name}: send a number.")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Of a field that is there twice nobody knows which one is meant, so it is refused as in a form."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise WrongShape(f"'{twice[:60]}' is in the request twice.")
    return fields


def _check_size(characters: int, settings: ServiceSettings) -> None:
    if characters > settings.max_other_bytes:
        limit = settings.max_other_bytes / 2**10
        raise BodyTooLarge(f"The request without its picture is larger than {limit:.3g} KB.")


def _check_values(value: Any, depth: int) -> None:
    """Refuse half characters, control characters, numbers beyond a float, and nesting that no request needs."""
    if depth > MAX_DEPTH:
        raise InvalidQuery("The JSON of the request is nested too deep.")
    if isinstance(value, str):
        _check_words(value)
    elif isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise InvalidQuery("The request holds a number that is too large.")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_words(name)
            _check_values(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_values(inner, depth + 1)


def _check_words(words: str) -> None:
    if half := HALF_CHARACTER.search(words):
        raise InvalidQuery(f"The request holds half a character (U+{ord(half[0]):04X}), which is not text.")
    if control := CONTROL.search(words):
        raise InvalidQuery(f"The request holds a control character (U+{ord(control[0]):04X}).")


def _checked_image(data: bytes, settings: ServiceSettings) -> bytes:
    if len(data) > settings.max_image_bytes:
        raise MediaTooLarge(f"The picture is larger than {settings.max_image_bytes / 2**20:.3g} MB.")
    if not data:
        raise InvalidMedia("The picture is empty: it has 0 bytes.")
    return data


def _parse_form(body: bytes, boundary: bytes, settings: ServiceSettings) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    """The fields of a form as the JSON body would have them, and the pictures. Blank fields are left out."""
    fields: dict[str, Any] = {}
    images: list[bytes] = []
    characters = 0
    for part in form_parts(body, boundary):
        if part.name in fields:
            raise WrongShape(f"'{part.name}' is in the form twice.")
        if part.filename is not None:
            if part.name != "image":
                raise WrongShape(f"'{part.name}' must be a field, not a file; the picture goes in 'image'.")
            if part.data or part.filename:  # a browser sends an empty file without a name when none was chosen
                images.append(_checked_image(bytes(part.data), settings))
            continue
        if part.name == "image":
            images.append(decode_base64(part.words(), settings))
            continue
        words = part.words()
        characters += len(words)
        _check_size(characters, settings)
        _check_words(words)
        if words.strip():
            fields[part.name] = _form_value(part.name, words, settings)
    return fields, tuple(images)


def _form_value(name: str, words: str, settings: ServiceSettings) -> Any:
    """A form has only strings: `filters` and `terms` are JSON, `legs` and `facets` have commas, others are numbers or
    booleans."""
    if name == "filters":
        return parse_json(words.encode(), settings)
    if name == "terms":
        terms = _loads(words.encode())
        _check_values(terms, depth=1)
        return terms
    if name in ("legs", "facets"):
        return [leg.strip() for leg in words.split(",")]
    if name in ("k", "text_weight"):
        return _number(name, words.strip())
    if name in ("understand", "explain"):
        return _truth(name, words.strip().lower())
    return words


def _truth(name: str, words: str) -> bool:
    if words not in ("true", "false"):
        raise WrongShape(f"'{name}' must be true or false.")
    return words == "true"


def _number(name: str, words: str) -> int | float:
    if re.fullmatch(r"[+-]?[0-9]{1,18}", words, re.ASCII):
        return int(words)
    if re.fullmatch(r"[+-]?[0-9]{0,18}\.[0-9]{1,18}", words, re.ASCII):
        return float(words)
    raise WrongShape(f"'{name}' must be a number.")
