"""Filters: expressions, operators and types that are not theirs. A value is never more than a value."""

from typing import Any

from tests.bento.hostile import body, fields, form, part
from tests.bento.poison.case import Poison

VALUES = {
    "a quote that ends the literal": 'Red"] or id != "" or "" in ["',
    "an expression of Milvus": 'Red" or array_contains_any(facets, ["colour=blue"]) or "a" == "',
    "an expression with and": "Red') and (1 == 1",
    "every row": 'Red" || true || "',
    "the tag of another colour": "Red,colour=blue",
    "an encoded quote": "Red%22%20or%20%22",
    "the tag itself": "colour=red",
    "a backslash": "Red\\",
    "a backslash and a quote": 'Red\\" or true or \\"',
    "a per cent sign": "%",
    "an underline": "Re_",
    "a placeholder": "{colour}",
    "SQL": "Red' OR '1'='1' --",
    "SQL that stacks": "Red'; DELETE FROM products; --",
    "a union": "x' UNION SELECT * FROM products",
    "Mongo": '{"$ne": null}',
    "a pattern": ".*",
    "an escaped quote": "Red\\u0022 or true",
    "a line separator": "Red\u2028or true",
    "a right-to-left override": "\u202edeR",
    "an emoji": "❤️",
    "a look-alike": "Rеd",
    "a thousand characters of four bytes": "𠮷" * 1000,
    "a thousand quotes": '"' * 1000,
    "true": True,
    "a large number": 2**64 - 1,
}
SAME = {
    "full width": "Ｒｅｄ",
    "capitals": "RED",
    "spaces around": "  red ",
    "mathematical": "𝐑𝐞𝐝",
    "a list": ["red", "RED"],
}

UNSOUND: dict[str, Any] = {
    "an expression for a name": {'colour == "Red" or id': "x"},
    "a name of the store": {"facets": "colour=red"},
    "the key of the store": {"key": "p0"},
    "the vectors of the store": {"fused": [0.1]},
    "the expression itself": {"expr": "id != ''"},
    "nothing for a name": {"": "Red"},
    "a name in other letters": {"颜色": "Red"},
    "a name of a hundred thousand characters": {"c" * 100_000: "Red"},
    "a name with a point": {"attributes.colour": "Red"},
    "$where": {"$where": "sleep(1000)"},
    "$or": {"$or": [{"colour": "Red"}, {"colour": "Blue"}]},
    "$ne": {"colour": {"$ne": ""}},
    "gte of a colour": {"colour": {"gte": "A"}},
    "an operator in an operator": {"price": {"gte": {"gte": {"gte": 1}}}},
    "an expression for a number": {"price": {"gte": "1 or 1 == 1"}},
    "an expression for a bound": {"price": {"> 0 or price": 1}},
    "a price that is a text": {"price": "10"},
    "a price that is a list": {"price": [10, 20]},
    "a price that is null": {"price": None},
    "a price that is true": {"price": True},
    "a range without bounds": {"price": {}},
    "a bound that is null": {"price": {"gte": None}},
    "a bound that is true": {"price": {"gte": True}},
    "a bound that is NaN as a text": {"price": {"lt": "NaN"}},
    "a bound of four hundred digits": {"price": {"lt": 10**400}},
    "in_stock = 'true'": {"in_stock": "true"},
    "in_stock = 1": {"in_stock": 1},
    "in_stock = null": {"in_stock": None},
    "in_stock in a range": {"in_stock": {"gte": 0}},
    "no value": {"colour": []},
    "null": {"colour": None},
    "null in a list": {"colour": ["Red", None]},
    "a list in a list": {"colour": [["Red"]]},
    "an object in a list": {"colour": [{"in": ["Red"]}]},
    "two hundred and one values": {"colour": ["Red"] * 201},
    "a value one character too long": {"colour": "a" * 1001},
    "a value of two hundred thousand characters": {"colour": "a" * 200_000},
    "a number of four hundred digits": {"colour": 10**400},
    "a number beyond every whole one": {"colour": 1e300},
    "half a character": {"colour": "\ud800"},
    "a NUL": {"colour": "Red\0"},
    "an escape sequence": {"colour": "\x1b[2J"},
    "twenty-one filters": {f"a{at}": 1 for at in range(21)},
    "five thousand filters": {f"a{at}": 1 for at in range(5_000)},
}

FINE: dict[str, tuple[dict[str, Any], int | None]] = {
    "a range turned round": ({"price": {"gte": 30, "lt": 5}}, 0),
    "all four bounds": ({"price": {"gte": 10, "gt": 9, "lte": 10, "lt": 11}}, 3),
    "the largest number": ({"price": {"lt": 1.7e308}}, 3),
    "the smallest number": ({"price": {"gt": 5e-324}}, 3),
    "a number below zero": ({"price": {"lt": -1e308}}, 0),
    "minus zero": ({"stock": -0.0}, 3),
    "a whole number of three hundred digits": ({"price": {"lt": 10**300}}, 3),
    "no filter": ({}, 3),
}


def entries() -> list[Poison]:
    """All of them."""
    found = [_asked(name, {"colour": value}, (200,), 0) for name, value in VALUES.items()]
    found += [_asked(f"Red in {name}", {"colour": value}, (200,), 3) for name, value in SAME.items()]
    found += [_asked(name, filters, (200,), hits) for name, (filters, hits) in FINE.items()]
    found += [_asked(name, filters, (400,), None) for name, filters in UNSOUND.items()]
    for word in ("NaN", "Infinity", "-Infinity", "1e400"):
        raw = '{"text": "red", "filters": {"price": {"lt": ' + word + "}}}"
        found.append(Poison(f"filter: a bound of {word}", (400,), lambda raw=raw: body(raw)))
    for name, value in list(VALUES.items())[:4]:
        found.append(
            Poison(
                f"filter on /similar: {name}",
                (200,),
                lambda value=value: fields(id="p0", k=3, filters={"colour": value}),
                path="/similar",
                hits=0,
            )
        )
    expression = b'{"colour": "Red"} or true'
    found.append(
        Poison(
            "filter in a form: an object and a tail",
            (400,),
            lambda: form(part("text", b"red"), part("filters", expression)),
        )
    )
    return found


def _asked(name: str, filters: dict[str, Any], allowed: tuple[int, ...], hits: int | None) -> Poison:
    return Poison(f"filter: {name}", allowed, lambda: fields(text="dress", k=3, filters=filters), hits=hits)
