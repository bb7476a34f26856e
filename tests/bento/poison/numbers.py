"""JSON, and the numbers in it: too deep, too many, too large, none at all."""

import json

from tests.bento.hostile import PNG, b64, body, fields
from tests.bento.poison.case import Poison, Row, table

SHAPES: list[Row] = [
    ("nothing", 400, lambda: body(b"")),
    ("spaces", 400, lambda: body(b" " * 1000)),
    ("one NUL", 400, lambda: body(b"\0")),
    ("two objects", 400, lambda: body('{"text": "red"}{"text": "blue"}')),
    ("one object a line", 400, lambda: body('{"text": "red"}\n{"text": "blue"}\n')),
    ("a comma too many", 400, lambda: body('{"text": "red",}')),
    ("a comment", 400, lambda: body('{"text": "red" /* dress */}')),
    ("names without quotes", 400, lambda: body("{text: 'red'}")),
    ("a call", 400, lambda: body('callback({"text": "red"})')),
    ("XML", 400, lambda: body('<?xml version="1.0"?><text>red</text>')),
    ("an escape that is none", 400, lambda: body('{"text": "\\x41"}')),
    ("half an escape", 400, lambda: body('{"text": "\\u12"}')),
    ("UTF-32", 400, lambda: body('{"text": "red"}'.encode("utf-32"))),
    ("a hexadecimal number", 400, lambda: body('{"text": "red", "k": 0x10}')),
    ("a number with a zero before it", 400, lambda: body('{"text": "red", "k": 010}')),
    ("a number with a plus", 400, lambda: body('{"text": "red", "k": +10}')),
    ("True", 400, lambda: body('{"text": "red", "explain": True}')),
    ("a number alone", 422, lambda: body("7")),
    ("true alone", 422, lambda: body("true")),
    ("a list of objects", 422, lambda: body('[{"text": "red"}]')),
    ("the same field twice", 422, lambda: body('{"text": "red", "text": "blue"}')),
    ("the same field twice, once escaped", 422, lambda: body('{"k": 1, "\\u006b": 200, "text": "red"}')),
    ("the same filter twice", 422, lambda: body('{"text": "red", "filters": {"colour": "Red", "colour": "Blue"}}')),
    ("nineteen thousand fields, the last one twice", 422, lambda: body(_twice(19_000))),
    ("the name of a prototype", 422, lambda: fields(text="red", __proto__={"admin": True})),
    ("the name of a class's own", 422, lambda: fields(text="red", model_config={}, __class__="x")),
    ("a field without a name", 422, lambda: fields(**{"text": "red", "": 1})),
    ("a name of a hundred thousand characters", 422, lambda: fields(**{"text": "red", "a" * 100_000: 1})),
    ("five thousand fields", 422, lambda: fields(text="red", **{f"a{at}": at for at in range(5_000)})),
    ("seventeen lists", 400, lambda: fields(text="red", filters={"colour": json.loads("[" * 17 + "]" * 17)})),
    ("a thousand lists", 400, lambda: body('{"text": ' + "[" * 1_000 + "]" * 1_000 + "}")),
    ("nineteen thousand objects", 400, lambda: body('{"a":' * 19_000 + "1" + "}" * 19_000)),
    ("lists in the picture", 400, lambda: body('{"image": ' + "[" * 19_000 + "]" * 19_000 + "}")),
    ("a hundred lists in the picture", 422, lambda: body('{"image": ' + "[" * 100 + "]" * 100 + "}")),
    ("a million commas", 413, lambda: body("[" + "0," * 1_000_000 + "0]")),
    ("fifty megabytes", 413, lambda: body(b" " * (50 * 2**20))),
    ("fifty megabytes of brackets", 413, lambda: body(b"[" * (50 * 2**20))),
    ("thirteen megabytes of brackets", 413, lambda: body(b"[" * (13 * 2**20))),
    ("thirteen megabytes of digits", 400, lambda: body(b'{"k": ' + b"9" * (13 * 2**20) + b"}")),
    ("thirteen megabytes of quotes", 400, lambda: body(b'"' * (13 * 2**20))),
    ("thirteen megabytes of escapes", 413, lambda: body(b'{"text": "' + b"\\u0041" * (2 * 2**20) + b'"}')),
]


def _twice(count: int) -> str:
    return "{" + "".join(f'"a{at}":1,' for at in range(count)) + f'"a{count - 1}":1}}'


COUNTS = [-1, 0, 201, 2**31, 2**63, 2**64, -(2**63), 10**400]
NO_COUNTS: list[object] = [10.0, 1.5, "10", "", [10], {"$gt": 0}, None, True, 1e300]
NO_WEIGHTS: list[object] = ["0.5", "NaN", None, [0.5], True, {}]
TOO_HEAVY: list[object] = [-0.001, 1.001, 1e308, -1e308, 10**400]
LITERALS = ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"]

OTHERS: list[Row] = [
    *((f"k = {str(k)[:30]}", 400, lambda k=k: fields(text="red", k=k)) for k in COUNTS),
    *((f"k = {json.dumps(k)}", 422, lambda k=k: fields(text="red", k=k)) for k in NO_COUNTS),
    ("k of five thousand digits", 400, lambda: body('{"text": "red", "k": ' + "1" * 5_000 + "}")),
    *((f"k = {word}", 400, lambda word=word: body('{"text": "red", "k": ' + word + "}")) for word in LITERALS),
    *(
        (f"text_weight = {word}", 400, lambda word=word: body('{"text": "red", "text_weight": ' + word + "}"))
        for word in LITERALS
    ),
    *(
        (f"weight = {word}", 400, lambda word=word: body('{"terms": [{"text": "red", "weight": ' + word + "}]}"))
        for word in LITERALS
    ),
    *((f"text_weight = {json.dumps(w)}", 422, lambda w=w: fields(text="red", text_weight=w)) for w in NO_WEIGHTS),
    *((f"text_weight = {str(w)[:30]}", 400, lambda w=w: fields(text="red", text_weight=w)) for w in TOO_HEAVY),
    ("a weight of next to nothing", 200, lambda: fields(text="red", terms=[{"text": "wool", "weight": 5e-324}])),
    ("a term that is a text", 422, lambda: fields(text="red", terms=["wool"])),
    ("a text against itself", 400, lambda: fields(text="red", terms=[{"text": "red", "weight": -1.0}])),
    ("a text weight of minus zero", 200, lambda: body('{"text": "red", "text_weight": -0.0}')),
    ("ten thousand legs", 400, lambda: fields(text="red", legs=["dense"] * 10_000)),
    ("a leg twice", 400, lambda: fields(text="red", legs=["dense", "dense"])),
    ("a leg in capitals", 400, lambda: fields(text="red", legs=["DENSE"])),
    ("a leg that is a list", 422, lambda: fields(text="red", legs=[["dense"]])),
    ("the leg of photos without one", 200, lambda: fields(text="red", legs=["image"])),
    ("the leg of words for a photo", 400, lambda: fields(image=b64(PNG), legs=["lexical"])),
    ("ten thousand terms", 400, lambda: fields(text="red", terms=[{"text": "a"}] * 9_000)),
    ("understand = 1", 422, lambda: fields(text="red", understand=1)),
    ("explain = 'yes'", 422, lambda: fields(text="red", explain="yes")),
    ("eight pictures", 200, lambda: fields(image=[b64(PNG)] * 8)),
    ("nine pictures", 400, lambda: fields(image=[b64(PNG)] * 9)),
    ("nineteen thousand pictures", 400, lambda: fields(image=[b64(PNG)] * 19_000)),
    ("nineteen thousand empty pictures", 415, lambda: fields(image=[""] * 19_000)),
]


def entries() -> list[Poison]:
    """All of them."""
    return table((f"JSON: {name}", allowed, request) for name, allowed, request in SHAPES + OTHERS)
